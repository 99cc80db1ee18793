import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("keras")
pytest.importorskip("cv2")

from edge.geometry.box_conventions import from_wider_face, rescale_boxes
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import MEAN_FACE, box_of_keypoints
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES
from train.detector.boxes import from_hand, move_boxes
from train.detector.mosaic import CANVAS, Canvas, Stock, _lay, make_canvas
from train.detector.photos import Photo, load_photos_with_boxes, read_photos, save_photos
from train.detector.targets import FACE, NOTHING, STRIDES, UNASKED, cell_centres, make_targets
from train.errors import DataError

NONE = np.empty((0, 4), np.float32)


def boxed(*boxes):
    return np.array(boxes, np.float32).reshape(-1, 4)


def bright_photo(name="photos", box=(40, 30, 24, 32), size=(120, 160)):
    """A dark photo with one bright face."""
    pixels = np.full(size, 30, np.uint8)
    x, y, width, height = box
    pixels[y : y + height, x : x + width] = 220
    return Photo(pixels, boxed(box), NONE, name)


def test_the_box_of_the_mean_face_reaches_from_forehead_to_chin():
    x, y, width, height = box_of_keypoints(MEAN_FACE)
    assert (width, height) == pytest.approx((0.84 * 96, 1.06 * 96), rel=0.01)
    assert (x + (width - 1) / 2, y + (height - 1) / 2) == pytest.approx(
        (47.5, 47.5 + 0.06 * 96), abs=0.3
    )
    assert box_of_keypoints(np.full((15, 2), np.nan)) is None


def test_boxes_move_as_pixels_do_and_change_sides_on_a_quarter_turn():
    box = boxed((10, 20, 8, 12))
    moved = move_boxes(box, similarity(2.0, 0.0, (-0.5, -0.5), (-0.5, -0.5)))
    np.testing.assert_allclose(moved, [[20, 40, 16, 24]])
    turned = move_boxes(box, similarity(1.0, 90.0, (0.0, 0.0), (100.0, 0.0)))
    np.testing.assert_allclose(turned[0, 2:], [12, 8], atol=1e-4)
    assert move_boxes(NONE, similarity(1.0, 0.0, (0.0, 0.0), (0.0, 0.0))).shape == (0, 4)


def test_intersection_over_union():
    found = intersection_over_union(boxed((0, 0, 10, 10)), boxed((0, 0, 10, 10), (5, 0, 10, 10)))
    np.testing.assert_allclose(found, [[1.0, 1 / 3]])


def at_stride(targets, stride):
    _, strides = cell_centres(CANVAS, CANVAS)
    return targets[strides == stride]


def test_only_cells_near_its_centre_answer_for_a_face_at_the_stride_of_its_size():
    centres, strides = cell_centres(CANVAS, CANVAS)
    targets = make_targets(boxed((100, 100, 20, 24)), NONE, CANVAS)
    face = targets[:, 0] == FACE
    assert set(strides[face]) == {8}
    assert 1 <= face.sum() <= 4
    assert (np.abs(centres[face] - [109.5, 111.5]) <= 8).all()
    np.testing.assert_allclose(targets[face][:, 1:], [[109.5, 111.5, 20, 24]] * face.sum())
    assert (targets[~face][:, 0] == NOTHING).mean() > 0.98


def test_a_face_between_two_strides_is_answered_for_by_both():
    targets = make_targets(boxed((100, 100, 36, 40)), NONE, CANVAS)
    assert [bool((at_stride(targets, s)[:, 0] == FACE).any()) for s in STRIDES] == [
        True, True, False
    ]  # fmt: skip


def test_where_nobody_knows_no_cell_is_asked_but_a_face_there_is():
    targets = make_targets(boxed((150, 150, 20, 24)), boxed((100, 100, 100, 100)), CANVAS)
    centres, _ = cell_centres(CANVAS, CANVAS)
    inside = ((centres > 100) & (centres < 200)).all(axis=1)
    assert set(targets[inside][:, 0]) == {FACE, UNASKED}
    assert (targets[~inside][:, 0] == NOTHING).all()


