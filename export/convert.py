"""Loading a run's Keras model, and converting a keypoint network to ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

from edge.errors import first_line
from export.errors import ExportError, RunFolderError
from export.simplify import fuse_normalisation, simplify

OPSET = 17
OUTPUTS = ("keypoints", "error", "face_score")
OPTIONAL_OUTPUTS = ("points68",)


def load_keypoint_model(path: Path) -> Any:
    """Load a keypoint run's Keras model, uncompiled.

    Raises:
        RunFolderError: the file cannot be read, or its outputs are not those of the contract.
    """
    model = load_keras(path)
    outputs = getattr(model, "output", None)  # absent where the model was never called
    if not isinstance(outputs, dict) or set(outputs) - set(OPTIONAL_OUTPUTS) != set(OUTPUTS):
        raise RunFolderError(f"{path}: expected the outputs {', '.join(OUTPUTS)}")
    return model


def load_keras(path: Path) -> Any:
    """Load a Keras model, uncompiled; raises RunFolderError if it cannot be read."""
    import keras

    try:
        return keras.saving.load_model(path, compile=False)
    except (ValueError, OSError) as error:
        raise RunFolderError(
            f"{path}: cannot be read as a Keras model ({first_line(error)})"
        ) from error


def to_onnx(model: Any, size: int) -> onnx.ModelProto:
    """Convert a keypoint network.

    The conversion goes through a `tf.function`, as `tf2onnx.convert.from_keras` does not support
    the dictionary outputs of Keras 3.

    Args:
        model: from `load_keypoint_model`.
        size: side of the input, px.

    Returns:
        A checked ONNX model, opset 17, with the contract's input and outputs and a dynamic batch.

    Raises:
        ExportError: Keras does not run on TensorFlow, or the ONNX model is invalid.
    """
    proto = _convert(model, size, "face")
    simplify(proto, size)
    check(proto)
    return proto


def crops_to_onnx(model: Any, size: int, name: str) -> onnx.ModelProto:
    """Convert a network of crops with the input `name`; else as `to_onnx`."""
    proto = _convert(model, size, name)
    fuse_normalisation(proto, size)
    simplify(proto, size, name)
    check(proto)
    return proto


def _convert(model: Any, size: int, name: str) -> onnx.ModelProto:
    """Convert a network of uint8 images `(N, size, size, 1)` with the input `name`."""
    _require_tensorflow()
    import tensorflow as tf
    import tf2onnx

    @tf.function(input_signature=[tf.TensorSpec([None, size, size, 1], tf.uint8, name=name)])
    def predict(images: Any) -> dict[str, Any]:
        outputs = model(images, training=False)
        return {key: tf.identity(outputs[key], name=key) for key in outputs}

    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(
        predict, input_signature=predict.input_signature, opset=OPSET
    )
    return proto


def _require_tensorflow() -> None:
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ExportError("export needs Keras on TensorFlow; set KERAS_BACKEND=tensorflow")


def check(proto: onnx.ModelProto) -> None:
    """Raise ExportError unless the model is valid ONNX."""
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the converted model is not valid ONNX: {error}") from error
