import contextlib

import numpy as np
import pytest

from edge.errors import ModelError
from edge.networks.keypoint_model import EMBEDDED, KeypointModel


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


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x08\x09" * 500])
def test_a_corrupt_file_is_refused(content, tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx: cannot be opened as an ONNX model"):
        KeypointModel(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "half.onnx"
    path.write_bytes(EMBEDDED.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"half\.onnx"):
        KeypointModel(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"\x0ekeypoint_names", b"\x0ekeypoint_namez", "metadata keypoint_names missing"),
        (b"centres at integers", b"corners at integers", "coordinate convention"),
        (b"input_size\x12\x0296", b"input_size\x12\x0264", "tensor 'face'"),
        (b"input_size\x12\x0296", b"input_size\x12\x02xx", "expected a whole number"),
        (b'["left_eye_center"', b'{"left_eye_center"', "expected distinct names"),
        (b'"left_eye_center", ', b"                   ", "error90: expected 14 factors"),
        (b'"right_eye_center",', b'"left_eye_center", ', "expected distinct names"),
    ],
)
def test_another_contract_is_refused(altered, old, new, message):
    with pytest.raises(ModelError, match=message):
        KeypointModel(altered(old, new))


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


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.onnx: no such model file"):
        KeypointModel(tmp_path / "none.onnx")
