import io

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from PIL import Image

from edge.bulk import batches
from edge.bulk.batches import process_photos
from edge.bulk.rows import Rows
from edge.errors import ImageError
from edge.face import Face
from edge.image import load_grey
from edge.keypoints import KEYPOINT_NAMES


class FakeDetector:
    """Finds in a photo as many faces as it is px high; records the photos of each run."""

    def __init__(self, error=None, fails=lambda greys: False):
        self.runs, self._error, self._fails = [], error, fails

    def load(self, photo):
        return load_grey(photo)

    def detect_faces(self, grey):
        if self._error:
            raise self._error
        return len(grey)

    def predict_faces(self, greys, detections):
        if self._fails(greys):
            raise MemoryError
        self.runs.append(detections)
        face = Face(np.ones(4), 0.9, np.zeros((15, 2)), np.ones(15))
        return [[face] * count for count in detections]


def grey(height):
    return np.zeros((height, 1000), np.uint8)


def statuses(rows):
    return [(row["image"], row["status"], row["reason"]) for row in rows.to_table().to_pylist()]


def processed(detect, photos):
    rows = Rows(KEYPOINT_NAMES)
    process_photos(detect, rows, photos)
    return rows


def test_rows_are_in_order_and_photos_that_cannot_be_read_among_them():
    photos = [("a", grey(2)), ("b", "no such file"), ("c", grey(1)), ("d", b"no picture")]
    assert statuses(processed(FakeDetector(), photos)) == [
        ("a", "face", None), ("a", "face", None), ("b", "failed", "no such file"),
        ("c", "face", None),
        ("d", "failed", "image of 10 bytes: not an image in any known format (10 bytes)"),
    ]  # fmt: skip


def test_batches_hold_sixteen_photos_or_25_megapixels(monkeypatch):
    detect = FakeDetector()
    processed(detect, ((str(i), grey(1)) for i in range(20)))
    assert [len(run) for run in detect.runs] == [16, 4]
    monkeypatch.setattr(batches, "_MAX_PIXELS", 5000)
    detect = FakeDetector()
    processed(detect, [(str(i), grey(height)) for i, height in enumerate((3, 1, 1, 9, 1))])
    assert detect.runs == [[3, 1, 1], [9], [1]]


def test_photos_are_read_when_their_batch_is_due():
    detect, before = FakeDetector(), []

    def photos():
        for i in range(18):
            before.append(len(detect.runs))
            yield str(i), grey(1)

    processed(detect, photos())
    assert before == [0] * 16 + [1] * 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImageError("photo: is empty", "is empty"), "photo: is empty"),
        (MemoryError(), "too large for the memory of this computer"),
    ],
)
def test_a_photo_that_cannot_be_searched_fails_with_a_reason(error, reason):
    rows = processed(FakeDetector(error), [("a.jpg", grey(1))])
    assert statuses(rows) == [("a.jpg", "failed", reason)]


def test_where_memory_is_short_photos_are_run_alone_and_only_too_large_ones_fail():
    detect = FakeDetector(fails=lambda greys: sum(map(len, greys)) > 2)
    rows = processed(detect, [("a", grey(2)), ("b", grey(3)), ("c", "gone"), ("d", grey(1))])
    assert [(name, status) for name, status, _ in statuses(rows)] == [
        ("a", "face"), ("a", "face"), ("b", "failed"), ("c", "failed"), ("d", "face"),
    ]  # fmt: skip
    assert rows.failed == 2


def test_no_photos_have_no_rows():
    assert processed(FakeDetector(), []) == Rows(KEYPOINT_NAMES)


def test_a_row_does_not_depend_on_the_batch(sample, detect):
    photo = Image.open(sample)
    photos = []
    for i in range(7):
        file = io.BytesIO()
        photo.crop((130 - 9 * i, 20, 340 + 5 * i, 260)).save(file, "PNG")
        photos.append((str(i), file.getvalue()))
    alone = [row for one in photos for row in processed(detect, [one]).to_table().to_pylist()]
    assert len(alone) == 7
    assert all(row["status"] == "face" for row in alone)
    assert processed(detect, photos).to_table().to_pylist() == alone
