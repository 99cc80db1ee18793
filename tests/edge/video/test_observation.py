import numpy as np
import pytest

from edge.crop import cut_face
from edge.geometry.affine import invert, matrix_from_complex, to_complex, to_points, transform
from edge.geometry.face_frame import MEAN_FACE, box_of_keypoints, crop_of_pose, fit_mean_face
from edge.geometry.keypoint_frame import face_square, upright_matrix
from edge.image import load_image, to_grey
from edge.refinement import refine
from edge.video.luma import Luma
from edge.video.observation import observe, observe_detected
from tests.edge.video.observations import observed, placed


def test_pose_box_and_centroid_are_those_of_the_keypoints():
    points = placed(x=210.0, y=140.0, scale=1.7, angle=20.0)
    face = observed(points)
    np.testing.assert_allclose(matrix_from_complex(*face.pose), fit_mean_face(points))
    np.testing.assert_allclose(face.box, box_of_keypoints(points), rtol=1e-6)
    assert face.centroid == pytest.approx(complex(*points.mean(axis=0)))
    np.testing.assert_allclose(face.keypoints, points, rtol=1e-6)


def test_keypoints_that_coincide_have_no_pose_and_span_their_box():
    face = observed(np.full((15, 2), 1234.56))
    assert face.pose is None
    assert face.is_framed()  # no other crop is better
    assert face.box == pytest.approx((1234.56, 1234.56, 0, 0))


@pytest.mark.parametrize("is_rotated", [False, True])
def test_a_crop_of_a_pose_holds_the_face_in_its_middle(is_rotated):
    points = placed(angle=20.0)
    matrix = matrix_from_complex(*crop_of_pose(observed(points).pose, 48, is_rotated))
    if is_rotated:
        np.testing.assert_allclose(matrix, upright_matrix(points, 48), atol=1e-12)
    x, y, side, _ = face_square(points)
    corners = transform(matrix, [(x - 0.5, y - 0.5), (x + side - 0.5, y + side - 0.5)])
    if not is_rotated:
        np.testing.assert_allclose(corners, [(-0.5, -0.5), (47.5, 47.5)])
    np.testing.assert_allclose(corners.mean(axis=0), [23.5, 23.5])


def expected_crops(image, model, shift):
    """The crop of the one face of an image, moved by `shift` px of the crop."""
    (face,) = refine(model, [image], [np.array([[0.7, 0, -110], [0, 0.7, -20]])])
    factor, offset = crop_of_pose(observed(face.keypoints).pose, model.size, False)
    return [(factor, offset + shift)]


@pytest.mark.parametrize(("shift", "passes"), [(0, 1), (20 + 5j, 2)])
def test_a_face_is_run_once_where_its_crop_fits_and_as_refinement_runs_it(
    sample, detect, shift, passes
):
    image = to_grey(load_image(sample))
    crops = expected_crops(image, detect.model, shift)
    model, count = detect.model, 0

    def run(faces, points68):
        nonlocal count
        count += 1
        return model(faces, points68)

    run.size, run.keypoint_names = model.size, model.keypoint_names
    matrices = [matrix_from_complex(*crop) for crop in crops]
    (face,) = observe(run, image, crops)
    assert count == passes
    (other,) = refine(model, [image], matrices, max_passes=2, fuse=False)
    np.testing.assert_allclose(face.keypoints, other.keypoints, atol=0.01)
    np.testing.assert_allclose(face.error, other.error, rtol=1e-2)
    assert face.score == pytest.approx(other.score, abs=1e-3)
    # Of a colour frame only the windows of the faces are converted.
    (coloured,) = observe(model, Luma(load_image(sample)), crops)
    np.testing.assert_allclose(coloured.keypoints, face.keypoints, atol=0.01)


def test_no_face_is_expected(detect):
    assert observe(detect.model, np.zeros((96, 96), np.uint8), []) == []


def test_a_detected_face_is_cut_upright(sample, detect):
    image = load_image(sample)
    (face,) = detect(image)
    observation = observe_detected(face, to_grey(image), 96)
    np.testing.assert_allclose(observation.keypoints, face.keypoints)
    matrix = upright_matrix(face.keypoints, 96)
    np.testing.assert_array_equal(observation.crop, cut_face(to_grey(image), matrix, 96))
    np.testing.assert_allclose(
        transform(invert(matrix_from_complex(*observation.to_crop)), MEAN_FACE),
        transform(invert(matrix), MEAN_FACE),
    )


def test_complex_points_become_pairs():
    points = to_points(to_complex(MEAN_FACE))
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, MEAN_FACE.astype(np.float32))
