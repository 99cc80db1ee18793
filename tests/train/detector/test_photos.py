import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2")

from edge.geometry.box_conventions import from_wider_face, rescale_boxes
from edge.geometry.face_frame import MEAN_FACE, box_of_keypoints
from edge.keypoints import KEYPOINT_NAMES
from tests.made_photos import boxed, bright_photo
from train.detector.photo_file import load_photos_with_boxes, save_photos
from train.detector.photos import from_hand_drawn, read_photos, read_without_faces
from train.errors import DataError

# The mean face rotated by a quarter of a circle against the clock, then moved and shrunk.
ROLLED = np.stack([MEAN_FACE[:, 1], -MEAN_FACE[:, 0]], axis=1) / 2 + [10, 70]


@pytest.fixture
def folder(tmp_path):
    """Two photos: one with hand boxes, one with a teacher's keypoints of one of its faces."""
    hand = {
        "image": "a.png",
        "faces": [{"box": [10, 10, 20, 20]}, {"box": [60, 60, 10, 10]}],
        "yunet": [[11, 9, 20, 24, 0.9], [100, 10, 20, 20, 0.95], [30, 80, 9, 9, 0.4]],
    }
    # Its left eye is on the right, and 4 px lower over 4 px: rolled by 45° clockwise.
    eyes = [[102, 84], [106, 88], [104, 88], [103, 90], [106, 90]]
    taught = {
        "image": "b.png",
        "faces": [{"teacher": dict(zip(KEYPOINT_NAMES, ROLLED.tolist(), strict=True))}],
        "yunet": [[100, 80, 12, 15, 0.8, eyes], [5, 80, 9, 12, 0.4, eyes]],
    }
    for row in (hand, taught):
        Image.new("L", (160, 120), 90).save(tmp_path / row["image"])
    (tmp_path / "annotations.jsonl").write_text("\n".join(map(json.dumps, (hand, taught))))
    return tmp_path


def test_boxes_are_converted_to_one_convention_and_weak_detections_ignored(folder):
    (hand, taught), skipped = read_photos(folder, "set")
    assert skipped == []
    both = (from_hand_drawn(boxed((10, 10, 20, 20))) + from_wider_face(boxed((11, 9, 20, 24)))) / 2
    np.testing.assert_allclose(hand.boxes, [both[0], from_hand_drawn(boxed((60, 60, 10, 10)))[0]])
    ignored = [(100, 10, 20, 20), (30, 80, 9, 9)]
    np.testing.assert_allclose(hand.ignored, from_wider_face(np.array(ignored, np.float32)))
    np.testing.assert_allclose(taught.boxes[0], box_of_keypoints(ROLLED), rtol=1e-6)
    np.testing.assert_allclose(taught.boxes[1:], from_wider_face(boxed((100, 80, 12, 15))))
    np.testing.assert_allclose(taught.ignored, from_wider_face(boxed((5, 80, 9, 12))))


def test_hand_drawn_and_detected_boxes_of_a_face_are_converted_to_the_same_box():
    drawn = boxed((100, 100, 50, 60))
    detected = rescale_boxes(drawn, width=0.957, height=1.11, down=-0.125)
    np.testing.assert_allclose(from_hand_drawn(drawn), from_wider_face(detected), atol=0.5)


def test_rolls_are_those_of_the_keypoints_or_of_the_eyes_and_unknown_for_hand_drawn_boxes(folder):
    (hand, taught), _ = read_photos(folder, "set")
    assert np.isnan(hand.rolls).tolist() == [True, True]
    np.testing.assert_allclose(taught.rolls, [-90, 45], atol=1e-3)


def test_a_missing_photo_is_skipped_and_a_malformed_line_is_an_error(folder):
    (folder / "a.png").unlink()
    photos, skipped = read_photos(folder, "set")
    assert (len(photos), len(skipped)) == (1, 1)
    (folder / "annotations.jsonl").write_text('{"image": "a.png"}')
    with pytest.raises(DataError, match="line 1"):
        read_photos(folder, "set")


def test_every_fifth_photo_without_a_face_is_reserved(tmp_path):
    for number in range(10):
        Image.new("L", (20, 20), number).save(tmp_path / f"{number}.png")
    photos = read_without_faces(tmp_path, "empty")
    assert [int(photo.pixels[0, 0]) for photo in photos] == [0, 1, 2, 3, 5, 6, 7, 8]
    assert {(photo.source, len(photo.boxes), len(photo.rolls)) for photo in photos} == {
        ("empty", 0, 0)
    }


def test_a_saved_file_of_photos_is_read_back_unchanged(folder, tmp_path):
    photos, _ = read_photos(folder, "set")
    photos.append(bright_photo())
    save_photos(photos, tmp_path / "photos.npz")
    back = load_photos_with_boxes(tmp_path / "photos.npz")
    for saved, loaded in zip(photos, back, strict=True):
        assert saved.source == loaded.source
        for name in ("pixels", "boxes", "ignored", "rolls"):
            np.testing.assert_array_equal(getattr(saved, name), getattr(loaded, name))
    (tmp_path / "junk.npz").write_bytes(b"junk")
    with pytest.raises(DataError, match=r"train\.prepare --recipe face"):
        load_photos_with_boxes(tmp_path / "junk.npz")


def test_compressed_photos_take_less_space_and_look_the_same(tmp_path):
    y, x = np.mgrid[:90, :120]
    smooth = (128 + 60 * np.sin(x / 15) + 60 * np.cos(y / 11)).astype(np.uint8)
    tiny = replace(bright_photo(), pixels=np.array([[7]], np.uint8))
    photos = [replace(bright_photo(), pixels=smooth), tiny]
    save_photos(photos, tmp_path / "photos.npz", quality=90)
    with np.load(tmp_path / "photos.npz") as arrays:
        assert len(arrays["pixels"]) < smooth.size / 5
    back = load_photos_with_boxes(tmp_path / "photos.npz")
    assert abs(back[0].pixels.astype(int) - smooth).mean() < 2
    np.testing.assert_array_equal(back[1].pixels, tiny.pixels)
    np.testing.assert_array_equal(back[0].boxes, photos[0].boxes)


def test_the_arrays_of_a_file_of_photos_keep_their_names(tmp_path):
    save_photos([bright_photo()], tmp_path / "photos.npz")
    with np.load(tmp_path / "photos.npz") as arrays:
        assert sorted(arrays) == [
            "boxes", "boxes_counts", "pixels", "rolls", "shapes", "sources", "unsure",
            "unsure_counts",
        ]  # fmt: skip
