"""The eye network: from the patch of an eye to how far it is open.

Legend: N eyes, S side of a patch (32).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.geometry.eye_frame import PATCH
from edge.networks.contract import COMMON_KEYS, OnnxModel, embedded_file

EMBEDDED = embedded_file("eyes.onnx")
METADATA_KEYS = ("input_size", *COMMON_KEYS)
_OUTPUTS = ["opening", "error"]
_TENSORS: dict[str, tuple[str, list[int]]] = {
    "eye": ("tensor(uint8)", [PATCH, PATCH, 1]),
    **{name: ("tensor(float)", []) for name in _OUTPUTS},
}
# Patches are run in batches of these sizes only, so that memory stays flat for any number of eyes.
_BATCH_SIZES = (16, 4, 2, 1)


class Openings(NamedTuple):
    """How far N eyes are open.

    Attributes:
        opening: float32 `(N,)`: the distance between the middles of the lids over that between the
            corners of the eye.
        error: float32 `(N,)`, its probable error, which half of the eyes do not exceed.
    """

    opening: NDArray[np.float32]
    error: NDArray[np.float32]


class EyeModel:
    """An open eye network.

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
        self._model = OnnxModel(path or EMBEDDED, threads, "eye model", METADATA_KEYS)
        self.path, self.metadata = self._model.path, self._model.metadata
        self._model.check_tensors(_TENSORS)
        self._model.check_runs(lambda: list(self(np.zeros((2, PATCH, PATCH), np.uint8))))

    def __call__(self, patches: NDArray[np.uint8]) -> Openings:
        """Measure eyes.

        Args:
            patches: uint8 `(N, S, S)`, grey, as `edge.geometry.eye_frame` frames them, those of
                left eyes mirrored.
        """
        spans = self._model.spans(len(patches), _BATCH_SIZES)
        if not spans:
            return Openings(np.empty(0, np.float32), np.empty(0, np.float32))
        parts = [self._run(patches[start:stop]) for start, stop in spans]
        if len(parts) == 1:
            return Openings(*parts[0])
        return Openings(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _run(self, patches: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return self._model.run(_OUTPUTS, {"eye": patches[..., None]})
