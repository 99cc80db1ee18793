import contextlib
import json
import shutil

import numpy as np
import pytest

from edge.errors import ModelError
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.networks.precision import open_keypoint_model


@pytest.fixture(scope="module")
def model():
    return KeypointModel(EMBEDDED)


@pytest.fixture
def altered(tmp_path):
    """A copy of the embedded model with some bytes replaced by as many others."""

    def alter(old, new):
        data = EMBEDDED.read_bytes()
        assert data.count(old) == 1
        assert len(old) == len(new)
        path = tmp_path / "keypoints.onnx"
        path.write_bytes(data.replace(old, new))
        return path

    return alter


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


def test_no_face_gives_empty_arrays(model):
    points, error, score = model(np.empty((0, 96, 96), np.uint8))
    assert (points.shape, error.shape, score.shape) == ((0, 15, 2), (0, 15), (0,))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.onnx: no such model file"):
        open_keypoint_model(tmp_path / "none.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x08\x09" * 500])
def test_a_corrupt_file_is_refused(content, tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx: cannot be opened as an ONNX model"):
        open_keypoint_model(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "half.onnx"
    path.write_bytes(EMBEDDED.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"half\.onnx"):
        open_keypoint_model(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"\x0ekeypoint_names", b"\x0ekeypoint_namez", "metadata keypoint_names missing"),
        (b"centres at integers", b"corners at integers", "coordinate convention"),
        (b"input_size\x12\x0296", b"input_size\x12\x0264", "tensor 'face'"),
        (b"input_size\x12\x0296", b"input_size\x12\x02xx", "expected a whole number"),
        (b'["left_eye_center"', b'{"left_eye_center"', "no JSON list"),
        (b'"left_eye_center", ', b"                   ", "tensor 'keypoints'"),
        (b'"right_eye_center",', b'"left_eye_center", ', "a name twice"),
    ],
)
def test_another_contract_is_refused(altered, old, new, message):
    with pytest.raises(ModelError, match=message):
        KeypointModel(altered(old, new))


def test_int8_lies_beside_fp32_and_is_close(tmp_path, rng):
    from PIL import Image

    from tests.conftest import SAMPLE

    grey = Image.open(SAMPLE).convert("L").crop((174, 64, 274, 164)).resize((96, 96))
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


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bits_are_refused_or_harmless(seed, tmp_path):
    data = bytearray(EMBEDDED.read_bytes())
    rng = np.random.default_rng(seed)
    # The first and last bytes hold the graph and the metadata, what lies between the weights.
    places = np.concatenate([np.arange(3000), np.arange(len(data) - 6000, len(data))])
    for place in rng.choice(places, size=3):
        data[place] ^= 1 << int(rng.integers(8))
    path = tmp_path / "flipped.onnx"
    path.write_bytes(data)
    with contextlib.suppress(ModelError):
        points = KeypointModel(path)(np.zeros((1, 96, 96), np.uint8))[0]
        assert points.shape == (1, 15, 2)


def test_precision_falls_back_or_complains_without_int8(tmp_path):
    path = tmp_path / "keypoints.onnx"
    shutil.copy(EMBEDDED, path)
    assert open_keypoint_model(path, "auto").path == path
    with pytest.raises(ModelError, match=r"keypoints\.int8\.onnx: no such model file"):
        open_keypoint_model(path, "int8")
    with pytest.raises(ValueError, match="precision must be one of"):
        open_keypoint_model(path, "fp16")
