"""A folder of results in Parquet partitions: each is there as a whole, or not at all.

A partition is named by what goes into it, the settings and its photos, so that whoever makes it,
and however often, it is one and the same file. What is done is what these files say; the manifest
is derived from them.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from edge.bulk.inputs import open_address
from edge.bulk.photos import Photo, say
from edge.bulk.rows import Rows
from edge.errors import SourceError

MANIFEST = "_manifest.json"  # who reads a folder of Parquet passes over names that begin so

_KEY = b"edge"  # of our entry in a partition's metadata
_PARTITION = re.compile(r"part-[0-9a-f]{32}\.parquet\Z")
_READERS = 16  # partitions whose ends are read at once
_ABANDONED = 3600  # seconds after which nobody writes to a file any more


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition to make: the name of its file, and the photos in it, in order."""

    name: str
    photos: tuple[Photo, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """What a finished partition holds.

    Attributes:
        name: of its file.
        photos: how many.
        faces: how many, a row each.
        without_face: photos in which none was found, a row each.
        failed: photos that could not be looked at, a row each.
    """

    name: str
    photos: int
    faces: int
    without_face: int
    failed: int


def part(
    photos: Sequence[Photo], size: int, settings: dict[str, Any], done: set[str]
) -> Iterator[Partition]:
    """Deal photos that are not done into partitions.

    Where the partitions begin depends on the list alone, not on what is done: a run that goes on
    makes the same ones.

    Args:
        photos: all of the run, in order.
        size: how many photos a partition has.
        settings: that its rows depend on.
        done: names of photos that a finished partition has.
    """
    for start in range(0, len(photos), size):
        some = [photo for photo in photos[start : start + size] if photo.name not in done]
        if some:
            digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16)
            for photo in some:
                digest.update(b"\0" + photo.name.encode())
            yield Partition(f"part-{digest.hexdigest()}.parquet", tuple(some))


class Folder:
    """Where a run's partitions are; it may be opened by many processes."""

    def __init__(self, address: str, settings: dict[str, Any]) -> None:
        """Of results made with `settings`; nothing is read or made yet.

        Raises:
            MissingExtra, SourceError: there is no way to this kind of address.
        """
        self.address, self._settings = address, settings
        self._files, self._path = open_address(address)
        self._is_local = "://" not in address

    def begin(self, resume: bool) -> dict[str, Tally]:
        """Make the folder, and see what is done.

        Raises:
            SourceError: it cannot be made or read, it holds something else or, without `resume`,
                results, or those are of other settings.
        """
        with self._told("cannot be made or read"):
            self._files.makedirs(self._path, exist_ok=True)
            names = self._names()
        others = [name for name in names if not _is_ours(name)]
        if others:
            raise SourceError(
                f"{self.address}: holds something else ({others[0]}); expected a new folder, or "
                "one of this command; choose another"
            )
        if not resume and any(_PARTITION.match(name) for name in names):
            raise SourceError(
                f"{self.address}: holds results already; add --resume to go on, or choose another"
            )
        if self._is_local:
            _clear(Path(self._path))
        return self.tallies()

    def tallies(self, known: Iterable[Tally] = ()) -> dict[str, Tally]:
        """What each finished partition holds, by name; those that are known are not read again.

        Raises:
            SourceError: one is damaged, or of other settings, or they cannot be read.
        """
        tallies = {tally.name: tally for tally in known}
        with self._told("cannot be read"):
            new = [n for n in self._names() if _PARTITION.match(n) and n not in tallies]
        with ThreadPoolExecutor(_READERS) as pool:
            tallies.update((tally.name, tally) for tally in pool.map(self._tally, new))
        return dict(sorted(tallies.items()))

    def done(self, tallies: Iterable[Tally]) -> set[str]:
        """The names of the photos in finished partitions.

        Raises:
            SourceError: they cannot be read.
        """
        with ThreadPoolExecutor(_READERS) as pool:
            return {name for some in pool.map(self._photos, tallies) for name in some}

    def find(self, name: str) -> Tally | None:
        """What a partition holds, if it is finished, whoever has written it meanwhile.

        Raises:
            SourceError: as `tallies`.
        """
        with self._told("cannot be read"):
            self._files.invalidate_cache(self._path)
            found = self._files.exists(self._at(name))
        return self._tally(name) if found else None

    def write(self, name: str, rows: Rows) -> Tally:
        """Write a partition: under another name, which it leaves when all of it is on disk.

        Raises:
            SourceError: it cannot be written; nothing is left of it.
        """
        tally = Tally(name, rows.photos, rows.faces, rows.without_face, rows.failed)
        entry = json.dumps({"settings": self._settings, **asdict(tally)})
        table = rows.to_table().replace_schema_metadata({_KEY: entry})
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        self._put(name, buffer.getvalue())
        return tally

    def write_manifest(self, tallies: Iterable[Tally]) -> dict[str, Any]:
        """Write what is done, for people and programs; returns it.

        Raises:
            SourceError: it cannot be written.
        """
        partitions = [asdict(tally) for tally in tallies]
        counts = ("photos", "faces", "without_face", "failed")
        manifest = {
            "settings": self._settings,
            **{name: sum(one[name] for one in partitions) for name in counts},
            "partitions": partitions,
        }
        self._put(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
        return manifest

    def _names(self) -> list[str]:
        try:
            found = self._files.ls(self._path, detail=False, refresh=True)
        except FileNotFoundError:
            if self._is_local:
                raise
            found = []  # object storage has a folder as soon as something is in it
        return [name for name in (str(one).rstrip("/").rpartition("/")[2] for one in found) if name]

    def _at(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"

    def _tally(self, name: str) -> Tally:
        with self._told("cannot be read"), self._files.open(self._at(name)) as file:
            try:
                entry = json.loads(pq.read_schema(file).metadata[_KEY])
                settings = entry.pop("settings")
                tally = Tally(**entry)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise SourceError(
                    f"{self.address}/{name}: is no whole partition of this command ({say(error)}); "
                    "take it away and go on with --resume"
                ) from error
        if settings != self._settings:
            raise SourceError(f"{self.address}: {_difference(settings, self._settings)}")
        return tally

    def _photos(self, tally: Tally) -> list[str]:
        with self._told("cannot be read"), self._files.open(self._at(tally.name)) as file:
            column = pq.read_table(file, columns=["image"]).column(0)
        return [*dict.fromkeys(column.to_pylist())]

    def _put(self, name: str, data: bytes) -> None:
        with self._told("cannot be written", "; finished partitions are kept: go on with --resume"):
            if self._is_local:
                _replace(Path(self._path), name, data)
            else:  # an object is there when all of it is
                self._files.pipe_file(self._at(name), data)

    @contextlib.contextmanager
    def _told(self, failure: str, advice: str = "") -> Iterator[None]:
        try:
            yield
        except SourceError:
            raise
        except Exception as error:  # each file system of fsspec raises what its client does
            raise SourceError(f"{self.address}: {failure} ({say(error)}){advice}") from error


def _replace(folder: Path, name: str, data: bytes) -> None:
    part = folder / f".{name}.{uuid.uuid4().hex}"
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    """Take away what writers left that were killed; a young file may still be written to."""
    for left in folder.glob(".part-*"):
        with contextlib.suppress(OSError):  # another run may clear up as well
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink()


def _is_ours(name: str) -> bool:
    return name == MANIFEST or name.startswith(".") or bool(_PARTITION.match(name))


def _difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    key = next(key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key))
    return (
        f"holds results with {key} {theirs.get(key)}, and this run has {ours.get(key)}; "
        "choose the same settings, or another folder"
    )
