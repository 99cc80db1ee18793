import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from export.errors import RunFolderError
from export.source import TrainingRun, read_face_sets, read_photos, read_run


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path):
    """A run's folder with the model's bytes and a record, without faces."""
    (tmp_path / "model.keras").write_bytes(b"weights")
    record = {"recipe": {"name": "tiny"}, "data_sha256": {}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    return tmp_path


@pytest.fixture
def prepared(folder):
    """Three prepared faces of 100×100 px; row i has the grey value i and keypoints at 50 + i."""
    values = np.arange(3, dtype=np.uint8)
    path = folder / "faces.npz"
    np.savez(
        path,
        sources=np.array(["a", "a", "b"]),
        ids=np.array([7, 8, 7]),
        images=np.broadcast_to(values[:, None, None], (3, 100, 100)),
        keypoints=np.broadcast_to(50 + values[:, None, None], (3, 15, 2)).astype(np.float32),
    )
    sets = {"calibration": [["b", 7]], "validation": [["a", 8], ["a", 7]]}
    (folder / "sets.json").write_text(json.dumps(sets))
    return path


def test_a_run_is_its_model_with_the_hash_and_the_record(folder):
    run = read_run(folder)
    assert run.model == folder / "model.keras"
    assert run.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert run.record["recipe"] == {"name": "tiny"}
    assert not run.is_detector


def test_a_detectors_run_is_told_by_its_record(folder):
    record = {"recipe": {}, "data_sha256": {}, "kind": "detector"}
    (folder / "run.json").write_text(json.dumps(record))
    assert read_run(folder).is_detector


@pytest.mark.parametrize(
    ("recipe", "is_small"),
    [
        ({"name": "keypoints-small", "shape": "small"}, True),
        ({"shape": "default"}, False),
        ({}, False),
    ],
)
def test_the_small_network_is_told_by_the_shape_of_its_recipe(recipe, is_small, folder):
    record = {"recipe": recipe, "data_sha256": {}}
    (folder / "run.json").write_text(json.dumps(record))
    assert read_run(folder).is_small == is_small


def test_a_record_without_a_recipe_is_refused(folder):
    (folder / "run.json").write_text('{"data_sha256": {}}')
    with pytest.raises(RunFolderError, match=r"run\.json: expected an object with recipe"):
        read_run(folder)


def test_faces_are_selected_by_source_and_row_and_cut_to_96_px(folder, prepared):
    sets = read_face_sets(read_run(folder), prepared)
    assert sets.calibration.faces.shape == (1, 96, 96)
    assert sets.validation.faces.shape == (2, 96, 96)
    assert sets.calibration.faces[0, 0, 0] == 2
    assert sets.validation.faces[:, 0, 0].tolist() == [1, 0]
    # A margin of 2 px on each side is cut off.
    assert sets.validation.keypoints[:, 0, 0].tolist() == [49.0, 48.0]


def test_faces_of_another_file_than_the_recorded_one_are_recreated(folder, prepared):
    run = read_run(folder)
    assert read_face_sets(run, prepared).is_recreated
    record = {**run.record, "data_sha256": {"faces.npz": digest(prepared)}}
    same = TrainingRun(folder, run.model, run.sha256, record)
    assert not read_face_sets(same, prepared).is_recreated


def test_a_prepared_file_that_lacks_a_face_is_refused(folder, prepared):
    (folder / "sets.json").write_text(json.dumps({"calibration": [["c", 1]], "validation": []}))
    with pytest.raises(RunFolderError, match="lacks faces named in"):
        read_face_sets(read_run(folder), prepared)


def photos_run(folder, count):
    """A detector's run with `count` photos; photo i is 1 × (i + 1) px of the grey value i."""
    path = folder / "photos.npz"
    pixels = [np.full(i + 1, i, np.uint8) for i in range(count)]
    shapes = np.array([(1, i + 1) for i in range(count)])
    np.savez(path, pixels=np.concatenate(pixels), shapes=shapes)
    record = {"recipe": {}, "data_sha256": {}, "photos": count}
    return TrainingRun(folder, folder / "model.keras", "", record), path


@pytest.mark.parametrize(("count", "expected"), [(3, [0, 1, 2]), (200, list(range(0, 200, 2)))])
def test_photos_are_evenly_spaced_and_at_most_160(folder, count, expected):
    run, path = photos_run(folder, count)
    photos = read_photos(run, path)
    assert [photo.shape for photo in photos] == [(1, i + 1) for i in expected]
    assert [int(photo[0, 0]) for photo in photos] == expected


def test_compressed_photos_are_read(folder):
    pixels = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (32, 1))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=90)
    parts = [np.frombuffer(file.getvalue(), np.uint8), np.full(6, 7, np.uint8)]
    path = folder / "compressed.npz"
    np.savez(
        path,
        pixels=np.concatenate(parts),
        shapes=[pixels.shape, (2, 3)],
        sizes=[len(part) for part in parts],
    )
    run = TrainingRun(folder, folder / "model.keras", "", {"photos": 2})
    first, second = read_photos(run, path)
    assert abs(first.astype(int) - pixels).max() < 12
    assert second.tolist() == [[7, 7, 7], [7, 7, 7]]


def test_other_photos_than_those_of_the_run_are_refused(folder):
    _, path = photos_run(folder, 2)
    run = TrainingRun(folder, folder / "model.keras", "", {"photos": 3})
    with pytest.raises(RunFolderError, match="has 2 photos, expected the 3 of the training run"):
        read_photos(run, path)


def test_a_file_without_photos_is_refused(folder, prepared):
    run, _ = photos_run(folder, 2)
    with pytest.raises(RunFolderError, match="cannot be read as photos"):
        read_photos(run, prepared)
