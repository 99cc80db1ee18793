import numpy as np
import pytest

pytest.importorskip("keras")

from keras import ops

from tests.made_photos import boxed
from train.detector.canvas import CANVAS
from train.detector.losses import DetectionLoss, decode, intersection_over_union
from train.detector.photos import NO_BOXES
from train.detector.targets import FACE, cell_centres, make_targets


def test_iou_and_centre_distance_of_known_boxes():
    boxes = np.array([[[5, 5, 10, 10], [5, 5, 10, 10], [5, 5, 2, 2]]], np.float32)
    others = np.array([[[5, 5, 10, 10], [10, 5, 10, 10], [8, 9, 2, 2]]], np.float32)
    iou, distance = (ops.convert_to_numpy(x) for x in intersection_over_union(boxes, others))
    np.testing.assert_allclose(iou, [[1, 1 / 3, 0]], rtol=1e-6)
    # Enclosing boxes: 15×10 with centres 5 apart; 5×6 with centres (3, 4) apart.
    np.testing.assert_allclose(distance, [[0, 25 / 325, 25 / 61]], rtol=1e-6)


def test_a_box_is_decoded_from_offsets_and_logarithms_in_strides():
    outputs = np.array([[[0, 0.5, -1, np.log(2), 0], [0, 0, 0, 99, -99]]], np.float32)
    centres = np.array([[3.5, 3.5], [15.5, 7.5]], np.float32)
    strides = np.array([[8], [16]], np.float32)
    boxes = ops.convert_to_numpy(decode(outputs, centres, strides))
    np.testing.assert_allclose(boxes[0, 0], [7.5, -4.5, 16, 8], rtol=1e-6)
    np.testing.assert_allclose(boxes[0, 1], [15.5, 7.5, 16 * np.exp(4), 0], rtol=1e-6, atol=1e-6)


def test_a_background_cell_of_score_one_half_has_the_varifocal_loss():
    targets = make_targets(NO_BOXES, NO_BOXES, 32)[None]
    outputs = np.zeros((1, 21, 5), np.float32)
    expected = 21 * 0.75 * 0.5**2 * np.log(2)  # 21 cells, no face: divided by 1
    assert float(DetectionLoss(32)(targets, outputs)) == pytest.approx(expected, rel=1e-5)


def test_correct_predictions_have_a_low_loss_and_wrong_ones_a_high_loss():
    target = make_targets(boxed((100, 100, 20, 24), (20, 30, 150, 200)), NO_BOXES, CANVAS)[None]
    centres, strides = cell_centres(CANVAS, CANVAS)
    right = np.zeros((1, len(centres), 5), np.float32)
    right[..., 0] = np.where(target[..., 0] == FACE, 9, -9)
    right[..., 1:3] = (target[..., 1:3] - centres) / strides[:, None]
    right[..., 3:] = np.log(np.maximum(target[..., 3:], 1) / strides[:, None])
    face = target[..., 0] == FACE
    decoded = ops.convert_to_numpy(decode(right, centres, strides[:, None]))
    np.testing.assert_allclose(decoded[face], target[..., 1:][face], rtol=1e-4)
    loss = DetectionLoss(CANVAS)
    assert float(loss(target, right)) < 0.01
    shifted = right.copy()
    shifted[..., 1] += 1
    missed = right.copy()
    missed[..., 0] = -9
    false_positives = right.copy()
    false_positives[..., 0] = 9
    assert all(float(loss(target, wrong)) > 0.5 for wrong in (shifted, missed, false_positives))
