import numpy as np

from tests.made_faces import make_faces
from train.data.split import copies_of, duplicate_groups, near_duplicates, split


def distinct(count, seed=0):
    """Smooth images that are not near-duplicates."""
    coarse = np.random.default_rng(seed).integers(0, 256, size=(count, 8, 8)).astype(np.uint8)
    return coarse.repeat(12, axis=1).repeat(12, axis=2)


def test_a_brighter_noisier_copy_is_a_near_duplicate(rng):
    images = distinct(10)
    copy = images[3] * 0.7 + 40 + rng.normal(0, 4, size=(96, 96))
    images = np.concatenate([images, copy[None].astype(np.uint8)])
    assert near_duplicates(images).tolist() == [[3, 10]]


def test_chains_of_duplicates_are_one_group():
    images = distinct(6)[[0, 1, 2, 1, 4, 1]]
    group = duplicate_groups(images)
    assert group[1] == group[3] == group[5]
    assert len(set(group.tolist())) == 4


def test_a_split_keeps_every_row_once_and_copies_together(rng):
    images = distinct(60)[np.repeat(np.arange(60), 2)]
    training, validation = split(images, 0.2, rng)
    assert sorted([*training, *validation]) == list(range(120))
    assert len(validation) == 24
    assert not set((training // 2).tolist()) & set((validation // 2).tolist())


def test_the_same_seed_splits_the_same():
    images, _ = make_faces(12)
    first, second = (split(images, 0.25, np.random.default_rng(3)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_faces_of_one_group_stay_together():
    images = distinct(40)
    people = np.array([f"person {i // 4}" for i in range(40)])
    training, validation = split(images, 0.3, np.random.default_rng(0), people)
    assert len(validation) == 12
    assert not set(people[training]) & set(people[validation])


def test_near_duplicates_of_other_images_are_found(rng):
    images = distinct(8)
    noisy = np.clip(images[5] * 0.9 + rng.normal(0, 4, size=(96, 96)), 0, 255).astype(np.uint8)
    others = np.concatenate([distinct(3, seed=1), noisy[None]])
    assert np.flatnonzero(copies_of(images, others)).tolist() == [5]
