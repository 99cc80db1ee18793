import numpy as np
import pytest

pytest.importorskip("keras")

from tests.made_faces import made_training_faces
from train.data.faces import join
from train.keypoints.batches import Batches
from train.recipes import Recipe


def test_without_shares_every_face_is_drawn_once_per_epoch():
    faces = made_training_faces(10)
    batches = Batches(faces, Recipe("r", batch_size=4))
    assert [len(batches[i][0]) for i in range(len(batches))] == [4, 4, 2]
    images, targets = batches[0]
    assert (images.shape, images.dtype) == ((4, 96, 96, 1), np.uint8)
    assert (targets.shape, targets.dtype) == ((4, 30), np.float32)


def test_sets_are_drawn_by_their_shares():
    many, few = made_training_faces(90, "many"), made_training_faces(10, "few")
    both = join([many, few])
    batches = Batches(both, Recipe("r", shares=(("many", 1.0), ("few", 3.0))))
    drawn = np.concatenate([both.sources[batches.order(epoch)] for epoch in range(20)])
    assert len(drawn) == 2000
    assert (drawn == "few").mean() == pytest.approx(0.75, abs=0.05)


def test_the_same_epoch_gives_the_same_batches():
    faces = made_training_faces(8)
    first, second = (Batches(faces, Recipe("r", batch_size=8), epoch=3)[0] for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    other = Batches(faces, Recipe("r", batch_size=8), epoch=4)[0]
    assert not (first[0] == other[0]).all()
