"""The keypoint network: from cropped faces to keypoints, error radii and face scores.

Legend: N faces, K keypoints, S side of a crop.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.networks.contract import COMMON_KEYS, Contract, OnnxModel, parse_names, parse_size

EMBEDDED = Path(__file__).parents[1] / "models" / "keypoints.onnx"
METADATA_KEYS = ("keypoint_names", "input_size", "scheme", *COMMON_KEYS)
# Crops are run in batches of these sizes only, so that memory stays flat for any number of faces.
_BATCH_SIZES = (64, 16, 4, 2, 1)
_OUTPUTS = ["keypoints", "error", "face_score"]


class Prediction(NamedTuple):
    """What the network predicts of N faces.

    Attributes:
        keypoints: float32 `(N, K, 2)`, px of the crop.
        error: float32 `(N, K)`, px of the crop; the radius that holds the true point with
            probability 0.5.
        face_score: float32 `(N,)`, the probability that the crop shows a face, 0–1.
    """

    keypoints: NDArray[np.float32]
    error: NDArray[np.float32]
    face_score: NDArray[np.float32]


class KeypointModel:
    """An open keypoint network.

    Attributes:
        path: the file it was read from.
        keypoint_names: names of the K keypoints, in the order of the output.
        size: side S of the crops it takes, px.
        metadata: the file's metadata.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Open a model file and check that it keeps the contract.

        Raises:
            ModelError: the file is missing, is no ONNX model, or breaks the contract.
        """
        self._model = OnnxModel(path, threads, _CONTRACT)
        self.path, self.metadata = self._model.path, self._model.metadata
        self.keypoint_names = parse_names(self.metadata, self.path)
        self.size = parse_size(self.metadata, self.path)
        _check_tensors(self._model, len(self.keypoint_names), self.size)
        self._model.check_runs(lambda: self._run(np.zeros((2, self.size, self.size), np.uint8)))

    def __call__(self, faces: NDArray[np.uint8]) -> Prediction:
        """Predict keypoints of cropped faces.

        Args:
            faces: uint8 `(N, S, S)`, grey.
        """
        parts = [self._run(faces[start:stop]) for start, stop in _spans(len(faces))]
        if not parts:
            count = len(self.keypoint_names)
            empty = np.empty((0, count, 2), np.float32)
            return Prediction(empty, empty[..., 0], np.empty(0, np.float32))
        if len(parts) == 1:
            return parts[0]
        return Prediction(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _run(self, faces: NDArray[np.uint8]) -> Prediction:
        return Prediction(*self._model.run(_OUTPUTS, {"face": faces[..., None]}))


def _spans(count: int) -> list[tuple[int, int]]:
    spans, start = [], 0
    for size in _BATCH_SIZES:
        while count - start >= size:
            spans.append((start, start + size))
            start += size
    return spans


def _check_tensors(model: OnnxModel, count: int, size: int) -> None:
    """Raise ModelError unless inputs and outputs are as agreed."""
    expected = {
        "face": ("tensor(uint8)", [size, size, 1]),
        "keypoints": ("tensor(float)", [count, 2]),
        "error": ("tensor(float)", [count]),
        "face_score": ("tensor(float)", []),
    }
    if len(model.inputs) != 1 or isinstance(model.inputs[0].shape[0], int):
        raise ModelError(
            f"{model.path}: expected one input with a dynamic batch axis, found "
            + ", ".join(f"{tensor.name} {tensor.shape}" for tensor in model.inputs)
        )
    tensors = [*model.inputs, *model.outputs]
    # The first axis is the batch, and only it may be dynamic.
    actual = {tensor.name: (tensor.type, list(tensor.shape[1:])) for tensor in tensors}
    for name, (dtype, shape) in expected.items():
        if actual.get(name) != (dtype, shape):
            raise ModelError(
                f"{model.path}: tensor {name!r}: expected {dtype} [N, …] with {shape} after the "
                f"batch, found {actual.get(name, 'none')}"
            )


_CONTRACT = Contract("keypoint model", METADATA_KEYS)
