"""The face detector: one `.onnx` file, from a grey picture to boxes and scores.

A box reaches from the middle of the forehead to the chin and from cheek to cheek;
`edge.geometry.face_frame` says which square of the picture the keypoint network then sees.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.image import Grey
from edge.networks.contract import check_detector, read_metadata
from edge.networks.precision import Kind, open_file
from edge.networks.session import OPEN_ERRORS, first_line, open_session
from edge.resize import resize

EMBEDDED = Path(__file__).parents[1] / "models" / "face.onnx"
STEP = 32  # px; the coarsest stride
# The shorter side is filled up to one of these parts of the longer, so that whatever comes, the
# network runs at a few shapes only and memory stays flat.
SHORTER = (9 / 16, 11 / 16, 3 / 4, 7 / 8, 1.0)
ENLARGE = 2.0  # at most: more makes faces softer, not easier to find
NEAR = 0.1  # of the size at which a picture is searched: one that is so near to it stays as it is

Found = tuple[NDArray[np.float32], NDArray[np.float32]]


class FaceDetector:
    """An open face detector.

    Attributes:
        path: the file it was read from.
        metadata: everything the file says of itself.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Open a detector file and check that it keeps the contract.

        Args:
            path: a detector `.onnx` file.
            threads: threads that one run may use.

        Raises:
            ModelError: the file is missing, is no ONNX model, or breaks the contract.
        """
        self.path = Path(path)
        self._session = open_session(self.path, threads)
        self.metadata = read_metadata(self._session, self.path, "detector")
        check_detector(self._session, self.path)
        self._try_out()

    def __call__(self, grey: Grey, detect_size: int = 320) -> Found:
        """Find faces.

        Args:
            grey: uint8 `(H, W)`.
            detect_size: length of the longer side at which the picture is searched, px. Faces must
                be about 10 px wide there. A picture within a tenth of it stays as it is; a smaller
                one is enlarged, at most twice.

        Returns:
            Boxes float32 `(M, 4)`: x, y, width, height, px of `grey`, x and y the centre of the
            top-left pixel; and scores float32 `(M,)`, 0–1; the highest score first.
        """
        height, width = grey.shape
        canvas, inner = self.canvas(grey, detect_size)
        boxes, scores = self._run(canvas)
        factors = np.array([width / inner[1], height / inner[0]], np.float32)
        corner = (boxes[:, :2] + 0.5) * factors - 0.5
        return np.concatenate([corner, boxes[:, 2:] * factors], axis=1), scores

    @staticmethod
    def canvas(grey: Grey, detect_size: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
        """What the network is given of a picture.

        Returns:
            uint8 `(1, H, W, 1)`, the picture scaled and filled up with black; and the height and
            width of the picture in it, px.
        """
        height, width = grey.shape
        longer = max(height, width)
        near = abs(longer - detect_size) <= NEAR * detect_size
        scale = 1.0 if near else min(detect_size / longer, ENLARGE)
        inner = (max(1, round(height * scale)), max(1, round(width * scale)))
        canvas = np.zeros((1, *working_shape(*inner), 1), np.uint8)
        canvas[0, : inner[0], : inner[1], 0] = resize(grey, inner)
        return canvas, inner

    def _try_out(self) -> None:
        try:
            found = self._run(np.zeros((1, 2 * STEP, 2 * STEP, 1), np.uint8))
        except OPEN_ERRORS as error:
            raise ModelError(
                f"{self.path}: the model does not run ({first_line(error)})"
            ) from error
        if not all(np.isfinite(values).all() for values in found):
            raise ModelError(f"{self.path}: the model gives no finite numbers; export it again")

    def _run(self, canvas: NDArray[np.uint8]) -> Found:
        boxes, scores = self._session.run(["boxes", "scores"], {"image": canvas})
        return boxes, scores


def open_detector(
    path: str | Path | None, precision: str = "auto", threads: int = 1
) -> FaceDetector:
    """Open the fp32 or the int8 file of a detector, as `edge.networks.precision.open_file` does.

    Args:
        path: the fp32 file; None for the embedded detector.
        precision: "fp32", "int8", or "auto": whichever is faster here at 320×240 px.
        threads: threads that one run may use.

    Raises:
        ModelError, ValueError: as `open_file`.
    """
    return open_file(_KIND, EMBEDDED if path is None else Path(path), precision, threads)


_KIND = Kind(FaceDetector, lambda detector: detector(np.zeros((240, 320), np.uint8)))


def working_shape(height: int, width: int) -> tuple[int, int]:
    """The shape at which a picture of `height`×`width` px is searched: one of a few."""
    longer = _up(max(height, width))
    shorter = next(s for s in (_up(longer * part) for part in SHORTER) if s >= min(height, width))
    return (longer, shorter) if height > width else (shorter, longer)


def _up(length: float) -> int:
    return math.ceil(length / STEP) * STEP
