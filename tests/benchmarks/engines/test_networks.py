import numpy as np
import pytest

pytest.importorskip("onnx")

from benchmarks.engines import networks


def test_each_network_has_its_files_and_the_detector_two_forms(tmp_path):
    found = {network.name: network for network in networks.prepare_networks(tmp_path)}
    assert list(found) == [
        "keypoints.onnx", "keypoints.int8.onnx", "face.onnx", "face.onnx, to the cells",
        "face.int8.onnx", "face.int8.onnx, to the cells",
    ]  # fmt: skip
    assert {network.shape for network in found.values()} == {(1, 96, 96, 1), (1, 352, 352, 1)}
    assert [name for name, network in found.items() if network.boxes] == [
        "face.onnx, to the cells", "face.int8.onnx, to the cells",
    ]  # fmt: skip
    assert found["keypoints.onnx"].floats
    assert found["keypoints.int8.onnx"].floats is None
    assert found["keypoints.onnx"].keras.endswith("models/model.keras")


def test_a_photo_lies_in_the_corner_of_the_square_at_the_size_of_the_search():
    photo = np.full((480, 640), 200, np.uint8)
    square = networks._on_square(photo)
    assert square.shape == (1, 352, 352, 1)
    assert (square[0, :240, :320] == 200).all()
    assert square.sum() == 200 * 240 * 320
