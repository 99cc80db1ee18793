import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.datasets.photos import (
    Photo,
    detect_annotated,
    predict_annotated,
    read_images,
    read_photos,
    rotate,
    shrink,
)
from edge.facekeypoints import FaceKeypoints
from edge.keypoints import KEYPOINT_NAMES


@pytest.fixture(scope="module")
def detect():
    return FaceKeypoints()


@pytest.fixture
def photo(detect, sample):
    """The sample, annotated with the network's own prediction."""
    (face,) = detect.faces_at(sample, [[176.0, 65.6, 96.0, 96.0]])
    return Photo(np.asarray(Image.open(sample).convert("L")), face.keypoints)


def test_a_missing_label_is_nan(tmp_path, photo):
    Image.fromarray(photo.grey).save(tmp_path / "a.png")
    points = dict(zip(KEYPOINT_NAMES, photo.keypoints.tolist(), strict=True))
    line = json.dumps({"image": "a.png", "keypoints": {**points, "nose_tip": None}})
    (tmp_path / "annotations.jsonl").write_text(line)
    (read,) = read_photos(tmp_path)
    missing = KEYPOINT_NAMES.index("nose_tip")
    assert np.isnan(read.keypoints[missing]).all()
    np.testing.assert_array_equal(
        np.delete(read.keypoints, missing, axis=0), np.delete(photo.keypoints, missing, axis=0)
    )
    np.testing.assert_array_equal(read.grey, photo.grey)
    (image,) = read_images(tmp_path)
    np.testing.assert_array_equal(image, np.repeat(photo.grey[..., None], 3, axis=2))


def test_keypoints_rotate_and_shrink_with_the_photo(photo, detect):
    for changed in (rotate(photo, 0), shrink(photo, 60)):
        (face,) = predict_annotated(detect, [changed])
        scale = changed.square[2] / photo.square[2]
        missed = np.linalg.norm(face.keypoints - changed.keypoints, axis=1).mean()
        assert missed < 4 * scale
    assert shrink(photo, 24).square[2] == pytest.approx(24)
    rotated = rotate(photo, 45)
    assert rotated.grey.shape[0] == rotated.grey.shape[1] == 725
    np.testing.assert_allclose(
        rotate(rotated, -45).keypoints - photo.keypoints, (1026 - 512) / 2, atol=1
    )


def test_the_detected_face_is_the_annotated_one_or_none(detect, photo):
    (face,) = detect_annotated(detect, [photo])
    assert np.linalg.norm(face.keypoints - photo.keypoints, axis=1).mean() < 4
    elsewhere = Photo(photo.grey, photo.keypoints + np.float32(150))
    assert detect_annotated(detect, [elsewhere]) == [None]
