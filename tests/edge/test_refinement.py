import numpy as np
import pytest

from edge.crop import cut
from edge.cropped_faces import predict_crops
from edge.facekeypoints import FaceKeypoints
from edge.fusion import fused_score
from edge.geometry.affine import crop_matrix, transform
from edge.geometry.face_frame import CROP, MEAN_FACE, roll_deg
from edge.geometry.keypoint_frame import face_square
from edge.geometry.similarity import similarity
from edge.image import load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER
from edge.networks.keypoint_model import EMBEDDED, KeypointModel, Prediction
from edge.refinement import refine

FACE = [176.0, 65.6, 96.0, 96.0]  # of the sample picture


@pytest.fixture(scope="module")
def model():
    return KeypointModel(EMBEDDED)


@pytest.fixture
def grey(sample):
    return to_grey(load_image(sample))


def turned(grey, angle):
    """The picture turned about the face, and how."""
    centre = (FACE[0] + 47.5, FACE[1] + 47.5)
    matrix = similarity(1.0, angle, centre, (256.0, 256.0))
    return cut(grey, matrix, 512), matrix


def seen(model, grey):
    return refine(model, [grey], [crop_matrix(FACE, model.size)])[0]


def test_a_face_that_lies_well_is_looked_at_once(model, grey, monkeypatch):
    square = face_square(seen(model, grey).keypoints)
    calls = []
    original = KeypointModel.__call__

    def counting(self, faces, points68):
        calls.append(len(faces))
        return original(self, faces, points68)

    monkeypatch.setattr(KeypointModel, "__call__", counting)
    refine(model, [grey], [crop_matrix(square, model.size)], fuse=False)
    assert calls == [1]
    refine(model, [grey], [crop_matrix(square, model.size)], sure_error=0.0)
    assert calls == [1, 1, 1]


class TwoPoints:
    """A network that predicts fixed keypoints: the mean face, moved in the second pass."""

    size = CROP
    keypoint_names = KEYPOINT_NAMES

    def __init__(self, first, second):
        self.answers = iter([first, second])
        self.faces = []

    def __call__(self, faces, points68):
        self.faces.append(faces)
        points, error, score = next(self.answers)
        return Prediction(points[None].astype(np.float32), np.float32(error)[None], score)


def test_the_second_pass_sees_the_mirror_image_and_the_mean_of_both_is_the_result(grey):
    error = np.full(15, 1.7)
    left_eye_moved = MEAN_FACE.copy()
    left_eye_moved[0] += (2.0, 0.0)
    # In the mirror image the left eye is where the right one was, 2 px farther left.
    mirrored = left_eye_moved[list(MIRROR_ORDER)] * (-1, 1) + (CROP - 1, 0)
    score = np.ones(1, np.float32)
    network = TwoPoints((MEAN_FACE, error, score), (mirrored, 3 * error, score))
    (face,) = refine(network, [grey[:CROP, :CROP]], [np.eye(2, 3)])
    shown, again = (faces.astype(int) for faces in network.faces)
    np.testing.assert_allclose(again[:, :, ::-1], shown, atol=1)
    expected = MEAN_FACE.copy()
    expected[0] += (1.0, 0.0)
    np.testing.assert_allclose(face.keypoints, expected, atol=1e-4)
    np.testing.assert_allclose(face.error, 3.4, atol=1e-6)
    np.testing.assert_array_equal(face.crop, again[0, :, ::-1])


def test_one_pass_is_enough_where_the_network_is_sure_and_the_crop_frames_the_face(grey):
    moved = MEAN_FACE + np.array([7.0, 0.0])  # farther off-centre than a well framed face
    for points, error, count in ((MEAN_FACE, 1.5, 1), (MEAN_FACE, 1.7, 2), (moved, 1.5, 2)):
        prediction = points, np.full(15, error), np.ones(1, np.float32)
        network = TwoPoints(prediction, prediction)
        refine(network, [grey[:CROP, :CROP]], [np.eye(2, 3)], max_passes=2)
        assert len(network.faces) == count


@pytest.mark.parametrize("angle", [-40.0, 40.0])
def test_a_turned_face_is_seen_as_if_it_were_upright(model, grey, angle):
    upright = seen(model, grey)
    picture, matrix = turned(grey, angle)
    square = crop_matrix([256 - 47.5, 256 - 47.5, 96, 96], model.size)
    once, twice = (refine(model, [picture], [square], n)[0].keypoints for n in (1, 2))
    expected = transform(matrix, upright.keypoints)
    missed = [np.linalg.norm(points - expected, axis=1).mean() for points in (once, twice)]
    assert roll_deg(twice) == pytest.approx(roll_deg(expected), abs=4)
    assert missed[1] < 3
    assert missed[1] < missed[0] + 0.5


@pytest.mark.parametrize("scale", [0.75, 1.35])
def test_a_badly_framed_face_is_framed_again(model, grey, scale):
    x, y, side, _ = FACE
    wide = side * scale
    square = [x + (side - wide) / 2 + 4, y + (side - wide) / 2, wide, wide]
    good = seen(model, grey).keypoints
    once, again = (
        refine(model, [grey], [crop_matrix(square, model.size)], n)[0].keypoints for n in (1, 4)
    )
    missed = [np.linalg.norm(points - good, axis=1).mean() for points in (once, again)]
    assert missed[1] < max(missed[0], 0.5)  # px; there the first pass is as good
    assert missed[1] < 1.5


def test_crops_are_looked_at_as_pictures_are(model, grey):
    crop = cut(grey, crop_matrix([170, 60, 110, 110], model.size), model.size)
    points, error, score = predict_crops(model, np.stack([crop, crop]))
    assert (points.shape, error.shape, score.shape) == ((2, 15, 2), (2, 15), (2,))
    whole = refine(model, [crop], [np.eye(2, 3)], sure_error=0.0)[0]
    np.testing.assert_allclose(points[1], whole.keypoints, atol=1e-3)
    assert [part.shape for part in predict_crops(model, np.empty((0, 96, 96), np.uint8))] == [
        (0, 15, 2), (0, 15), (0,)
    ]  # fmt: skip


def test_no_face_is_no_look(model):
    assert refine(model, [], []) == []


def test_faces_at_known_boxes_are_what_the_detector_would_give(sample, grey):
    detect = FaceKeypoints(precision="fp32")
    (face,) = detect(sample)
    found = detect.face_detector(grey, detect.detect_size)
    boxes, scores = found.boxes, found.scores
    (again,) = detect.faces_at(sample, boxes[:1])
    # The detector tells the roll, too, which a box does not.
    np.testing.assert_allclose(again.keypoints, face.keypoints, atol=0.7)
    assert face.score == pytest.approx(fused_score(scores[0], again.score), abs=0.05)
    # The box that a face is given holds it as well.
    (once_more,) = detect.faces_at(sample, [face.box])
    np.testing.assert_allclose(once_more.keypoints, face.keypoints, atol=1)
    assert face_square(again.keypoints)[2] == pytest.approx(96, rel=0.2)


@pytest.mark.parametrize("boxes", [[[1, 2, 0, 4]], [[1, 2, 3, np.nan]], [[1, 2, 3]]])
def test_a_box_without_area_is_refused(sample, boxes):
    with pytest.raises(ValueError, match=r"box|reshape"):
        FaceKeypoints(detector="none").faces_at(sample, boxes)


def test_no_boxes_are_no_faces(sample):
    assert FaceKeypoints(detector="none").faces_at(sample, np.empty((0, 4))) == []
