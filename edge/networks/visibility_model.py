"""The visibility network: from the crop of a face to which of its keypoints are seen.

Legend: N faces, S side of a crop (48), K keypoints (15).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES
from edge.networks.contract import COMMON_KEYS, OnnxModel, embedded_file, parse_metadata

EMBEDDED = embedded_file("visibility.onnx")
METADATA_KEYS = ("keypoint_names", "input_size", *COMMON_KEYS)
SIDE = 48  # px, of a crop
_OUTPUT = "visible"
_TENSORS = {
    "face": ("tensor(uint8)", [SIDE, SIDE, 1]),
    _OUTPUT: ("tensor(float)", [len(KEYPOINT_NAMES)]),
}
_BATCH = 8  # faces are run in batches of at most this size, so that memory stays flat


class VisibilityModel:
    """An open visibility network.

    Attributes:
        path: the file it was read from.
        metadata: the file's metadata.
    """

    def __init__(self, path: str | Path | None = None, threads: int = 1) -> None:
        """Open a model file and check that it keeps the contract.

        Args:
            path: an `.onnx` file; None for the embedded one.
            threads: threads that one run may use.

        Raises:
            ModelError: the file is missing, is no ONNX model, or breaks the contract.
        """
        self._model = OnnxModel(path or EMBEDDED, threads, "visibility model", METADATA_KEYS)
        self.path, self.metadata = self._model.path, self._model.metadata
        self._model.check_tensors(_TENSORS)
        expected = f"the names {', '.join(KEYPOINT_NAMES)}"
        parse_metadata(self._model, "keypoint_names", expected, lambda n: n == list(KEYPOINT_NAMES))
        self._model.check_runs(lambda: [self(np.zeros((1, SIDE, SIDE), np.uint8))])

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tell which keypoints are seen.

        Args:
            crops: uint8 `(N, S, S)`, grey, the faces upright as
                `edge.geometry.keypoint_frame.upright_matrix` frames them.

        Returns:
            float32 `(N, K)`, the probability that each keypoint is seen, 0–1.
        """
        parts = [self._run(crops[i : i + _BATCH]) for i in range(0, len(crops), _BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, len(KEYPOINT_NAMES)), np.float32)

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        [visible] = self._model.run([_OUTPUT], {"face": crops[..., None]})
        return np.asarray(visible, np.float32)
