"""From Keras to ONNX, with the contract's metadata in the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx

from edge.keypoints import KEYPOINT_NAMES
from edge.networks.contract import COORDINATE_CONVENTION, SCHEME
from export.errors import ExportError, RunFolderError
from export.simplify import simplify
from export.source import TrainingRun

OPSET = 17
OUTPUTS = ("keypoints", "error", "face_score")


def load_keras(path: Path) -> Any:
    """Load a run's Keras model, uncompiled.

    Raises:
        RunFolderError: the file cannot be read, or its outputs are not those of the contract.
    """
    model = load_any_keras(path)
    if not isinstance(model.output, dict) or set(model.output) != set(OUTPUTS):
        raise RunFolderError(f"{path}: expected the outputs {', '.join(OUTPUTS)}")
    return model


def to_onnx(model: Any, size: int) -> onnx.ModelProto:
    """Convert a Keras model that keeps the contract.

    Goes through a `tf.function`: `tf2onnx.convert.from_keras` does not know Keras 3's outputs.

    Args:
        model: from `load_keras`.
        size: side of the input picture, px.

    Returns:
        A checked ONNX model, opset 17, with the contract's input and outputs and an open batch.

    Raises:
        ExportError: TensorFlow is not Keras's backend, or the ONNX model is invalid.
    """
    require_tensorflow()
    import tensorflow as tf
    import tf2onnx

    @tf.function(input_signature=[tf.TensorSpec([None, size, size, 1], tf.uint8, name="face")])
    def predict(face: Any) -> dict[str, Any]:
        found = model(face, training=False)
        return {name: tf.identity(found[name], name=name) for name in OUTPUTS}

    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(
        predict, input_signature=predict.input_signature, opset=OPSET
    )
    simplify(proto, size)
    check(proto)
    return proto


def load_any_keras(path: Path) -> Any:
    """Load a Keras model, uncompiled; raises RunFolderError where it cannot be read."""
    import keras

    try:
        return keras.saving.load_model(path, compile=False)
    except (ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise RunFolderError(f"{path}: cannot be read as a Keras model ({reason})") from error


def require_tensorflow() -> None:
    """Raise ExportError unless Keras runs on TensorFlow."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ExportError("export needs Keras on TensorFlow; set KERAS_BACKEND=tensorflow")


def check(proto: onnx.ModelProto) -> None:
    """Raise ExportError unless the model is valid ONNX."""
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the converted model is not valid ONNX: {error}") from error


def describe(run: TrainingRun, size: int, license_text: str) -> dict[str, str]:
    """The contract's metadata for a run's model."""
    recipe = run.record["recipe"]
    return {
        "keypoint_names": json.dumps(KEYPOINT_NAMES),
        "input_size": str(size),
        "scheme": SCHEME,
        "coordinate_convention": COORDINATE_CONVENTION,
        "model_version": f"{recipe['name']}-{run.sha256[:8]}",
        "training_run": json.dumps(
            {"recipe": recipe, "commit": run.record.get("commit")}, sort_keys=True
        ),
        "training_data": json.dumps(run.record["data_sha256"], sort_keys=True),
        "license": license_text,
        "sha256_keras": run.sha256,
    }


def write_model(proto: onnx.ModelProto, metadata: dict[str, str], path: Path) -> None:
    """Write a model with its metadata, and read both back.

    Raises:
        ExportError: what was read back differs, or the file is not valid ONNX.
    """
    onnx.helper.set_model_props(proto, metadata)
    onnx.save(proto, path)
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"{path}: is not valid ONNX: {error}") from error
    back = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    wrong = [key for key, value in metadata.items() if back.get(key) != value]
    if wrong:
        raise ExportError(f"{path}: metadata {', '.join(wrong)} did not survive writing")
