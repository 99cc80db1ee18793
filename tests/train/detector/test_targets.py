import numpy as np

from tests.made_photos import boxed
from train.detector.canvas import CANVAS
from train.detector.photos import NO_BOXES
from train.detector.targets import BACKGROUND, FACE, IGNORED, STRIDES, cell_centres, make_targets


def test_cell_centres_are_at_half_a_stride_with_pixel_centres_at_integers():
    centres, strides = cell_centres(32, 64)
    assert [int((strides == s).sum()) for s in STRIDES] == [32, 8, 2]
    assert centres[0].tolist() == [3.5, 3.5]
    assert centres[1].tolist() == [11.5, 3.5]
    assert centres[-1].tolist() == [47.5, 15.5]


def at_stride(targets, stride):
    _, strides = cell_centres(CANVAS, CANVAS)
    return targets[strides == stride]


def test_a_face_is_assigned_to_cells_near_its_centre_at_the_stride_of_its_size():
    centres, strides = cell_centres(CANVAS, CANVAS)
    targets = make_targets(boxed((100, 100, 20, 24)), NO_BOXES, CANVAS)
    face = targets[:, 0] == FACE
    assert set(strides[face]) == {8}
    assert 1 <= face.sum() <= 4
    assert (np.abs(centres[face] - [109.5, 111.5]) <= 8).all()
    np.testing.assert_allclose(targets[face][:, 1:], [[109.5, 111.5, 20, 24]] * face.sum())
    assert (targets[~face][:, 0] == BACKGROUND).mean() > 0.98


def test_a_face_between_two_strides_is_assigned_to_both():
    targets = make_targets(boxed((100, 100, 36, 40)), NO_BOXES, CANVAS)
    assert [bool((at_stride(targets, s)[:, 0] == FACE).any()) for s in STRIDES] == [
        True, True, False
    ]  # fmt: skip


def test_cells_in_ignored_boxes_are_ignored_except_those_of_a_face():
    targets = make_targets(boxed((150, 150, 20, 24)), boxed((100, 100, 100, 100)), CANVAS)
    centres, _ = cell_centres(CANVAS, CANVAS)
    inside = ((centres > 100) & (centres < 200)).all(axis=1)
    assert set(targets[inside][:, 0]) == {FACE, IGNORED}
    assert (targets[~inside][:, 0] == BACKGROUND).all()


def test_of_overlapping_faces_the_smaller_one_has_the_cells():
    small = (100, 100, 34, 40)
    targets = make_targets(boxed(small, (98, 98, 38, 46)), NO_BOXES, CANVAS)
    centre_cell = np.abs(cell_centres(CANVAS, CANVAS)[0] - [116.5, 119.5]).sum(axis=1).argmin()
    assert targets[centre_cell].tolist() == [FACE, 116.5, 119.5, 34, 40]
