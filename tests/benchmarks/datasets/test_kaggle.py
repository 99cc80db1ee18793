import numpy as np
import pytest

from benchmarks.datasets.kaggle import measure_accuracy, read_annotated, read_images
from edge.evaluation.metrics import rmse
from edge.facekeypoints import FaceKeypoints
from tests.made_faces import make_faces, write_annotated


@pytest.fixture
def tables(tmp_path):
    images, keypoints = make_faces(5)
    return write_annotated(tmp_path, images, keypoints, asked=[30, 30, 30, 8, 8])


def test_accuracy_is_measured_against_the_annotation_of_each_subset(tables):
    detect = FaceKeypoints()
    faces = read_annotated(*tables)
    images, keypoints = make_faces(5)
    np.testing.assert_array_equal(faces.images, images[::-1])
    results = measure_accuracy(detect, faces)
    points = detect.crops(images).keypoints
    assert results["asked > 8"]["faces"] == 3
    assert results["asked > 8"]["rmse_px"] == pytest.approx(
        rmse(points[:3], keypoints[:3]), abs=1e-3
    )
    nose = np.sqrt(((points - keypoints)[3:, 10] ** 2).mean())
    per_keypoint = results["asked = 8"]["rmse_px_per_keypoint"]
    assert per_keypoint["nose_tip"] == pytest.approx(nose, abs=1e-3)


def test_a_table_of_other_images_is_an_error(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text("ImageId,Image\n1,0 1 2\n")
    with pytest.raises(ValueError, match=r"test\.csv: not a table of 96×96 images \(cannot"):
        read_images(path)
