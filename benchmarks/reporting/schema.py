"""Validation of results of `benchmarks.run` against `results.schema.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.extras import require

SCHEMA = Path(__file__).with_name("results.schema.json")
_MAX_MESSAGE = 200  # characters


def validate(results: Any) -> str:
    """The most relevant violation of the schema, with its JSON path; "" if results are valid.

    Raises:
        MissingExtra: the package `jsonschema` is not installed.
    """
    jsonschema = require("jsonschema", "bench", "validating results")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    errors = jsonschema.Draft202012Validator(schema).iter_errors(results)
    error = jsonschema.exceptions.best_match(errors)
    return "" if error is None else f"{error.json_path}: {error.message[:_MAX_MESSAGE]}"
