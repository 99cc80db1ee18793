"""The best shot of each track of a video, and of each still image, as aligned faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.alignment import align
from edge.analysis.assessment import Assessment
from edge.face import Face
from edge.formats.image_writer import save_image
from edge.image import Rgb
from edge.run.output_paths import AlignedPaths


@dataclass(frozen=True, slots=True)
class _Shot:
    quality: float
    face: Rgb


class BestShots:
    """Keeps the best shot of each face of a source, and writes them when the source has ended."""

    def __init__(self, paths: AlignedPaths, size: int) -> None:
        """Take the paths of the shots, and the side of an aligned face, px."""
        self._paths = paths
        self._size = size
        self._shots: dict[int, _Shot] = {}

    def add(self, image: Rgb, faces: Sequence[Face], assessments: Sequence[Assessment]) -> None:
        """Keep those of these faces that are better than all before of the same track.

        The faces of a still image, which have no track, compete with each other.
        """
        for face, assessment in zip(faces, assessments, strict=True):
            number = 0 if face.track_id is None else face.track_id
            quality = assessment.quality.value if assessment.quality else 0.0
            best = self._shots.get(number)
            if quality > (best.quality if best else 0.0):
                self._shots[number] = _Shot(quality, align(image, face, self._size))

    def save(self, source: str) -> None:
        """Write what was kept of a source, and forget it.

        Raises:
            SourceError: a file cannot be written.
        """
        shots, self._shots = self._shots, {}
        for number, shot in shots.items():
            save_image(shot.face, self._paths.path(source, number))
