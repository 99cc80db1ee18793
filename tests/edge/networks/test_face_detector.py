import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper

from edge.errors import ModelError
from edge.facekeypoints import FaceKeypoints
from edge.fusion import fused_box, fused_score
from edge.geometry.face_frame import box_of_keypoints
from edge.networks.contract import COORDINATE_CONVENTION
from edge.networks.face_detector import METADATA_KEYS, FaceDetector, working_shape
from edge.networks.keypoint_model import EMBEDDED

BOX, SCORE = [40.0, 20.0, 33.0, 44.0], 0.91


def write_detector(path, box=BOX, scores="scores", roll=None, score=SCORE, **changes):
    """A detector that gives one box wherever it looks, and its roll unless that is None."""
    values = {
        "boxes": helper.make_tensor("b", TensorProto.FLOAT, [1, 4], box),
        scores: helper.make_tensor("s", TensorProto.FLOAT, [1], [score]),
    }
    if roll is not None:
        values["roll"] = helper.make_tensor("r", TensorProto.FLOAT, [1], [roll])
    nodes = [helper.make_node("Constant", [], [name], value=v) for name, v in values.items()]
    graph = helper.make_graph(
        nodes, "detector",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, None, None, 1])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(value.dims))
         for name, value in values.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    metadata = dict.fromkeys(METADATA_KEYS, "x")
    metadata["coordinate_convention"] = COORDINATE_CONVENTION
    onnx.helper.set_model_props(model, metadata | changes)
    onnx.save(model, path)
    return path


@pytest.fixture
def path(tmp_path):
    return write_detector(tmp_path / "face.onnx")


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_boxes_come_back_in_pixels_of_the_picture(factor, path):
    grey = np.zeros((240 * factor, 320 * factor), np.uint8)
    found = FaceDetector(path)(grey, 320)
    boxes, scores = found.boxes, found.scores
    x, y, width, height = (np.array(BOX) * factor).tolist()
    # A box that starts at pixel 40 starts at the edge 39.5.
    np.testing.assert_allclose(boxes, [[x + factor / 2 - 0.5, y + factor / 2 - 0.5, width, height]])
    assert scores.tolist() == pytest.approx([SCORE])


def test_a_roll_comes_back_and_a_file_without_any_still_opens(path, tmp_path):
    grey = np.zeros((240, 320), np.uint8)
    assert FaceDetector(path)(grey).rolls is None
    rolled = FaceDetector(write_detector(tmp_path / "rolled.onnx", roll=-170.0))
    assert rolled(grey).rolls.tolist() == [-170.0]


@pytest.mark.parametrize(
    ("roll", "metadata", "expected"),
    [(None, {}, True), (3.0, {}, False), (3.0, {"max_roll_deg": "55"}, True),
     (3.0, {"max_roll_deg": "180"}, False)],
)  # fmt: skip
def test_a_file_that_finds_faces_up_to_a_roll_needs_rotated_images(
    roll, metadata, expected, tmp_path
):
    path = write_detector(tmp_path / "face.onnx", roll=roll, **metadata)
    assert FaceDetector(path).needs_rotation is expected


@pytest.mark.parametrize("text", ["much", "-1", "181", "[55]"])
def test_a_largest_roll_that_is_no_angle_is_an_error(text, tmp_path):
    path = write_detector(tmp_path / "face.onnx", roll=3.0, max_roll_deg=text)
    with pytest.raises(ModelError, match=r"max_roll_deg: expected degrees from 0 to 180, found"):
        FaceDetector(path)


@pytest.mark.parametrize("roll", [0.0, 90.0, 180.0, -120.0])
def test_the_first_crop_of_a_face_that_is_rotated_is_upright(roll, sample, tmp_path):
    """The network finds the sample's face at any roll, of which the detector tells."""
    from edge.crop import cut
    from edge.geometry.affine import rotation_deg, transform
    from edge.geometry.face_frame import fit_mean_face
    from edge.geometry.similarity import similarity
    from edge.image import load_image, to_grey

    grey = to_grey(load_image(sample))
    height, width = grey.shape
    middle = ((width - 1) / 2, (height - 1) / 2)
    # `cut` takes squares; the sample's face lies near the middle of this one.
    side = min(height, width)
    matrix = similarity(1.0, roll, middle, ((side - 1) / 2, (side - 1) / 2))
    (upright,) = FaceKeypoints(detector="face")(grey)
    box = box_of_keypoints(transform(matrix, upright.keypoints))
    path = write_detector(tmp_path / "face.onnx", box.tolist(), roll=roll)
    (face,) = FaceKeypoints(detector=path, detect_size=side)(cut(grey, matrix, side))
    apart = np.linalg.norm(face.keypoints - transform(matrix, upright.keypoints), axis=1)
    assert apart.mean() < 0.05 * box[2]
    turned = rotation_deg(fit_mean_face(face.keypoints)) - roll
    assert abs((turned + 180) % 360 - 180) < 10


