"""Partitions: the units of work of a job, each a list of photos and one file of their rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edge.bulk.photos import Photo

_NAME = re.compile(r"part-[0-9a-f]{32}\.parquet\Z")


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition to compute.

    Attributes:
        name: name of its file: a hash of the settings and of the photos' names. Whichever worker
            computes it, and however often, it is the same file.
        photos: its photos, in order.
    """

    name: str
    photos: tuple[Photo, ...]


@dataclass(frozen=True, slots=True)
class PartitionSummary:
    """Counts of a finished partition, as stored in its file.

    Attributes:
        name: name of its file.
        photos: number of photos.
        faces: number of faces, one row each.
        without_face: number of photos without a face, one row each.
        failed: number of photos that could not be processed, one row each.
    """

    name: str
    photos: int
    faces: int
    without_face: int
    failed: int


def is_partition(name: str) -> bool:
    """Whether a file is, by its name, a partition."""
    return bool(_NAME.match(name))


def make_partitions(
    photos: Sequence[Photo], size: int, settings: dict[str, Any], finished: set[str]
) -> Iterator[Partition]:
    """Divide the photos that are not finished into partitions.

    The boundaries depend on the list alone, not on what is finished, so that a resumed job has the
    same partitions.

    Args:
        photos: all photos of the job, in order.
        size: number of photos per partition.
        settings: the settings that rows depend on.
        finished: names of the photos in finished partitions.

    Yields:
        The partitions that have photos left to process.
    """
    for start in range(0, len(photos), size):
        chunk = photos[start : start + size]
        remaining = tuple(photo for photo in chunk if photo.name not in finished)
        if remaining:
            yield Partition(_partition_name(remaining, settings), remaining)


def _partition_name(photos: Sequence[Photo], settings: dict[str, Any]) -> str:
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16)
    for photo in photos:
        digest.update(b"\0" + photo.name.encode())
    return f"part-{digest.hexdigest()}.parquet"
