"""Which keypoints of faces are seen, by the visibility network.

A keypoint is hidden where something covers it, as a hand, a mask, dark glasses or another face,
where the face itself does because it is turned away, and where the image ends before it.

Legend: N faces, K keypoints (15).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.analysis.eyes import AnyImage, grey_of
from edge.crop import cut
from edge.face import Face
from edge.geometry.keypoint_frame import upright_matrix
from edge.image import ImageSource
from edge.keypoints import MIRROR_ORDER
from edge.networks.visibility_model import SIDE, VisibilityModel
from edge.video.luma import view_frame

Visible = NDArray[np.float32]  # (K,), probabilities


class Visibility:
    """Tells which keypoints of faces are seen; the network is opened once, here.

    One object may be used from several threads at once. Pickled for another process it takes its
    settings along, and opens the network there again.

    Attributes:
        path: the file of the network.
    """

    def __init__(self, *, threads: int = 1) -> None:
        """Open the visibility network.

        Args:
            threads: threads that one network run may use.

        Raises:
            ModelError: the network is missing or damaged.
        """
        self._threads = threads
        self._model = VisibilityModel(threads=threads)
        self.path = self._model.path

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle stores: the settings."""
        return _reopen, (self._threads,)

    def __call__(self, image: ImageSource, faces: Sequence[Face]) -> list[Visible | None]:
        """Tell which keypoints are seen.

        Args:
            image: as `edge.FaceKeypoints` takes it.
            faces: found in it.

        Returns:
            For each face float32 `(K,)`, the probability that each keypoint is seen, in the order
            of `edge.KEYPOINT_NAMES`; 0 where it is outside the image. None where the keypoints of
            a face coincide.

        Raises:
            ImageError, SourceError: as `edge.FaceKeypoints`.
        """
        return self.measure(grey_of(view_frame(image)), faces)

    def measure(self, grey: AnyImage, faces: Sequence[Face]) -> list[Visible | None]:
        """As a call, of a grey image as `edge.analysis.eyes.measure_eyes` takes it."""
        matrices = [upright_matrix(np.asarray(f.keypoints, np.float64), SIDE) for f in faces]
        crops = []
        for matrix in matrices:
            if matrix is not None:
                crops.append(cut(grey, matrix, SIDE))
        visible = iter(self._predict(np.stack(crops)) if crops else ())
        height, width = grey.shape[:2]
        return [
            None if matrix is None else _inside(next(visible), face, width, height)
            for face, matrix in zip(faces, matrices, strict=True)
        ]

    def _predict(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The mean of what is said of crops `(N, S, S)` and of their mirror images, `(N, K)`."""
        both = np.concatenate([crops, crops[:, :, ::-1]])
        plain, mirrored = np.split(self._model(both), 2)
        return np.asarray((plain + mirrored[:, list(MIRROR_ORDER)]) / 2, np.float32)


def _reopen(threads: int) -> Visibility:
    return Visibility(threads=threads)


def _inside(visible: Visible, face: Face, width: int, height: int) -> Visible:
    """The probabilities, 0 where a keypoint is on no pixel of the image."""
    x, y = face.keypoints.T
    is_inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
    return np.where(is_inside, visible, np.float32(0))
