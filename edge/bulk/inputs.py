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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.bulk.input_tables import is_table, photos_of_table
from edge.bulk.photos import Photo, photo_at
from edge.bulk.storage import is_remote, open_address, storage_errors
from edge.cli.file_kinds import media_kind
from edge.cli.filenames import is_image_name
from edge.cli.folders import FolderListing, Skipped, is_left_out, list_folder, list_pattern
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
        digest = hashlib.blake2b(key.encode("utf-8", "backslashreplace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1


@dataclass(frozen=True, slots=True)
class Listing:
    """The photos of some sources.

    Attributes:
        photos: the photos in order, without duplicate names.
        problems: one message for each source or folder that could not be listed.
        skipped: one message for each reason why files of a folder or pattern are left out.
    """

    photos: list[Photo]
    problems: list[str]
    skipped: list[str] = field(default_factory=list)


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
    listing = Listing([], [])
    shard = shard or Shard()
    for source in sources:
        try:
            for photo in _photos_of_source(source, column, listing):
                if shard.contains(photo):
                    photos.setdefault(photo.name, photo)
        except SourceError as error:
            listing.problems.append(str(error))
    listing.photos.extend(photos.values())
    return listing


def _photos_of_source(source: str, column: str | None, listing: Listing) -> Iterator[Photo]:
    files, root = open_address(source)
    paths = _list_files(source, files, root, listing)
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


def _list_files(source: str, files: Any, root: str, listing: Listing) -> list[str] | None:
    """The files of a folder or a pattern, sorted; None if the source is a file or is missing."""
    with storage_errors(f"{source}: cannot be listed"):
        is_folder = files.isdir(root)
        if not is_folder and (files.exists(root) or not glob.has_magic(root)):
            return None
        is_local = _is_local(files)
        if is_local:
            found = list_folder(Path(root), True) if is_folder else list_pattern(root, True)
            paths = [str(path) for path in found.files]
        else:
            found = FolderListing()
            paths = files.find(root) if is_folder else files.glob(root)
            paths = [path for path in paths if not is_left_out(Path(path), found.skipped)]
    listing.problems.extend(found.problems)
    paths = [
        path
        for path in sorted(paths)
        if (is_table(path) and not is_folder) or _is_photo(Path(path), is_local, found.skipped)
    ]
    listing.skipped.extend(found.skipped.messages(source))
    return paths


def _is_local(files: Any) -> bool:
    protocols = (files.protocol,) if isinstance(files.protocol, str) else files.protocol
    return "file" in protocols


def _is_photo(path: Path, is_local: bool, skipped: Skipped) -> bool:
    """Whether a file that was found is a photo: by its name, or if it is near by its content."""
    if is_image_name(path):
        return True
    if not is_local:  # asking each file of an archive far away would take a request each
        skipped.add("files without the name of an image", path)
        return False
    kind = media_kind(path, skipped)
    if kind == "video":
        skipped.add("videos, which edge.run processes", path)
    return kind == "image"


def _display_name(source: str, files: Any, path: str) -> str:
    """The name of a file in results: an address, or a path relative or absolute as the source."""
    if is_remote(source):
        return str(files.unstrip_protocol(path))
    return path if os.path.isabs(source) else os.path.relpath(path)
