import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2")

from edge.geometry.box_conventions import from_wider_face
from edge.geometry.face_frame import MEAN_FACE, box_of_keypoints
from edge.keypoints import KEYPOINT_NAMES
from tests.made_faces import made_training_faces
from tests.made_photos import boxed, bright_photo
from train.detector.boxes import from_hand_drawn
from train.detector.photo_file import load_photos_with_boxes, save_photos
from train.detector.photos import from_faces, read_photos
from train.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Two photos: one with hand boxes, one with the keypoints of one face."""
    hand = {
        "image": "a.png",
        "faces": [{"box": [10, 10, 20, 20]}, {"box": [60, 60, 10, 10]}],
        "yunet": [[11, 9, 20, 24, 0.9], [100, 10, 20, 20, 0.95], [30, 80, 9, 9, 0.4]],
    }
    points = dict(zip(KEYPOINT_NAMES, (MEAN_FACE / 2 + 10).tolist(), strict=True))
    one = {"image": "b.png", "keypoints": points,
           "yunet": [[100, 80, 12, 15, 0.8], [5, 80, 9, 12, 0.4]]}  # fmt: skip
    for row in (hand, one):
        Image.new("L", (160, 120), 90).save(tmp_path / row["image"])
    (tmp_path / "annotations.jsonl").write_text("\n".join(map(json.dumps, (hand, one))))
    return tmp_path


def test_boxes_are_converted_to_one_convention_and_weak_detections_ignored(folder):
    (hand, one), skipped = read_photos(folder, "set")
    assert skipped == []
    both = (from_hand_drawn(boxed((10, 10, 20, 20))) + from_wider_face(boxed((11, 9, 20, 24)))) / 2
    np.testing.assert_allclose(hand.boxes, [both[0], from_hand_drawn(boxed((60, 60, 10, 10)))[0]])
    ignored = [(100, 10, 20, 20), (30, 80, 9, 9)]
    np.testing.assert_allclose(hand.ignored, from_wider_face(np.array(ignored, np.float32)))
    np.testing.assert_allclose(one.boxes[0], box_of_keypoints(MEAN_FACE / 2 + 10))
    np.testing.assert_allclose(one.boxes[1:], from_wider_face(boxed((100, 80, 12, 15))))
    np.testing.assert_allclose(one.ignored, from_wider_face(boxed((5, 80, 9, 12))))


def test_a_missing_photo_is_skipped_and_a_malformed_line_is_an_error(folder):
    (folder / "a.png").unlink()
    photos, skipped = read_photos(folder, "set")
    assert (len(photos), len(skipped)) == (1, 1)
    (folder / "annotations.jsonl").write_text('{"image": "a.png"}')
    with pytest.raises(DataError, match="line 1"):
        read_photos(folder, "set")


def test_a_saved_file_of_photos_is_read_back_unchanged(folder, tmp_path):
    photos, _ = read_photos(folder, "set")
    photos.append(bright_photo())
    save_photos(photos, tmp_path / "photos.npz")
    back = load_photos_with_boxes(tmp_path / "photos.npz")
    for saved, loaded in zip(photos, back, strict=True):
        assert saved.source == loaded.source
        for name in ("pixels", "boxes", "ignored"):
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
            "boxes", "boxes_counts", "pixels", "shapes", "sources", "unsure", "unsure_counts"
        ]  # fmt: skip


def test_kaggles_images_have_the_box_of_their_keypoints_and_unlabelled_ones_are_left_out():
    faces = made_training_faces(3)
    faces.keypoints[1] = np.nan
    photos = from_faces(faces, "kaggle")
    assert [photo.source for photo in photos] == ["kaggle"] * 2
    np.testing.assert_array_equal(photos[1].pixels, faces.images[2])
    np.testing.assert_array_equal(photos[1].boxes, [box_of_keypoints(faces.keypoints[2])])
