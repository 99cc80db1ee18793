"""The embedded models on the face data, where that is at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.kaggle import measure_accuracy, read_annotated
from edge.model import EMBEDDED, KeypointModel
from tests.conftest import ROOT

DATA = Path(os.environ.get("EDGE_DATA", ROOT.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not (DATA / "kaggle").is_dir(), reason="no face data at EDGE_DATA"),
]


@pytest.fixture(scope="module")
def annotated():
    kaggle = DATA / "kaggle"
    return read_annotated(kaggle / "test_annotated.csv", kaggle / "test.zip")


@pytest.mark.parametrize("name", ["keypoints.onnx", "keypoints.int8.onnx"])
def test_the_embedded_model_is_better_than_a_published_one_of_its_kind(annotated, name):
    accuracy = measure_accuracy(KeypointModel(EMBEDDED.with_name(name)), annotated)
    assert accuracy["asked > 8"]["faces"] == 65
    assert accuracy["asked > 8"]["rmse_px"] < 2.14
    assert accuracy["asked = 8"]["faces"] == 360
    assert accuracy["asked = 8"]["rmse_px"] < 3.5


def test_the_face_score_tells_faces_from_photos_without(annotated):
    from edge.crop import cut
    from edge.geometry import crop_matrix
    from edge.image import load_image, to_grey

    rng = np.random.default_rng(0)
    crops = []
    # Every fifth photo was left out when the score was learnt.
    for path in sorted((DATA / "negatives").glob("*.jpg"))[4::5]:
        grey = to_grey(load_image(path))
        side = rng.uniform(0.3, 1.0) * min(grey.shape)
        x, y = rng.uniform(0, np.array(grey.shape[::-1]) - side)
        crops.append(cut(grey, crop_matrix([x, y, side, side], 96), 96))
    model = KeypointModel(EMBEDDED)
    faces, others = model(annotated.images)[2], model(np.stack(crops))[2]
    above = (faces[:, None] > others).mean()  # the area under the ROC curve
    assert above > 0.99


def test_the_training_file_has_2140_faces_with_all_points():
    pytest.importorskip("pandas")
    from train.data import read_training

    faces = read_training(DATA / "kaggle" / "training.zip")
    assert len(faces) == 2140
    assert not np.isnan(faces.keypoints).any()
    np.testing.assert_allclose(faces.keypoints[0, 0], [66.0336, 39.0023], atol=1e-3)
