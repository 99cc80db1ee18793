import numpy as np
import pytest

from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.networks.precision import int8_file
from tests.made_faces import make_faces
from train.adapt.__main__ import main
from train.data.faces import Faces, save_faces


@pytest.fixture(scope="module")
def images():
    return make_faces(40)[0]


@pytest.fixture
def save(tmp_path, images):
    """Write faces whose labels are the embedded network's keypoints, moved."""

    def call(moved, count=40):
        labels = KeypointModel(EMBEDDED)(images[:count]).keypoints + moved
        ids = np.arange(count)
        names = ids.astype(str)
        path = tmp_path / "own.npz"
        save_faces(Faces(images[:count], labels.astype(np.float32), ids, names, names), path)
        return str(path)

    return call


def test_labels_of_another_scheme_are_learnt_by_both_files(save, images, tmp_path, capsys):
    data, target = save(np.float32([0, -3])), tmp_path / "adapted"
    assert main([str(EMBEDDED), "--data", data, "-o", str(target)]) == 0
    said = capsys.readouterr().out
    assert said.count("adapted to 40 faces; on faces left out: ") == 2
    for source in (EMBEDDED, int8_file(EMBEDDED)):
        before = KeypointModel(source)(images).keypoints
        after = KeypointModel(target / source.name)(images).keypoints
        np.testing.assert_allclose((after - before).mean(axis=(0, 1)), [0, -3], atol=0.5)


def test_faces_that_improve_nothing_are_one_line(save, tmp_path, capsys, rng):
    data = save(rng.normal(0, 9, (40, 15, 2)))
    assert main([str(EMBEDDED), "--data", data, "-o", str(tmp_path / "adapted")]) == 1
    error = capsys.readouterr().err
    assert "these faces do not improve it" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "adapted").exists()


def test_too_few_faces_are_one_line(save, tmp_path, capsys):
    assert main([str(EMBEDDED), "--data", save(0, 5), "-o", str(tmp_path / "adapted")]) == 1
    assert "5 faces; at least 20 are needed" in capsys.readouterr().err


def test_the_model_is_not_overwritten(save, capsys):
    arguments = [str(EMBEDDED), "--data", save(4), "-o", str(EMBEDDED.parent)]
    assert main(arguments) == 1
    assert "is the model itself" in capsys.readouterr().err
