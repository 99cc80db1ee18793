import json

import numpy as np
import pytest

from edge.evaluation.annotation_offsets import add_offsets
from edge.keypoints import KEYPOINT_NAMES
from tests.made_faces import MEAN_FACE
from train.data.annotation_schemes import blend, from_68, move_scheme, read_convention
from train.errors import DataError

LEFT, RIGHT = (KEYPOINT_NAMES.index(f"{s}_eye_outer_corner") for s in ("left", "right"))


def test_the_68_points_give_the_15():
    points = np.arange(68, dtype=np.float32)[None, :, None].repeat(2, axis=2)
    found = dict(zip(KEYPOINT_NAMES, from_68(points)[0, :, 0], strict=True))
    assert found["left_eye_center"] == 44.5  # the subject's left eye: points 42 to 47
    assert found["right_eye_center"] == 38.5
    assert (found["nose_tip"], found["mouth_left_corner"], found["mouth_right_corner"]) == (
        30, 54, 48
    )  # fmt: skip
    assert found["left_eyebrow_outer_end"] == 26


def test_offsets_are_read_in_the_order_of_the_keypoint_names(tmp_path):
    table = {name: [i / 100, 0] for i, name in reversed(list(enumerate(KEYPOINT_NAMES)))}
    path = tmp_path / "convention.json"
    path.write_text(json.dumps({"kaggle_minus_68": table}))
    np.testing.assert_allclose(read_convention(path)[:, 0], np.arange(15) / 100)
    path.write_text(json.dumps({"kaggle_minus_68": {"nose_tip": [0, 0]}}))
    with pytest.raises(DataError, match=r"convention\.json"):
        read_convention(path)


def test_mean_offsets_between_schemes_are_subtracted(rng):
    faces = MEAN_FACE + rng.normal(0, 2, size=(30, 15, 2))
    offsets = rng.normal(0, 0.05, size=(15, 2))
    other = add_offsets(faces, offsets)
    np.testing.assert_allclose(move_scheme(other, faces), faces, atol=1e-3)


def test_labels_that_agree_are_averaged_and_others_kept(rng):
    labels = np.repeat(MEAN_FACE[None], 21, axis=0)
    others = labels + rng.normal(0, 0.3, size=labels.shape).astype(np.float32)
    others[0, 4] += 20
    others[1, 5] = np.nan
    mixed = blend(labels, others)
    np.testing.assert_allclose(mixed[0, 4], labels[0, 4])
    np.testing.assert_allclose(mixed[1, 5], labels[1, 5])
    near = np.abs(mixed[2:] - (labels[2:] + others[2:]) / 2)
    assert near.max() < 0.15  # the constant difference that is measured is not quite zero
