"""The photos of an archive, listed from command-line arguments in the same order in every run.

A source is a folder (with its subfolders), a glob pattern, or a file: an image, a list of addresses
(`.csv`, `.txt`, `.parquet`) or a Parquet column of encoded images. Each may be anywhere that fsspec
reaches.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.bulk.input_tables import is_table, photos_of_table
from edge.bulk.photos import Photo, photo_at
from edge.bulk.storage import describe, is_remote, open_address, storage_errors
from edge.cli.filenames import is_image
from edge.errors import SourceError


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts of the photos, selected by a hash of their names.

    Attributes:
        number: number of the shard, from 1.
        count: number of shards.
    """

    number: int = 1
    count: int = 1

    def contains(self, photo: Photo) -> bool:
        """Whether a photo is in this shard; all rows of a row group are in the same one."""
        key = photo.read_unit if photo.column else photo.name
        digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1


@dataclass(frozen=True, slots=True)
class Listing:
    """The photos of some sources.

    Attributes:
        photos: the photos in order, without duplicate names.
        problems: one message for each source or folder that could not be listed.
    """

    photos: list[Photo]
    problems: list[str]


def list_photos(
    sources: Sequence[str], column: str | None = None, shard: Shard | None = None
) -> Listing:
    """List the photos of sources.

    Args:
        sources: paths, glob patterns or addresses.
        column: of tables, the column of bytes or addresses; None for the first of bytes, or else
            the first of text.
        shard: the shard to list; None for all photos.

    Raises:
        MissingExtra: an address needs a package that is not installed.
    """
    photos: dict[str, Photo] = {}
    problems: list[str] = []
    shard = shard or Shard()
    for source in sources:
        try:
            for photo in _photos_of_source(source, column, problems):
                if shard.contains(photo):
                    photos.setdefault(photo.name, photo)
        except SourceError as error:
            problems.append(str(error))
    return Listing(list(photos.values()), problems)


def _photos_of_source(source: str, column: str | None, problems: list[str]) -> Iterator[Photo]:
    files, root = open_address(source)
    paths = _list_files(source, files, root, problems)
    if paths is None and source.endswith("/"):
        raise SourceError(f"{source}: no such folder")
    if paths == []:
        raise SourceError(
            f"{source}: holds no image; for tables in it, give a pattern or each file's name"
        )
    for path in [root] if paths is None else paths:
        name = _display_name(source, files, path)
        if is_table(path):
            yield from photos_of_table(name, files, path, column)
        else:
            yield photo_at(name)


def _list_files(source: str, files: Any, root: str, problems: list[str]) -> list[str] | None:
    """The files of a folder or a pattern, sorted; None if the source is a file or is missing."""
    with storage_errors(f"{source}: cannot be listed"):
        if files.isdir(root):
            paths = files.find(root, **_find_options(files, problems))
            with_tables = False
        elif glob.has_magic(root) and not files.exists(root):
            paths = files.glob(root)
            with_tables = True
        else:
            return None
    return [
        path for path in sorted(paths) if is_image(Path(path)) or (with_tables and is_table(path))
    ]


def _find_options(files: Any, problems: list[str]) -> dict[str, Any]:
    """Options that report local folders without read permission, which are otherwise skipped."""
    protocols = (files.protocol,) if isinstance(files.protocol, str) else files.protocol
    if "file" not in protocols:
        return {}
    return {"on_error": lambda error: problems.append(f"{error.filename}: {describe(error)}")}


def _display_name(source: str, files: Any, path: str) -> str:
    """The name of a file in results: an address, or a path relative or absolute as the source."""
    if is_remote(source):
        return str(files.unstrip_protocol(path))
    return path if os.path.isabs(source) else os.path.relpath(path)
