import numpy as np
import pytest

pytest.importorskip("keras")

from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER
from tests.made_faces import made_training_faces
from train.errors import DataError
from train.keypoints.output_heads import _initial_bias, _median_ratio, check_labels

NOSE = KEYPOINT_NAMES.index("nose_tip")


def test_the_scale_is_the_median_of_a_keypoint_and_its_mirror_image():
    ratio = np.ones((3, 15))
    ratio[:, 0], ratio[:, MIRROR_ORDER[0]] = [1, 2, 3], [5, 6, 7]
    ratio[:, NOSE] = np.nan
    scale = _median_ratio(ratio)
    assert scale[0] == scale[MIRROR_ORDER[0]] == 4
    assert scale[NOSE] == 1  # without labels


def test_the_softplus_of_the_initial_bias_is_the_median_error():
    errors = np.full((3, 15), 2.0)
    errors[:, 1], errors[:, NOSE] = [1, 3, 8], np.nan
    radius = np.log1p(np.exp(_initial_bias(errors)))
    assert radius[1] == pytest.approx(3)
    assert radius[0] == pytest.approx(2)
    assert radius[NOSE] == pytest.approx(2)  # the median of all keypoints


def test_a_keypoint_without_labels_in_either_set_is_an_error():
    faces, unlabelled = made_training_faces(4), made_training_faces(4)
    unlabelled.keypoints[:, NOSE] = np.nan
    check_labels(faces, faces)
    for sets in ((faces, unlabelled), (unlabelled, faces)):
        with pytest.raises(DataError, match="keypoint nose_tip has no label"):
            check_labels(*sets)
    with pytest.raises(DataError, match="2 for validation; at least 3 each"):
        check_labels(faces, faces.take(np.arange(2)))