def test_right_answers_cost_little_and_wrong_ones_much():
    from keras import ops

    from train.detector.losses import DetectionLoss, decode

    target = make_targets(boxed((100, 100, 20, 24), (20, 30, 150, 200)), NONE, CANVAS)[None]
    centres, strides = cell_centres(CANVAS, CANVAS)
    right = np.zeros((1, len(centres), 5), np.float32)
    right[..., 0] = np.where(target[..., 0] == FACE, 9, -9)
    right[..., 1:3] = (target[..., 1:3] - centres) / strides[:, None]
    right[..., 3:] = np.log(np.maximum(target[..., 3:], 1) / strides[:, None])
    face = target[..., 0] == FACE
    found = ops.convert_to_numpy(decode(right, centres, strides[:, None]))
    np.testing.assert_allclose(found[face], target[..., 1:][face], rtol=1e-4)
    loss = DetectionLoss(CANVAS)
    assert float(loss(target, right)) < 0.01
    shifted = right.copy()
    shifted[..., 1] += 1
    missed = right.copy()
    missed[..., 0] = -9
    alarms = right.copy()
    alarms[..., 0] = 9
    assert all(float(loss(target, wrong)) > 0.5 for wrong in (shifted, missed, alarms))


def test_a_photo_is_laid_where_its_boxes_say():
    photo = bright_photo()
    canvas = Canvas(np.zeros((CANVAS, CANVAS), np.uint8), NONE, NONE)
    laid = _lay(canvas, photo, similarity(0.5, 0.0, (52.0, 46.0), (200.0, 100.0)))
    (x, y, width, height) = laid.boxes[0]
    assert (width, height) == pytest.approx((12, 16))
    inside = laid.pixels[round(y) + 1 : round(y + height) - 1, round(x) + 1 : round(x + width) - 1]
    assert inside.min() > 200
    assert laid.pixels[: round(y) - 2].max() < 60


def test_what_a_photo_hides_is_dropped_or_no_longer_sure():
    photo = bright_photo(size=(100, 100))
    under = Canvas(np.zeros((CANVAS, CANVAS), np.uint8), boxed((110, 110, 20, 20)), NONE)
    same = similarity(1.0, 0.0, (0.0, 0.0), (100.0, 100.0))
    assert len(_lay(under, photo, same).boxes) == 1  # its own alone
    aside = similarity(1.0, 0.0, (0.0, 0.0), (120.0, 100.0))
    half = _lay(under, photo, aside)
    assert len(half.boxes) == 1
    np.testing.assert_allclose(half.unsure, [[110, 110, 20, 20]])


def stock(photos):
    return Stock(photos, np.linspace(1 / len(photos), 1, len(photos)), photos[:1],
                 [np.full((100, 140), 90, np.uint8)])  # fmt: skip


