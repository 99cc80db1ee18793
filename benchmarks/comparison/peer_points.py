"""All points that a peer predicts on photos, in the peer's own scheme, and its 15 keypoints.

Legend: P points of a scheme.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison.environments import METHODS, Environment, Method, find_environment
from benchmarks.comparison.worker import SCHEME_68, SCHEME_MESH, Scheme
from benchmarks.comparison.worker_process import Worker
from edge.image import Rgb

_BATCH = 100  # images of one request
_THREADS = 1


@dataclass(frozen=True, slots=True)
class Peer:
    """A method that predicts more points than the 15 keypoints.

    Attributes:
        name: of its method in `METHODS`.
        scheme: for each of the 15 keypoints, the indices of the points that are averaged.
        has_points68: whether its points are the 68 of 300-W.
    """

    name: str
    scheme: Scheme
    has_points68: bool

    @property
    def method(self) -> Method:
        """How it is run: with all of its points as the answer."""
        method = next(method for method in METHODS if method.name == self.name)
        return replace(method, options={**method.options, "all_points": True})


PEERS = (
    Peer("MediaPipe Face Mesh, refined", SCHEME_MESH, has_points68=False),
    Peer("dlib, 68 points", SCHEME_68, has_points68=True),
)


def predict_points(
    peer: Peer, home: Path, images: Sequence[Rgb]
) -> list[list[NDArray[np.float64]]] | str:
    """Run a peer on images, in its own process.

    Args:
        peer: one of `PEERS`.
        home: folder of the peers' environments.
        images: uint8 `(H, W, 3)` RGB each.

    Returns:
        For each image its faces, `(P, 2)` px each; or the reason why the peer cannot be run.

    Raises:
        OSError: the process ended while it was working.
    """
    environment = find_environment(peer.method.peer, home)
    if environment.failure:
        return environment.failure
    return _ask(peer.method, environment, images)


def _ask(
    method: Method, environment: Environment, images: Sequence[Rgb]
) -> list[list[NDArray[np.float64]]]:
    faces = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Worker(method, environment, _THREADS, None) as worker,
    ):
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            names = [f"arr_{i}" for i in range(len(batch))]  # as savez calls them
            path = Path(folder) / f"{start}.npz"
            np.savez(path, *batch)
            faces += worker.ask("predict", images=str(path), names=names)["faces"]
            path.unlink()
    return [[np.array(face, np.float64) for face in image_faces] for image_faces in faces]
