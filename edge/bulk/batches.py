"""Photos in batches: the faces of several share runs of the keypoint network.

That takes two thirds of the network's time. A face's row does not depend on the others of its run,
and hence not on how photos are divided into batches and partitions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.analysis.assessment import Assessor
from edge.bulk.rows import Rows
from edge.crop import Levels
from edge.errors import ImageError
from edge.facekeypoints import FaceKeypoints
from edge.formats.focal import Focal, read_focal
from edge.image import Grey, ImageSource
from edge.networks.detections import Detections

_MAX_PHOTOS = 16
_MAX_PIXELS = 25_000_000  # of all photos of a batch, which are kept until it is run
_NO_MEMORY = "too large for the memory of this computer"


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A photo whose keypoints are to be predicted."""

    grey: Grey | Levels
    detections: Detections
    focal: Focal | None


def process_photos(
    detect: FaceKeypoints,
    rows: Rows,
    photos: Iterable[tuple[str, ImageSource]],
    assess: Assessor | None = None,
) -> None:
    """Find the faces of photos, encoded or decoded, and add their rows in order.

    Args:
        detect: the open models.
        rows: receives one row per face, or one of a photo without a face or that failed.
        photos: name of each, and the photo; a str is the reason why it cannot be read.
        assess: assesses the faces, if `rows` has columns for that.
    """
    batch: list[tuple[str, _Decoded | str]] = []
    pixels = 0
    for name, photo in photos:
        decoded = photo if isinstance(photo, str) else _decode(detect, photo, assess is not None)
        batch.append((name, decoded))
        pixels += 0 if isinstance(decoded, str) else decoded.grey.size
        if len(batch) == _MAX_PHOTOS or pixels >= _MAX_PIXELS:
            _add(detect, rows, batch, assess)
            batch, pixels = [], 0
    _add(detect, rows, batch, assess)


def _decode(detect: FaceKeypoints, photo: ImageSource, with_focal: bool) -> _Decoded | str:
    try:
        grey = detect.load(photo)
        focal = read_focal(photo) if with_focal else None
        return _Decoded(grey, detect.detect_faces(grey), focal)
    except ImageError as error:
        return str(error)
    except MemoryError:
        return _NO_MEMORY


def _add(
    detect: FaceKeypoints,
    rows: Rows,
    batch: list[tuple[str, _Decoded | str]],
    assess: Assessor | None,
) -> None:
    """Predict the keypoints of a batch, and add its rows."""
    decoded = [photo for _, photo in batch if isinstance(photo, _Decoded)]
    greys, detections = [p.grey for p in decoded], [p.detections for p in decoded]
    try:
        faces = iter(detect.predict_faces(greys, detections))
    except MemoryError:
        if len(batch) > 1:
            for part in batch:
                _add(detect, rows, [part], assess)
            return
        batch, faces = [(batch[0][0], _NO_MEMORY)], iter(())
    for name, photo in batch:
        if isinstance(photo, str):
            rows.add_failed(name, photo)
        else:
            found = next(faces)
            assessments = assess(photo.grey, found, focal=photo.focal) if assess else ()
            rows.add(name, found, assessments)
