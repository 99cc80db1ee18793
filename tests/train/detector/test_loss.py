import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")
pytest.importorskip("keras")

from train.detector.loss import Cells, detection_loss, overlap  # noqa: E402

SIDE = 128
STRIDE_8, STRIDE_16 = 16 * 16, 8 * 8


def rows_of(*faces):
    """Face rows `(1, G, 7)`, with an unused one."""
    unused = [0.0] * 7
    return torch.tensor([[*map(list, faces), unused]])


def outputs_for(cells, targets):
    """Outputs that decode to the targets, with certain scores."""
    boxes = targets.boxes
    size = boxes[..., 2:].clamp(min=1)
    return torch.cat(
        [
            (targets.face * 40 - 20)[..., None],
            (boxes[..., :2] - cells.centres) / cells.strides,
            (size / cells.strides).log(),
            targets.roll[..., :2],
        ],
        -1,
    )


def test_a_face_is_assigned_to_the_cells_near_its_centre_at_the_stride_of_its_size():
    cells = Cells(SIDE, "cpu")
    targets = cells.assign(rows_of((43.5, 43.5, 18, 22, 0.5, 1, 1)))
    face = targets.face[0].nonzero().flatten()
    assert (face < STRIDE_8).all()
    # The cell around 43.5 and the eight around it are within 0.9 strides... only the middle one is.
    offsets = (cells.centres[face] - 43.5).abs().amax(-1)
    assert (offsets <= 0.9 * 8).all()
    assert len(face) == 1
    np.testing.assert_allclose(targets.boxes[0, face[0]], [43.5, 43.5, 18, 22])
    np.testing.assert_allclose(targets.roll[0, face[0]], [math.cos(0.5), math.sin(0.5), 1])


def test_a_face_between_two_strides_is_assigned_to_both_and_other_cells_inside_are_excluded():
    cells = Cells(SIDE, "cpu")
    targets = cells.assign(rows_of((64, 64, 36, 44, 0, 1, 1)))
    face = targets.face[0].nonzero().flatten()
    assert (face < STRIDE_8).any()
    assert ((face >= STRIDE_8) & (face < STRIDE_8 + STRIDE_16)).any()
    excluded = (targets.counted[0] == 0).nonzero().flatten()
    assert len(excluded)
    distance = (cells.centres[excluded] - 64).abs()
    assert (distance <= torch.tensor([0.3 * 36, 0.3 * 44]).clamp(min=0.9 * 32)).all()
    assert not set(face.tolist()) & set(excluded.tolist())


def test_regions_to_ignore_are_excluded_but_not_faces_in_them():
    cells = Cells(SIDE, "cpu")
    region = (32, 32, 64, 64, 0, 0, 0)
    targets = cells.assign(rows_of(region))
    inside = (cells.centres <= 64).all(-1)
    assert torch.equal(targets.counted[0] == 0, inside)
    with_face = cells.assign(rows_of(region, (27.5, 27.5, 14, 16, 0, 1, 1)))
    assert with_face.face.sum() == 1
    assert with_face.counted[0][with_face.face[0] > 0].all()


def test_of_two_faces_at_one_place_the_smaller_is_assigned():
    cells = Cells(SIDE, "cpu")
    targets = cells.assign(rows_of((43.5, 43.5, 24, 28, 0, 1, 1), (43.5, 43.5, 14, 16, 0, 1, 1)))
    assert targets.boxes[0, targets.face[0] > 0, 2].tolist() == [14]


def test_right_outputs_have_hardly_any_loss_and_wrong_ones_have():
    cells = Cells(SIDE, "cpu")
    targets = cells.assign(rows_of((40, 40, 20, 24, 2.0, 1, 1), (90, 80, 50, 60, -3.0, 1, 1)))
    outputs = outputs_for(cells, targets)
    loss, parts = detection_loss(cells, outputs, targets)
    np.testing.assert_allclose(parts, 0, atol=1e-4)
    assert float(loss) == pytest.approx(float(parts.sum()))
    for column, part in ((0, 0), (1, 1), (3, 1), (5, 2)):
        wrong = outputs.clone()
        wrong[..., column] -= 1.0 if column else 15.0
        assert detection_loss(cells, wrong, targets)[1][part] > 0.003


def test_an_opposite_roll_costs_four_times_its_weight_and_an_unknown_one_nothing():
    cells = Cells(SIDE, "cpu")
    for weight in (1.0, 0.3, 0.0):
        targets = cells.assign(rows_of((43.5, 43.5, 18, 22, 1.0, weight, 1)))
        outputs = outputs_for(cells, targets)
        outputs[..., 5:] *= -1
        assert float(detection_loss(cells, outputs, targets)[1][2]) == pytest.approx(
            0.7 * 4 * weight, rel=1e-4
        )


def test_excluded_cells_do_not_count():
    cells = Cells(SIDE, "cpu")
    targets = cells.assign(rows_of((32, 32, 64, 64, 0, 0, 0)))
    outputs = outputs_for(cells, targets)
    outputs[..., 0] = torch.where(targets.counted == 0, 20.0, -20.0)
    assert float(detection_loss(cells, outputs, targets)[0]) < 1e-3


def test_overlaps_of_known_boxes():
    boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2]])
    others = torch.tensor([[0.0, 0, 2, 2], [1, 0, 2, 2], [4, 0, 2, 2]])
    iou, distance = overlap(boxes, others)
    np.testing.assert_allclose(iou, [1, 1 / 3, 0], rtol=1e-6)
    # Squared distances 0, 1, 16 over squared diagonals 8, 13, 40.
    np.testing.assert_allclose(distance, [0, 1 / 13, 0.4], rtol=1e-6)
