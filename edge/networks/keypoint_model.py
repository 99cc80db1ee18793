"""The keypoint network as an open session, and the contract its file must keep.

Legend: N faces, K keypoints, S side of a crop.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.networks.contract import check_tensors, parse_names, parse_size, read_metadata
from edge.networks.precision import Kind, open_file
from edge.networks.session import OPEN_ERRORS, first_line, open_session

EMBEDDED = Path(__file__).parents[1] / "models" / "keypoints.onnx"
# Crops are run in batches of these sizes only, so that memory stays flat whatever comes.
_BATCH_SIZES = (64, 16, 4, 2, 1)

Prediction = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class KeypointModel:
    """An open keypoint network.

    Attributes:
        path: the file it was read from.
        keypoint_names: names of the K keypoints, in the order of the output.
        size: side S of the crops it takes, px.
        metadata: everything the file says of itself.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Open a model file and check that it keeps the contract.

        Raises:
            ModelError: the file is missing, is no ONNX model, or breaks the contract.
        """
        self.path = Path(path)
        self._session = open_session(self.path, threads)
        self.metadata = read_metadata(self._session, self.path)
        self.keypoint_names = parse_names(self.metadata, self.path)
        self.size = parse_size(self.metadata, self.path)
        check_tensors(self._session, len(self.keypoint_names), self.size, self.path)
        self._try_out()

    def __call__(self, faces: NDArray[np.uint8]) -> Prediction:
        """Predict keypoints of cropped faces.

        Args:
            faces: uint8 `(N, S, S)`, grey.

        Returns:
            keypoints float32 `(N, K, 2)` and their 50 % error radius float32 `(N, K)`, px of the
            crop; face_score float32 `(N,)`, 0–1.
        """
        parts = [self._run(faces[start:stop]) for start, stop in _spans(len(faces))]
        if not parts:
            count = len(self.keypoint_names)
            empty = np.empty((0, count, 2), np.float32)
            return empty, empty[..., 0], np.empty(0, np.float32)
        if len(parts) == 1:
            return parts[0]
        points, error, score = (np.concatenate(part) for part in zip(*parts, strict=True))
        return points, error, score

    def _try_out(self) -> None:
        # Damage that opening does not see, such as a flipped bit in a shape, shows when it runs.
        try:
            outputs = self._run(np.zeros((2, self.size, self.size), np.uint8))
        except OPEN_ERRORS as error:
            raise ModelError(
                f"{self.path}: the model does not run ({first_line(error)})"
            ) from error
        if not all(np.isfinite(output).all() for output in outputs):
            raise ModelError(f"{self.path}: the model gives no finite numbers; export it again")

    def _run(self, faces: NDArray[np.uint8]) -> Prediction:
        outputs = self._session.run(
            ["keypoints", "error", "face_score"], {"face": faces[..., None]}
        )
        return outputs[0], outputs[1], outputs[2]


def open_model(path: str | Path | None, precision: str = "auto", threads: int = 1) -> KeypointModel:
    """Open the fp32 or the int8 file of a model, as `edge.networks.precision.open_file` does.

    Args:
        path: the fp32 file; None for the embedded model.
        precision: "fp32", "int8", or "auto": whichever is faster here for one face.
        threads: threads that one run may use.

    Raises:
        ModelError, ValueError: as `open_file`.
    """
    return open_file(_KIND, EMBEDDED if path is None else Path(path), precision, threads)


def _use(model: KeypointModel) -> object:
    return model(np.zeros((1, model.size, model.size), np.uint8))


_KIND = Kind(KeypointModel, _use)


def _spans(count: int) -> list[tuple[int, int]]:
    spans, start = [], 0
    for size in _BATCH_SIZES:
        while count - start >= size:
            spans.append((start, start + size))
            start += size
    return spans
