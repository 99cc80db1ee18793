"""What a file of results looks like: `benchmarks/results.schema.json`, and a check against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("results.schema.json")


def check(results: Any) -> str:
    """What is wrong with results, and where; "" where nothing is."""
    import jsonschema

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    errors = jsonschema.Draft202012Validator(schema).iter_errors(results)
    first = jsonschema.exceptions.best_match(errors)
    return "" if first is None else f"{first.json_path}: {first.message[:200]}"
