"""The keypoint network: from cropped faces to keypoints, error radii and face scores.

Legend: N faces, K keypoints, S side of a crop.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.networks.contract import (
    COMMON_KEYS,
    OnnxModel,
    Outputs,
    embedded_file,
    optional_input,
    parse_metadata,
)

EMBEDDED = embedded_file("keypoints.onnx")
EMBEDDED_SMALL = EMBEDDED.with_name("keypoints-small.onnx")
METADATA_KEYS = ("keypoint_names", "input_size", "scheme", *COMMON_KEYS)
# Crops are run in batches of these sizes only, so that memory stays flat for any number of faces.
_BATCH_SIZES = (64, 16, 4, 2, 1)
_OUTPUTS = ["keypoints", "error", "face_score"]
_POINTS68 = "points68"
_WITH_POINTS68 = optional_input(_POINTS68)  # older files always compute them
_YES, _NO = np.array(True), np.array(False)


class _Outputs(NamedTuple):
    keypoints: NDArray[np.float32]
    error: NDArray[np.float32]
    face_score: NDArray[np.float32]


class Prediction(_Outputs):
    """What the network predicts of N faces; unpacks to keypoints, error and face_score.

    Attributes:
        keypoints: float32 `(N, K, 2)`, px of the crop.
        error: float32 `(N, K)`, px of the crop; the radius that holds the true point with
            probability 0.5.
        face_score: float32 `(N,)`, the probability that the crop shows a face, 0–1.
        points68: float32 `(N, 68, 2)`, px of the crop; None unless asked for.
        error90: float32 `(N, K)`, as `error` with probability 0.9; None for a model without it.
    """

    points68: NDArray[np.float32] | None = None
    error90: NDArray[np.float32] | None = None


class KeypointModel:
    """An open keypoint network.

    Attributes:
        path: the file it was read from.
        keypoint_names: names of the K keypoints, in the order of the output.
        size: side S of the crops it takes, px.
        error90: float32 `(K,)`, factors from `error` to the radius that holds the true point with
            probability 0.9; None where the file does not give them.
        has_points68: whether it can predict the 68 points.
        metadata: the file's metadata.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Open a model file and check that it keeps the contract.

        Raises:
            ModelError: the file is missing, is no ONNX model, or breaks the contract.
        """
        self._model = OnnxModel(path, threads, "keypoint model", METADATA_KEYS)
        self.path, self.metadata = self._model.path, self._model.metadata
        names = parse_metadata(self._model, "keypoint_names", "distinct names", _are_names)
        self.keypoint_names: tuple[str, ...] = tuple(names)
        self.size: int = parse_metadata(self._model, "input_size", "a whole number", _is_whole)
        self.error90 = _parse_error90(self._model, len(names))
        self.has_points68 = _POINTS68 in {tensor.name for tensor in self._model.outputs}
        _check_tensors(self._model, len(self.keypoint_names), self.size)
        faces = np.zeros((2, self.size, self.size), np.uint8)
        self._model.check_runs(lambda: self._run(faces, self._outputs(self.has_points68)))

    def __call__(self, faces: NDArray[np.uint8], points68: bool = False) -> Prediction:
        """Predict keypoints of cropped faces.

        Args:
            faces: uint8 `(N, S, S)`, grey.
            points68: predict the 68 points too; otherwise they are not computed.

        Raises:
            ModelError: the model cannot predict the 68 points.
        """
        names = self._outputs(points68)
        spans = self._model.spans(len(faces), _BATCH_SIZES)
        parts = [self._run(faces[start:stop], names) for start, stop in spans]
        if not parts:
            shapes = {tensor.name: tensor.shape[1:] for tensor in self._model.outputs}
            parts = [[np.empty((0, *shapes[name]), np.float32) for name in names]]
        outputs = [np.concatenate(p) if len(p) > 1 else p[0] for p in zip(*parts, strict=True)]
        prediction = Prediction(*outputs[: len(_OUTPUTS)])
        prediction.points68 = outputs[-1] if points68 else None
        prediction.error90 = None if self.error90 is None else prediction.error * self.error90
        return prediction

    def require_points68(self) -> None:
        """Raise ModelError unless the model can predict the 68 points."""
        if not self.has_points68:
            raise ModelError(
                f"{self.path}: this model predicts no 68 points; choose one that does, or leave "
                "points68 out"
            )

    def _outputs(self, points68: bool) -> list[str]:
        if not points68:
            return _OUTPUTS
        self.require_points68()
        return [*_OUTPUTS, _POINTS68]

    def _run(self, faces: NDArray[np.uint8], names: list[str]) -> Outputs:
        inputs: dict[str, NDArray[Any]] = {"face": faces[..., None]}
        if _WITH_POINTS68 in self._model.optional_inputs:
            inputs[_WITH_POINTS68] = _YES if _POINTS68 in names else _NO
        return self._model.run(names, inputs)


def _are_names(value: Any) -> bool:
    return _is_list(value, str) and len(set(value)) == len(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def _parse_error90(model: OnnxModel, count: int) -> NDArray[np.float32] | None:
    if "error90" not in model.metadata:
        return None
    factors = parse_metadata(
        model, "error90", f"{count} factors of at least 1",
        lambda value: _is_list(value, int, float) and len(value) == count
        and all(factor >= 1 for factor in value),
    )  # fmt: skip
    return np.array(factors, np.float32)


def _is_list(value: Any, *types: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, types) for item in value)


def _check_tensors(model: OnnxModel, count: int, size: int) -> None:
    """Raise ModelError unless inputs and outputs are as agreed."""
    expected = {
        "face": ("tensor(uint8)", [size, size, 1]),
        "keypoints": ("tensor(float)", [count, 2]),
        "error": ("tensor(float)", [count]),
        "face_score": ("tensor(float)", []),
    }
    if _POINTS68 in {tensor.name for tensor in model.outputs}:
        expected[_POINTS68] = ("tensor(float)", [68, 2])
    if len(model.inputs) != 1 or isinstance(model.inputs[0].shape[0], int):
        raise ModelError(
            f"{model.path}: expected one input with a dynamic batch axis, found "
            + ", ".join(f"{tensor.name} {tensor.shape}" for tensor in model.inputs)
        )
    model.check_tensors(expected)
