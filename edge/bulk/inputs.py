"""The photos of an archive, from what a person names: in the same order in every run.

A source is a folder (with the folders in it), a pattern, or a file: a picture, a list of addresses
(`.csv`, `.txt`, `.parquet`) or a Parquet column of pictures' bytes. Each may lie wherever fsspec
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

import fsspec

from edge.bulk.input_tables import is_table, photos_of_table
from edge.bulk.photos import Photo, photo_at, say
from edge.cli.filenames import is_image
from edge.errors import MissingExtra, SourceError


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of `count` into which photos are dealt by their names, wherever they are listed.

    Attributes:
        number: from 1.
        count: how many parts there are.
    """

    number: int = 1
    count: int = 1

    def holds(self, photo: Photo) -> bool:
        """Whether a photo belongs to this part; the rows of one row group stay together."""
        key = photo.place if photo.column else photo.name
        digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1


@dataclass(frozen=True, slots=True)
class Listing:
    """What sources hold.

    Attributes:
        photos: each name once, in order.
        problems: what could not be listed, a message each.
    """

    photos: list[Photo]
    problems: list[str]


def list_photos(
    words: Sequence[str], column: str | None = None, shard: Shard | None = None
) -> Listing:
    """List the photos that words on the command line name.

    Args:
        words: paths, patterns or addresses.
        column: of tables, the one with bytes or addresses; None for the first of bytes, else the
            first of text.
        shard: list this part alone.

    Raises:
        MissingExtra: a kind of address needs a package that is not installed.
    """
    photos: dict[str, Photo] = {}
    problems: list[str] = []
    part = shard or Shard()
    for word in words:
        try:
            for photo in _list_one(word, column, problems):
                if part.holds(photo):
                    photos.setdefault(photo.name, photo)
        except SourceError as error:
            problems.append(str(error))
    return Listing(list(photos.values()), problems)


def _list_one(word: str, column: str | None, problems: list[str]) -> Iterator[Photo]:
    files, path = open_address(word)
    try:
        found = _files_of(files, path, problems)
    except Exception as error:  # each file system of fsspec raises what its client does
        raise SourceError(f"{word}: cannot be listed ({say(error)})") from error
    if found is None and word.endswith("/"):
        raise SourceError(f"{word}: no such folder")
    if found == []:
        raise SourceError(f"{word}: holds no picture; of tables in it, give a pattern or each name")
    for one in [path] if found is None else found:
        name = _name(word, files, one)
        if is_table(one):
            yield from photos_of_table(name, files, one, column)
        else:
            yield photo_at(name)


def open_address(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there.

    Raises:
        MissingExtra: it needs a package that is not installed.
        SourceError: there is no such kind of address.
    """
    try:
        files, path = fsspec.url_to_fs(address)
    except ImportError as error:
        raise MissingExtra(f"{address}: {say(error)}") from error
    except Exception as error:  # each file system of fsspec raises what its client does
        raise SourceError(f"{address}: cannot be opened ({say(error)})") from error
    return files, path


def _files_of(files: Any, path: str, problems: list[str]) -> list[str] | None:
    """The files of a folder or a pattern, sorted; None for what is, or is said to be, a file."""
    if files.isdir(path):
        more = {}
        if "file" in _protocols(files):  # or a folder that may not be entered would not be told
            more["on_error"] = lambda error: problems.append(f"{error.filename}: {say(error)}")
        return [name for name in sorted(files.find(path, **more)) if is_image(Path(name))]
    if glob.has_magic(path) and not files.exists(path):
        return [name for name in sorted(files.glob(path)) if is_image(Path(name)) or is_table(name)]
    return None


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)


def _name(word: str, files: Any, path: str) -> str:
    """What a file is called: as it was typed, relative to the working folder or not."""
    if "://" in word:
        return str(files.unstrip_protocol(path))
    return path if os.path.isabs(word) else os.path.relpath(path)
