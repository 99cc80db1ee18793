"""Folders searched for images and videos: what is found, and what is skipped and why."""

from __future__ import annotations

import fnmatch
import glob
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge.cli.filenames import is_result, is_system_name
from edge.errors import first_line

_MAX_NAMES = 3  # of skipped files that a message names
_HIDDEN = "hidden or system files"
RESULTS = "results of an earlier run"
_BROKEN_LINKS = "links to nothing"
_LINKED_TWICE = "links to folders that are searched already"
_SPECIAL = "neither files nor folders"


@dataclass(slots=True)
class Skipped:
    """Files and folders that were left out, by reason."""

    _names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, path: Path) -> None:
        """Leave out one file; `reason` is a plural noun, which says what such files are."""
        self._names.setdefault(reason, []).append(path.name)

    def messages(self, source: str) -> list[str]:
        """One line per reason, with the number and some names, for the files of `source`."""
        lines = []
        for reason, names in self._names.items():
            shown = ", ".join(names[:_MAX_NAMES])
            more = f" and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else ""
            lines.append(f"{source}: skipped {reason}: {shown}{more}")
        return lines


@dataclass(slots=True)
class FolderListing:
    """The files of a folder.

    Attributes:
        files: sorted, without hidden and system files and results of earlier runs.
        skipped: what was left out.
        problems: a message for each folder that could not be read.
        subfolders: number of subfolders that were not searched.
    """

    files: list[Path] = field(default_factory=list)
    skipped: Skipped = field(default_factory=Skipped)
    problems: list[str] = field(default_factory=list)
    subfolders: int = 0


def list_folder(folder: Path, recursive: bool) -> FolderListing:
    """List the files of a folder.

    Args:
        folder: an existing folder, or a link to one.
        recursive: search its subfolders too. Linked folders are followed once: a folder that
            several paths lead to is listed under the one without a link where there is one, and a
            link to a folder that contains it ends there.
    """
    listing = FolderListing()
    pending, links = [folder], list[Path]()
    visited = set[tuple[int, int]]()
    while pending or links:
        current = pending.pop() if pending else links.pop(0)
        try:
            status = current.stat()
            if (status.st_dev, status.st_ino) in visited:
                listing.skipped.add(_LINKED_TWICE, current)
                continue
            visited.add((status.st_dev, status.st_ino))
            folders = _list_one(current, listing)
        except OSError as error:
            listing.problems.append(f"{current}: {error.strerror or first_line(error)}")
            continue
        if not recursive:
            listing.subfolders = len(folders)
            break
        links += [path for path in folders if path.is_symlink()]
        pending += [path for path in folders if not path.is_symlink()]
    listing.files.sort()
    return listing


def _list_one(folder: Path, listing: FolderListing) -> list[Path]:
    """Add the files of one folder to `listing`; returns its subfolders, sorted."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = folder / entry.name
            if _has_hidden_attribute(entry):
                listing.skipped.add(_HIDDEN, path)
            elif is_left_out(path, listing.skipped):
                continue
            elif path.is_dir():  # unlike the entry's own, False for a link to itself
                folders.append(path)
            elif path.is_file():
                listing.files.append(path)
            else:
                listing.skipped.add(_BROKEN_LINKS if entry.is_symlink() else _SPECIAL, path)
    return folders


def list_pattern(pattern: str, recursive: bool) -> FolderListing:
    """List the files that a glob pattern matches, without those that `list_folder` leaves out.

    Args:
        pattern: as in Python's `glob`; hidden files are left out, unless the pattern names them.
        recursive: whether `**` stands for folders at any depth; links are then followed as
            `list_folder` does, where `glob` would go round in loops.
    """
    listing = FolderListing()
    parts = Path(pattern).parts
    if recursive and "**" in parts:
        fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
        listing = list_folder(Path(*parts[:fixed]), recursive=True)
        found = listing.files
        listing.files = [p for p in found if _matches(p.parts[fixed:], parts[fixed:])]
        return listing
    named = set(parts)
    for path in sorted(map(Path, glob.glob(pattern))):
        is_in_system_folder = any(is_system_name(part) for part in {*path.parts[:-1]} - named)
        if path.is_file() and not is_in_system_folder and not is_left_out(path, listing.skipped):
            listing.files.append(path)
    return listing


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (bool(parts) and _matches(parts[1:], pattern))
    is_first = bool(parts) and fnmatch.fnmatch(parts[0], pattern[0])
    return is_first and _matches(parts[1:], pattern[1:])


def is_left_out(path: Path, skipped: Skipped) -> bool:
    """Whether a file is hidden, a system's own or a result of this program, by its name."""
    if is_system_name(path.name):
        skipped.add(_HIDDEN, path)
    elif is_result(path):
        skipped.add(RESULTS, path)
    else:
        return False
    return True


def _has_hidden_attribute(entry: os.DirEntry[str]) -> bool:
    """Whether Windows marks a file as hidden or as the system's."""
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & (stat.FILE_ATTRIBUTE_HIDDEN | stat.FILE_ATTRIBUTE_SYSTEM))
