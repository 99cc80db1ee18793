import numpy as np
import pytest

pytest.importorskip("onnx")

from export.calibration import CalibrationBatches, detector_batches, face_batches


def test_batches_are_fed_by_input_name_and_end_with_none():
    reader = CalibrationBatches("face", [np.uint8([1]), np.uint8([2])])
    assert reader.get_next() == {"face": np.uint8([1])}
    assert reader.get_next() == {"face": np.uint8([2])}
    assert reader.get_next() is None


def test_all_faces_are_in_batches_of_at_most_32():
    faces = np.arange(70, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    batches = face_batches(faces)
    assert [batch.shape for batch in batches] == [(24, 2, 2, 1), (23, 2, 2, 1), (23, 2, 2, 1)]
    np.testing.assert_array_equal(np.concatenate(batches)[..., 0], faces)


def test_photos_are_calibrated_at_both_sizes_in_turn():
    photo = np.full((480, 640), 9, np.uint8)
    batches = detector_batches([photo] * 3)
    assert [batch.shape for batch in batches] == [
        (1, 256, 320, 1), (1, 480, 640, 1), (1, 256, 320, 1),
    ]  # fmt: skip
    assert (batches[0][0, :240] == 9).all()  # the photo, scaled
    assert not batches[0][0, 240:].any()  # the padding
