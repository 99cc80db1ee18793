import numpy as np
import pytest

from benchmarks.comparison import worker
from edge.keypoints import KEYPOINT_NAMES


def test_points_of_another_scheme_are_averaged_or_missing():
    points = [(0, 0), (2, 4), (10, 10)]
    assert worker.pick(points, ((0, 1), (2,), ())) == [[1.0, 2.0], [10.0, 10.0], None]
    for scheme, count in ((worker.SCHEME_68, 68), (worker.SCHEME_MESH, 468)):
        assert len(scheme) == len(KEYPOINT_NAMES)
        assert max(max(indices) for indices in scheme) < count


def test_each_request_is_answered(tmp_path, monkeypatch):
    images = np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3)
    np.savez(tmp_path / "images.npz", a=images[0], b=images[1])
    np.save(tmp_path / "first.npy", images[0])
    monkeypatch.setitem(worker.METHODS, "sums", lambda options: lambda rgb: [int(rgb.sum())])
    session = worker.Session({"method": "sums"})
    first = session.respond({"request": "first", "image": str(tmp_path / "first.npy")})
    assert set(first) == {"open_ms", "look_ms", "since_start_ms"}
    assert first["since_start_ms"] >= first["open_ms"] + first["look_ms"]
    both = {"images": str(tmp_path / "images.npz"), "names": ["a", "b"]}
    assert len(session.respond({"request": "time", **both})["ms"]) == 2
    faces = session.respond({"request": "predict", **both})["faces"]
    assert faces == [[int(images[0].sum())], [int(images[1].sum())]]
    assert session.respond({"request": "memory"})["mb"] > 10


@pytest.mark.parametrize(
    ("shape", "kind", "expected"),
    [
        ((1, 3, 96, 96), "tensor(float)", (1, 3, 96, 96)),
        ((1, 96, 96, 1), "tensor(uint8)", (1, 96, 96, 1)),
    ],
)
def test_a_crop_has_the_layout_and_dtype_of_the_models_input(shape, kind, expected):
    class Tensor:
        name, type = "x", kind

    class Session:
        def get_inputs(self):
            return [Tensor]

    Tensor.shape = shape
    rgb = np.full((96, 96, 3), 255, np.uint8)
    crop = worker._network_input(Session(), rgb, np.array([[1.0, 0, 0], [0, 1, 0]]))
    assert crop.shape == expected
    assert crop.dtype == (np.uint8 if kind == "tensor(uint8)" else np.float32)
    assert crop.max() == crop.min() == (255 if crop.dtype == np.uint8 else 1.0)
