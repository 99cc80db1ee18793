"""Accuracy of the embedded models on the face data, if EDGE_DATA has it."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import measure_photos, measure_scores
from benchmarks.datasets.kaggle import measure_accuracy, read_annotated
from benchmarks.datasets.photos import read_photos
from edge.facekeypoints import FaceKeypoints
from edge.networks.keypoint_model import EMBEDDED, KeypointModel
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


@pytest.fixture(scope="module")
def photos():
    return read_photos(DATA / "helen")


@pytest.mark.parametrize("name", ["keypoints.onnx", "keypoints.int8.onnx"])
def test_the_embedded_models_are_below_the_published_error(annotated, name):
    accuracy = measure_accuracy(FaceKeypoints(model=EMBEDDED.with_name(name)), annotated)
    assert accuracy["asked > 8"]["faces"] == 65
    assert accuracy["asked > 8"]["rmse_px"] < 1.82
    assert accuracy["asked = 8"]["faces"] == 360
    assert accuracy["asked = 8"]["rmse_px"] < 2.2


def test_the_face_score_separates_faces_from_non_faces(photos):
    scores = measure_scores(KeypointModel(EMBEDDED), photos, DATA / "negatives")
    assert scores["all"] >= 0.995


def test_rotated_and_small_faces_are_nearly_as_accurate_as_upright_ones(photos):
    results = measure_photos(FaceKeypoints(), photos[::4])
    upright = results["annotated square"]["error"]
    for name in ("turned by 45°", "turned by −45°"):
        assert results[name]["error"] <= 1.2 * upright
    assert results["24 px wide"]["error"] <= 1.6 * upright


def test_the_training_file_has_2140_faces_with_all_points():
    pytest.importorskip("pandas")
    from train.data.faces import read_training

    faces = read_training(DATA / "kaggle" / "training.zip")
    assert len(faces) == 2140
    assert not np.isnan(faces.keypoints).any()
    np.testing.assert_allclose(faces.keypoints[0, 0], [66.0336, 39.0023], atol=1e-3)
