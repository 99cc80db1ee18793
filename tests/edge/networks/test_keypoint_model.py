import json
import pickle
import shutil

import numpy as np
import pytest
from PIL import Image

from edge.crop import cut
from edge.errors import ModelError
from edge.image import load_grey
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.face_detector import EMBEDDED as FACE
from edge.networks.face_detector import FaceDetector
from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.networks.precision import int8_file, open_keypoint_model
from tests.made_models import ERROR90, REPEATED, write_keypoint_model


@pytest.fixture(scope="module")
def model():
    return KeypointModel(EMBEDDED)


def test_names_and_size_come_from_the_file(model):
    assert (
        model.keypoint_names
        == KEYPOINT_NAMES
        == tuple(json.loads(model.metadata["keypoint_names"]))
    )
    assert model.size == 96
    assert model.metadata["scheme"] == "kaggle-15"
    assert len(model.metadata["sha256_keras"]) == 64


def test_any_number_of_faces_gives_what_each_gives_alone(model, rng):
    faces = rng.integers(0, 256, size=(23, 96, 96)).astype(np.uint8)
    together = model(faces)
    alone = [
        np.concatenate(part) for part in zip(*(model(face[None]) for face in faces), strict=True)
    ]
    for many, one in zip(together, alone, strict=True):
        assert many.dtype == np.float32
        np.testing.assert_allclose(many, one, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", [None, "small"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_face_scores_high_and_noise_low(name, precision, rng, sample):
    model = open_keypoint_model(name, precision)
    face = crop_of_the_detector(sample)
    noise = rng.integers(0, 256, size=(8, 96, 96)).astype(np.uint8)
    prediction = model(np.concatenate([face[None], noise]))
    assert prediction.face_score[0] > 0.9
    assert prediction.face_score[1:].max() < 0.1
    assert (prediction.error[0] < prediction.error[1:].min(axis=0)).all()


def crop_of_the_detector(sample):
    """What the network is given of a face first, however well the detector's box fits it."""
    grey = load_grey(sample)
    detections = FaceDetector(FACE)(grey)
    best = np.argmax(detections.scores)[None]
    (matrix,) = detections.take(best).crop_matrices(96)
    return cut(grey, matrix, 96)


def test_keypoints_lie_where_they_were_marked_by_hand(model, sample):
    face = Image.open(sample).convert("L").crop((174, 64, 274, 164)).resize((96, 96))
    prediction = model(np.asarray(face)[None])
    # Nose tip and bottom lip, in a crop that is 8 % narrower than the network's own.
    np.testing.assert_allclose(prediction.keypoints[0, 10], [48.5, 60.0], atol=2)
    np.testing.assert_allclose(prediction.keypoints[0, 14], [47.5, 86.0], atol=2)


def test_no_face_gives_empty_arrays(model):
    points, error, score = model(np.empty((0, 96, 96), np.uint8))
    assert (points.shape, error.shape, score.shape) == ((0, 15, 2), (0, 15), (0,))


def test_int8_lies_beside_fp32_and_is_close(sample):
    grey = Image.open(sample).convert("L").crop((174, 64, 274, 164)).resize((96, 96))
    face = np.asarray(grey)[None]
    full, quantised = open_keypoint_model(None, "fp32"), open_keypoint_model(None, "int8")
    assert quantised.path.name == "keypoints.int8.onnx"
    difference = np.abs(full(face)[0] - quantised(face)[0])
    assert difference.mean() < 0.5
    assert difference.max() < 2.0


def test_a_pair_of_different_networks_is_refused(tmp_path):
    shutil.copy(EMBEDDED, tmp_path / "keypoints.onnx")
    small = EMBEDDED.with_suffix(".int8.onnx")
    digest = KeypointModel(small).metadata["sha256_keras"].encode()
    other = small.read_bytes().replace(digest, digest[::-1])
    (tmp_path / "keypoints.int8.onnx").write_bytes(other)
    for precision in ("auto", "int8"):
        with pytest.raises(ModelError, match="is of another network"):
            open_keypoint_model(tmp_path / "keypoints.onnx", precision)
    assert open_keypoint_model(tmp_path / "keypoints.onnx", "fp32").path.name == "keypoints.onnx"


def test_int8_can_be_named_itself():
    small = EMBEDDED.with_suffix(".int8.onnx")
    for precision in ("auto", "int8"):
        assert open_keypoint_model(small, precision).path == small


def test_int8_coordinates_are_not_on_a_coarse_grid(rng):
    faces = rng.integers(0, 256, size=(40, 96, 96)).astype(np.uint8)
    points = open_keypoint_model(None, "int8")(faces)[0]
    assert len(np.unique(points)) > 0.9 * points.size


def test_precision_falls_back_or_complains_without_int8(tmp_path):
    path = tmp_path / "keypoints.onnx"
    shutil.copy(EMBEDDED, path)
    assert open_keypoint_model(path, "auto").path == path
    with pytest.raises(ModelError, match=r"keypoints\.int8\.onnx: no such model file"):
        open_keypoint_model(path, "int8")
    with pytest.raises(ValueError, match="precision must be one of"):
        open_keypoint_model(path, "fp16")


@pytest.fixture(scope="module")
def model_with_68(model68):
    return KeypointModel(model68)


def test_the_68_points_are_predicted_only_when_asked_for(model_with_68, rng):
    faces = rng.integers(0, 256, size=(7, 96, 96)).astype(np.uint8)
    run, requested = model_with_68._model.run, []
    model_with_68._model.run = lambda names, inputs: requested.append(names) or run(names, inputs)
    without, prediction = model_with_68(faces), model_with_68(faces, points68=True)
    del model_with_68._model.run
    assert all("points68" in names for names in requested[len(requested) // 2 :])
    assert not any("points68" in names for names in requested[: len(requested) // 2])
    assert without.points68 is None
    assert prediction.points68.shape == (7, 68, 2)
    np.testing.assert_array_equal(prediction.points68, prediction.keypoints[:, REPEATED])
    keypoints, error, face_score = prediction  # unpacks as it does without them
    assert (keypoints.shape, error.shape, face_score.shape) == ((7, 15, 2), (7, 15), (7,))


def test_no_face_gives_no_68_points(model_with_68):
    prediction = model_with_68(np.empty((0, 96, 96), np.uint8), points68=True)
    assert prediction.points68.shape == (0, 68, 2)
    assert prediction.error90.shape == (0, 15)


def test_the_90_percent_radius_is_the_error_times_the_factors(model_with_68, rng):
    prediction = model_with_68(rng.integers(0, 256, size=(3, 96, 96)).astype(np.uint8))
    np.testing.assert_allclose(prediction.error90, prediction.error * ERROR90, rtol=1e-6)


def test_a_prediction_is_complete_in_another_process(model_with_68, rng):
    faces = rng.integers(0, 256, size=(2, 96, 96)).astype(np.uint8)
    prediction = model_with_68(faces, points68=True)
    same = pickle.loads(pickle.dumps(prediction))
    for name in ("keypoints", "error", "face_score", "points68", "error90"):
        np.testing.assert_array_equal(getattr(same, name), getattr(prediction, name))


def test_a_model_without_68_points_says_so(tmp_path):
    pytest.importorskip("onnx")
    path = write_keypoint_model(tmp_path / "plain.onnx", points68=False, error90=None)
    model = KeypointModel(path)
    assert not model.has_points68
    assert model(np.zeros((1, 96, 96), np.uint8)).error90 is None
    with pytest.raises(ModelError, match=r"plain\.onnx: this model predicts no 68 points"):
        model(np.zeros((1, 96, 96), np.uint8), points68=True)


@pytest.mark.parametrize("factors", [[2.0] * 14, [0.5] * 15, ["x"] * 15, [float("nan")] * 15])
def test_wrong_factors_of_the_90_percent_radius_are_refused(tmp_path, factors):
    pytest.importorskip("onnx")
    path = write_keypoint_model(tmp_path / "wrong.onnx", error90=factors)
    with pytest.raises(ModelError, match=r"wrong\.onnx: metadata error90"):
        KeypointModel(path)


def test_68_points_of_another_shape_are_refused(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setattr("tests.made_models.REPEATED", np.arange(15))
    with pytest.raises(ModelError, match="tensor 'points68': expected"):
        KeypointModel(write_keypoint_model(tmp_path / "few.onnx"))


@pytest.fixture
def small_pair(tmp_path, monkeypatch):
    """A stand-in for the embedded smaller network: another pair of files."""
    pytest.importorskip("onnx")
    path = tmp_path / "keypoints-small.onnx"
    monkeypatch.setattr("edge.networks.keypoint_model.EMBEDDED_SMALL", path)
    write_keypoint_model(path)
    write_keypoint_model(int8_file(path), source=int8_file(EMBEDDED))
    return path


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_small_network_is_opened_by_its_name(small_pair, precision):
    file = small_pair if precision == "fp32" else int8_file(small_pair)
    assert open_keypoint_model("small", precision).path == file


def test_the_precision_of_the_small_network_is_measured_by_itself(small_pair, monkeypatch):
    for ratio, file in ((0.8, int8_file(small_pair)), (0.95, small_pair)):
        monkeypatch.setattr("edge.networks.precision._time_ratio", lambda *_, r=ratio: r)
        monkeypatch.setattr("edge.networks.precision.load_ratio", lambda key: None)
        assert open_keypoint_model("small", "auto").path == file


def test_a_missing_small_network_is_named(tmp_path, monkeypatch):
    path = tmp_path / "keypoints-small.onnx"
    monkeypatch.setattr("edge.networks.keypoint_model.EMBEDDED_SMALL", path)
    for precision in ("auto", "fp32", "int8"):
        with pytest.raises(ModelError, match="this installation has no small keypoint model"):
            open_keypoint_model("small", precision)


def test_a_file_called_small_is_opened_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(EMBEDDED, "small")
    assert open_keypoint_model("./small", "fp32").path.samefile(tmp_path / "small")