def test_a_canvas_can_be_made_again():
    some = stock([bright_photo(), bright_photo(box=(5, 5, 60, 80))])
    for seed in range(30):
        first, second = (make_canvas(some, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(first.pixels, second.pixels)
        np.testing.assert_array_equal(first.boxes, second.boxes)
        assert first.pixels.shape == (CANVAS, CANVAS)
        assert first.pixels.dtype == np.uint8
        sizes = np.sqrt(first.boxes[:, 2] * first.boxes[:, 3])
        assert ((sizes >= 8) & (sizes < 300)).all()


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


def test_boxes_are_brought_to_one_convention_and_unsure_ones_are_kept_apart(folder):
    (hand, one), left_out = read_photos(folder, "set")
    assert left_out == []
    both = (from_hand(boxed((10, 10, 20, 20))) + from_wider_face(boxed((11, 9, 20, 24)))) / 2
    np.testing.assert_allclose(hand.boxes, [both[0], from_hand(boxed((60, 60, 10, 10)))[0]])
    unsure = [(100, 10, 20, 20), (30, 80, 9, 9)]
    np.testing.assert_allclose(hand.unsure, from_wider_face(np.array(unsure, np.float32)))
    np.testing.assert_allclose(one.boxes[0], box_of_keypoints(MEAN_FACE / 2 + 10))
    np.testing.assert_allclose(one.boxes[1:], from_wider_face(boxed((100, 80, 12, 15))))
    np.testing.assert_allclose(one.unsure, from_wider_face(boxed((5, 80, 9, 12))))


def test_a_hands_and_a_detectors_box_of_one_face_come_to_the_same():
    hand = boxed((100, 100, 50, 60))
    detector = rescale_boxes(hand, width=0.957, height=1.11, down=-0.125)
    np.testing.assert_allclose(from_hand(hand), from_wider_face(detector), atol=0.5)


def test_a_photo_that_is_missing_loses_nothing_else_and_a_broken_line_is_named(folder):
    (folder / "a.png").unlink()
    photos, left_out = read_photos(folder, "set")
    assert (len(photos), len(left_out)) == (1, 1)
    (folder / "annotations.jsonl").write_text('{"image": "a.png"}')
    with pytest.raises(DataError, match="line 1"):
        read_photos(folder, "set")


def test_photos_come_back_from_their_file(folder, tmp_path):
    photos, _ = read_photos(folder, "set")
    photos.append(bright_photo())
    save_photos(photos, tmp_path / "photos.npz")
    back = load_photos_with_boxes(tmp_path / "photos.npz")
    for one, other in zip(photos, back, strict=True):
        assert one.source == other.source
        for name in ("pixels", "boxes", "unsure"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    (tmp_path / "junk.npz").write_bytes(b"junk")
    with pytest.raises(DataError, match=r"train\.prepare --recipe face"):
        load_photos_with_boxes(tmp_path / "junk.npz")


def test_a_run_goes_from_photos_to_a_file_that_edge_opens(tmp_path, monkeypatch, capsys):
    import export.detector_graph
    import train.detector.training
    from edge.networks.face_detector import FaceDetector
    from export.run import main as export_main
    from train import recipes as recipe
    from train.run import main

    tiny = replace(recipe.FACE_RECIPES["face"], steps_per_epoch=1, batch_size=2, epochs=1)
    monkeypatch.setitem(recipe.FACE_RECIPES, "face", tiny)
    monkeypatch.setattr(train.detector.training, "_CANVASES", 2)
    monkeypatch.setattr(export.detector_graph, "MIN_SCORE", 0.0)  # it has learnt nothing
    photos = [bright_photo("lfpw") for _ in range(24)]
    save_photos(photos, tmp_path / "photos.npz")
    arguments = ["--recipe", "face", "--data", str(tmp_path / "photos.npz"), "-o"]
    assert main([*arguments, str(tmp_path / "run")]) == 0
    assert "validation loss" in capsys.readouterr().out
    assert main([*arguments, str(tmp_path / "run"), "--resume"]) == 0
    assert export_main([str(tmp_path / "run"), "-o", str(tmp_path / "models")]) == 0
    found = FaceDetector(tmp_path / "models" / "face.onnx")(photos[0].pixels)
    boxes, scores = found.boxes, found.scores
    assert boxes.shape == (len(scores), 4)
    assert FaceDetector(tmp_path / "models" / "face.onnx").metadata["sha256_keras"]


def test_a_run_begins_with_the_weights_of_another(tmp_path, monkeypatch):
    import keras

    import train.detector.training
    from train import recipes as recipe
    from train.run import main

    tiny = replace(recipe.FACE_RECIPES["face"], steps_per_epoch=1, batch_size=2, epochs=1)
    tiny = replace(tiny, learning_rate=0.0)
    monkeypatch.setitem(recipe.FACE_RECIPES, "face", tiny)
    monkeypatch.setattr(train.detector.training, "_CANVASES", 2)
    save_photos([bright_photo("lfpw") for _ in range(24)], tmp_path / "photos.npz")
    arguments = ["--recipe", "face", "--data", str(tmp_path / "photos.npz"), "-o"]
    assert main([*arguments, str(tmp_path / "first"), "--seed", "1"]) == 0
    assert main([*arguments, str(tmp_path / "then"), "--from", str(tmp_path / "first")]) == 0
    first, then = (
        keras.saving.load_model(tmp_path / run / "model.keras").trainable_weights
        for run in ("first", "then")
    )
    for one, other in zip(first, then, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    record = json.loads((tmp_path / "then" / "run.json").read_text())
    assert len(record["data_sha256"]["start_from"]) == 64


def test_a_run_without_the_recipes_photos_is_one_line(tmp_path, capsys):
    from train.run import main

    save_photos([bright_photo("others")] * 3, tmp_path / "photos.npz")
    arguments = ["--recipe", "face", "--data", str(tmp_path / "photos.npz")]
    assert main([*arguments, "-o", str(tmp_path / "run")]) == 1
    assert "too few photos of lfpw" in capsys.readouterr().err