def test_a_small_picture_is_enlarged_twice_at_most(path):
    boxes = FaceDetector(path)(np.zeros((60, 80), np.uint8), 640).boxes
    np.testing.assert_allclose(boxes[0, 2:], np.array(BOX[2:]) / 2)


def test_a_picture_without_a_sure_face_is_searched_for_large_ones_at_half_the_size(tmp_path):
    grey = np.zeros((320, 320), np.uint8)
    width, height = 60.0, 80.0
    for score, factors in ((0.91, [1]), (0.6, [1, 2])):
        path = write_detector(tmp_path / "a.onnx", [5, 5, width, height], score=score)
        sides = FaceDetector(path)(grey, 320).boxes[:, 2:]
        np.testing.assert_allclose(sides, [[width * f, height * f] for f in factors])
    path = write_detector(tmp_path / "b.onnx", [5, 5, width * 0.9, height * 0.9], score=0.6)
    assert len(FaceDetector(path)(grey, 320).boxes) == 1  # twice as large is still too small


def test_a_picture_within_a_tenth_of_the_size_is_searched_as_it_is(path):
    for width, factor in ((352, 1.0), (288, 1.0), (353, 353 / 320)):
        boxes = FaceDetector(path)(np.zeros((10, width), np.uint8), 320).boxes
        assert boxes[0, 2] == pytest.approx(BOX[2] * factor)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (30, 30)])
def test_odd_pictures_are_searched(shape, path):
    found = FaceDetector(path)(np.zeros(shape, np.uint8))
    boxes, scores = found.boxes, found.scores
    assert boxes.shape == (1, 4)
    assert len(scores) == 1


def test_pictures_are_searched_at_a_few_shapes():
    shapes = {working_shape(round(320 * part), 320) for part in np.linspace(0.01, 1, 60)}
    assert shapes == {(192, 320), (224, 320), (256, 320), (288, 320), (320, 320)}
    assert working_shape(640, 480) == (640, 480)
    assert working_shape(320, 1) == (320, 192)


def test_a_faces_score_is_what_detector_and_network_agree_on(sample, tmp_path):
    # At 320 px the sample, 512 px wide, has its face where this box is.
    box = np.array([184.6, 60.3, 78.7, 106.6])
    searched = np.concatenate([(box[:2] + 0.5) * 0.625 - 0.5, box[2:] * 0.625])
    path = write_detector(tmp_path / "face.onnx", searched.tolist())
    (face,) = FaceKeypoints(precision="fp32", detector=path)(sample)
    (alone,) = FaceKeypoints(precision="fp32", detector="none").faces_at(sample, [box])
    assert face.score == pytest.approx(fused_score(SCORE, alone.score), abs=1e-4)
    joint = fused_box(box.astype(np.float32), box_of_keypoints(face.keypoints))
    np.testing.assert_allclose(face.box, joint, atol=0.01)
    np.testing.assert_allclose(face.keypoints, alone.keypoints, atol=0.01)


def test_a_file_that_is_no_detector_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no such model file"):
        FaceDetector(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="not a detector: metadata box_convention missing"):
        FaceDetector(EMBEDDED)
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(ModelError, match="cannot be opened"):
        FaceDetector(tmp_path / "junk.onnx")
    with pytest.raises(ModelError, match="not a face detector"):
        FaceDetector(write_detector(tmp_path / "other.onnx", scores="found"))
    with pytest.raises(ModelError, match="no finite numbers"):
        FaceDetector(write_detector(tmp_path / "nan.onnx", box=[np.nan] * 4))
    with pytest.raises(ModelError, match="coordinate convention"):
        FaceDetector(write_detector(tmp_path / "c.onnx", coordinate_convention="corners"))


@pytest.mark.parametrize("axis", [0, 1])
def test_small_faces_of_a_strip_are_found_once_each(axis, sample):
    from edge.image import load_image, to_grey
    from edge.resize import resize

    # Heads of the sample, 89 px wide in it, at 1/24 of the width of a strip of 10:1, its ends and
    # the borders of its tiles included; and one of half its width.
    head = to_grey(load_image(sample))[:220, 120:340]
    strip = np.full((500, 5000) if axis == 0 else (5000, 500), 120, np.uint8)

    def place(side, along, across):
        x, y = (along, across) if axis == 0 else (across, along)
        part = strip[y : y + side, x : x + side]
        part[:] = resize(head, (side, side))[: part.shape[0], : part.shape[1]]

    places = [0, 386, 770, 1158, 1900, 2300, 3000, 4948]
    for along in places:
        place(52, along, 224)
    place(round(220 * 250 / 89), 3700, 0)
    large, *small = FaceKeypoints(precision="fp32")(strip)
    assert large.box[2] == pytest.approx(250, rel=0.15)
    assert [face.box[2] for face in small] == pytest.approx([21] * len(places), rel=0.25)
    # The middle of the sample's box in its head.
    middle = (104.5, 112)[axis] * 52 / 220
    found = sorted(face.box[axis] + face.box[axis + 2] / 2 for face in small)
    assert found == pytest.approx([along + middle for along in places], abs=4)
