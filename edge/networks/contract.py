"""What an `.onnx` file must say and have to be a keypoint model: the contract between the rooms."""

from __future__ import annotations

import json
from pathlib import Path

import onnxruntime

from edge.errors import ModelError
from edge.keypoints import COORDINATE_CONVENTION

_COMMON_KEYS = (
    "coordinate_convention",
    "model_version",
    "training_run",
    "training_data",
    "license",
    "sha256_keras",
)
METADATA_KEYS = ("keypoint_names", "input_size", "scheme", *_COMMON_KEYS)
DETECTOR_KEYS = ("box_convention", *_COMMON_KEYS)
_KEYS = {"keypoint model": METADATA_KEYS, "detector": DETECTOR_KEYS}


def read_metadata(
    session: onnxruntime.InferenceSession, path: Path, kind: str = "keypoint model"
) -> dict[str, str]:
    """The file's metadata; raises ModelError where a key is missing or the convention another."""
    try:
        metadata = dict(session.get_modelmeta().custom_metadata_map)
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: the metadata is no valid text; the file is damaged") from error
    missing = [key for key in _KEYS[kind] if key not in metadata]
    if missing:
        raise ModelError(
            f"{path}: not a {kind}: metadata {', '.join(missing)} missing; "
            "export it with python -m export.run"
        )
    if metadata["coordinate_convention"] != COORDINATE_CONVENTION:
        raise ModelError(
            f"{path}: expected the coordinate convention {COORDINATE_CONVENTION!r}, "
            f"found {metadata['coordinate_convention']!r}"
        )
    return metadata


def parse_names(metadata: dict[str, str], path: Path) -> tuple[str, ...]:
    """Names of the keypoints; raises ModelError unless they are a JSON list of different names."""
    try:
        names = json.loads(metadata["keypoint_names"])
    except json.JSONDecodeError as error:
        raise ModelError(f"{path}: metadata keypoint_names is no JSON list") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{path}: metadata keypoint_names is no JSON list of names")
    if len(set(names)) != len(names):
        raise ModelError(f"{path}: metadata keypoint_names holds a name twice")
    return tuple(names)


def parse_size(metadata: dict[str, str], path: Path) -> int:
    """Side of the input, px; raises ModelError unless it is a whole number."""
    if not metadata["input_size"].isdecimal():
        raise ModelError(
            f"{path}: metadata input_size: expected a whole number, "
            f"found {metadata['input_size']!r}"
        )
    return int(metadata["input_size"])


def check_tensors(session: onnxruntime.InferenceSession, count: int, size: int, path: Path) -> None:
    """Raise ModelError unless inputs and outputs have the names, types and shapes agreed on."""
    expected = {
        "face": ("tensor(uint8)", [size, size, 1]),
        "keypoints": ("tensor(float)", [count, 2]),
        "error": ("tensor(float)", [count]),
        "face_score": ("tensor(float)", []),
    }
    inputs = session.get_inputs()
    if len(inputs) != 1 or isinstance(inputs[0].shape[0], int):
        raise ModelError(
            f"{path}: expected one input with an open batch, found "
            + ", ".join(f"{tensor.name} {tensor.shape}" for tensor in inputs)
        )
    tensors = [*inputs, *session.get_outputs()]
    # The first axis is the batch, and only it may be open.
    found = {tensor.name: (tensor.type, list(tensor.shape[1:])) for tensor in tensors}
    for name, form in expected.items():
        if found.get(name) != form:
            raise ModelError(
                f"{path}: tensor {name!r}: expected {form[0]} [N, …] with {form[1]} after the "
                f"batch, found {found.get(name, 'none')}"
            )


def check_detector(session: onnxruntime.InferenceSession, path: Path) -> None:
    """Raise ModelError unless inputs and outputs are those of a face detector."""
    tensors = [*session.get_inputs(), *session.get_outputs()]
    found = {tensor.name: (tensor.type, len(tensor.shape)) for tensor in tensors}
    expected = {
        "image": ("tensor(uint8)", 4),
        "boxes": ("tensor(float)", 2),
        "scores": ("tensor(float)", 1),
    }
    if found != expected:
        raise ModelError(
            f"{path}: not a face detector: expected image (1, H, W, 1), boxes (M, 4) and scores "
            f"(M,), found {', '.join(f'{t.name} {t.shape}' for t in tensors)}"
        )
