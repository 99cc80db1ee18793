import json
import shutil

import numpy as np
import pytest
from PIL import Image

from edge.errors import ModelError
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.networks.precision import open_keypoint_model


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


def test_a_face_scores_high_and_noise_low(model, rng, sample):
    face = Image.open(sample).convert("L").crop((174, 64, 274, 164)).resize((96, 96))
    noise = rng.integers(0, 256, size=(8, 96, 96)).astype(np.uint8)
    prediction = model(np.concatenate([np.asarray(face)[None], noise]))
    assert prediction.face_score[0] > 0.9
    assert prediction.face_score[1:].max() < 0.5
    # Marked by hand on the sample, in the crop: nose tip and bottom lip.
    np.testing.assert_allclose(prediction.keypoints[0, 10], [48.5, 60.0], atol=2)
    np.testing.assert_allclose(prediction.keypoints[0, 14], [47.5, 86.0], atol=2)
    assert (prediction.error[0] < prediction.error[1:].min(axis=0)).all()


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
