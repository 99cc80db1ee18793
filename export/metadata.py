"""The metadata that the contract asks for, and writing it into a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx

from edge.keypoints import KEYPOINT_NAMES
from edge.networks.contract import COORDINATE_CONVENTION, SCHEME
from export.errors import ExportError

BOX_CONVENTION = "x, y, width, height; mid-forehead to chin, cheek to cheek; x, y centre of a pixel"


def describe_keypoints(
    record: dict[str, Any], sha256: str, size: int, license_text: str
) -> dict[str, str]:
    """Metadata of a keypoint network.

    Args:
        record: the content of the run's `run.json`.
        sha256: of the run's `model.keras`, hexadecimal.
        size: side of the input, px.
        license_text: licence of the weights.
    """
    return {
        "keypoint_names": json.dumps(KEYPOINT_NAMES),
        "input_size": str(size),
        "scheme": SCHEME,
        # Factors from the error, which contains 50 % of the true points, to one that contains 90 %.
        **({"error90": json.dumps(record["error90"])} if "error90" in record else {}),
        **_describe_origin(record, sha256, license_text),
    }


def describe_detector(record: dict[str, Any], sha256: str, license_text: str) -> dict[str, str]:
    """Metadata of a detector; arguments as of `describe_keypoints`.

    `max_roll_deg` is the largest roll of the faces it has learnt to find.
    """
    rolls = {
        key: f"{record['recipe'][key]:g}" for key in ("max_roll_deg",) if key in record["recipe"]
    }
    origin = _describe_origin(record, sha256, license_text)
    return {"box_convention": BOX_CONVENTION, **rolls, **origin}


def describe_crop_network(
    record: dict[str, Any], sha256: str, size: int, license_text: str
) -> dict[str, str]:
    """Metadata of a network of crops; arguments as of `describe_keypoints`."""
    return {"input_size": str(size), **_describe_origin(record, sha256, license_text)}


def _describe_origin(record: dict[str, Any], sha256: str, license_text: str) -> dict[str, str]:
    recipe = record["recipe"]
    return {
        "coordinate_convention": COORDINATE_CONVENTION,
        "model_version": f"{recipe['name']}-{sha256[:8]}",
        "training_run": json.dumps(
            {"recipe": recipe, "commit": record.get("commit")}, sort_keys=True
        ),
        "training_data": json.dumps(record["data_sha256"], sort_keys=True),
        "license": license_text,
        "sha256_keras": sha256,
    }


def write_model(proto: onnx.ModelProto, metadata: dict[str, str], path: Path) -> None:
    """Write a model with its metadata, and verify the file by reading it back.

    Raises:
        ExportError: the metadata read back differs, or the file is not valid ONNX.
    """
    onnx.helper.set_model_props(proto, metadata)
    onnx.save(proto, path)
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"{path}: is not valid ONNX: {error}") from error
    written = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    differing = [key for key, value in metadata.items() if written.get(key) != value]
    if differing:
        raise ExportError(f"{path}: metadata {', '.join(differing)} differs after writing")
