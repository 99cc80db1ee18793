import hashlib

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

from edge.bulk.partitions import Partition, is_partition, make_partitions
from edge.bulk.photos import Photo

SETTINGS = {"model": "m 0", "min_score": 0.5}


def photos(count):
    return [Photo(f"{number}.jpg", f"/in/{number}.jpg") for number in range(count)]


def partition(count, size=4, settings=SETTINGS, finished=()):
    return [*make_partitions(photos(count), size, settings, set(finished))]


def test_photos_are_divided_in_order():
    assert [photo.name for part in partition(10) for photo in part.photos] == [
        f"{number}.jpg" for number in range(10)
    ]
    assert [len(part.photos) for part in partition(10)] == [4, 4, 2]


def test_a_name_is_a_hash_of_the_settings_and_the_photos():
    content = b'{"min_score": 0.5, "model": "m 0"}\x000.jpg\x001.jpg'
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    assert partition(2) == [Partition(f"part-{digest}.parquet", tuple(photos(2)))]


def test_other_photos_or_settings_give_other_names():
    names = {part.name for part in partition(10)}
    assert len(names) == 3
    others = partition(10, settings={**SETTINGS, "min_score": 0.4})
    assert names.isdisjoint(part.name for part in others)


def test_boundaries_do_not_depend_on_what_is_finished():
    first, *others = partition(10)
    assert partition(10, finished=[photo.name for photo in first.photos]) == others
    (remaining,) = partition(4, finished=["1.jpg"])
    assert [photo.name for photo in remaining.photos] == ["0.jpg", "2.jpg", "3.jpg"]


def test_partitions_are_recognized_by_name():
    assert all(is_partition(part.name) for part in partition(10))
    name = f"part-{'0' * 32}.parquet"
    for other in (f".{name}", f"{name}.1", "part-0.parquet", "_manifest.json"):
        assert not is_partition(other)
