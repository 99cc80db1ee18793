"""The folder of results: Parquet partitions, each complete or absent, and a manifest.

The partitions themselves record what is finished; the manifest is derived from them.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from edge.bulk.partitions import PartitionSummary, is_partition
from edge.bulk.rows import Rows
from edge.bulk.storage import describe, is_remote, open_address, storage_errors
from edge.errors import SourceError
from edge.files import TEMPORARY_PREFIX, write_atomically

MANIFEST = "_manifest.json"  # readers of Parquet folders ignore names that begin with _ or a dot

_METADATA_KEY = b"edge"  # of this package's entry in a partition's schema metadata
_READERS = 16  # partitions whose footers are read concurrently
_ABANDONED_S = 3600  # age at which a temporary file can no longer be in use


class OutputFolder:
    """The partitions of a job; several processes may open the same folder."""

    def __init__(self, address: str, settings: dict[str, Any]) -> None:
        """Open the file system of `address`; the folder is neither read nor created.

        Args:
            address: path or address of the folder.
            settings: the settings that rows depend on, stored in each partition.

        Raises:
            MissingExtra: the address needs a package that is not installed.
            SourceError: the address is unknown or incomplete.
        """
        self.address = address
        self._settings = settings
        self._files, self._root = open_address(address)
        self._is_local = not is_remote(address)

    def prepare(self, resume: bool) -> dict[str, PartitionSummary]:
        """Create the folder, or check that the job can resume in it.

        Args:
            resume: whether the folder may hold results already.

        Returns:
            The finished partitions, by name.

        Raises:
            SourceError: the folder cannot be created or read, holds other files or results of other
                settings, or holds results and `resume` is false.
        """
        failure = "cannot be created or read"
        with self._errors(failure):
            self._files.makedirs(self._root, exist_ok=True)
        names = self._names(failure)
        foreign = [name for name in names if not _is_own_file(name)]
        if foreign:
            raise SourceError(
                f"{self.address}: holds other files ({foreign[0]}); expected a new folder or the "
                "output of an earlier run; choose another folder"
            )
        if not resume and any(is_partition(name) for name in names):
            raise SourceError(
                f"{self.address}: holds results already; add --resume to continue, or choose "
                "another folder"
            )
        if self._is_local:
            _remove_abandoned_files(Path(self._root))
        return self.summaries()

    def summaries(self, known: Iterable[PartitionSummary] = ()) -> dict[str, PartitionSummary]:
        """Read the summaries of all finished partitions.

        Args:
            known: summaries read earlier, which are not read again.

        Returns:
            The summaries by name, sorted.

        Raises:
            SourceError: a partition cannot be read, is damaged, or has other settings.
        """
        by_name = {summary.name: summary for summary in known}
        unread = [
            name
            for name in self._names("cannot be read")
            if is_partition(name) and name not in by_name
        ]
        with ThreadPoolExecutor(_READERS) as pool:
            by_name.update((summary.name, summary) for summary in pool.map(self._summary, unread))
        return dict(sorted(by_name.items()))

    def finished_photos(self, summaries: Iterable[PartitionSummary]) -> set[str]:
        """The names of the photos in finished partitions.

        Raises:
            SourceError: a partition cannot be read.
        """
        with ThreadPoolExecutor(_READERS) as pool:
            return set().union(*pool.map(self._photo_names, summaries))

    def find(self, name: str) -> PartitionSummary | None:
        """The summary of one partition, or None if it is not finished.

        The storage itself is queried, as another process may have written the partition.

        Raises:
            SourceError: as for `summaries`.
        """
        with self._errors("cannot be read"):
            self._files.invalidate_cache(self._root)
            exists = self._files.exists(self._path(name))
        return self._summary(name) if exists else None

    def write(self, name: str, rows: Rows) -> PartitionSummary:
        """Write a partition atomically.

        Raises:
            SourceError: it cannot be written; no part of it remains.
        """
        summary = PartitionSummary(name, rows.photos, rows.faces, rows.without_face, rows.failed)
        entry = json.dumps({"settings": self._settings, **asdict(summary)})
        table = rows.to_table().replace_schema_metadata({_METADATA_KEY: entry})
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        self._write_file(name, buffer.getvalue())
        return summary

    def write_manifest(self, summaries: Iterable[PartitionSummary]) -> dict[str, Any]:
        """Write a JSON summary of the finished partitions.

        Returns:
            The content of the manifest.

        Raises:
            SourceError: it cannot be written.
        """
        partitions = [asdict(summary) for summary in summaries]
        counts = ("photos", "faces", "without_face", "failed")
        manifest = {
            "settings": self._settings,
            **{count: sum(partition[count] for partition in partitions) for count in counts},
            "partitions": partitions,
        }
        self._write_file(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
        return manifest

    def _errors(self, failure: str, advice: str = "") -> AbstractContextManager[None]:
        return storage_errors(f"{self.address}: {failure}", advice)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _names(self, failure: str) -> list[str]:
        with self._errors(failure):
            try:
                paths = self._files.ls(self._root, detail=False, refresh=True)
            except FileNotFoundError:
                if self._is_local:
                    raise
                paths = []  # object storage has no empty folders
        names = [str(path).rstrip("/").rpartition("/")[2] for path in paths]
        return [name for name in names if name]

    def _summary(self, name: str) -> PartitionSummary:
        with self._errors("cannot be read"), self._files.open(self._path(name)) as file:
            settings, summary = self._read_metadata(name, file)
        if settings != self._settings:
            raise SourceError(f"{self.address}: {_describe_difference(settings, self._settings)}")
        return summary

    def _read_metadata(self, name: str, file: Any) -> tuple[dict[str, Any], PartitionSummary]:
        """Settings and summary of a partition, from its schema metadata."""
        try:
            entry = json.loads(pq.read_schema(file).metadata[_METADATA_KEY])
            settings = entry.pop("settings")
            return settings, PartitionSummary(**entry)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"{self.address}/{name}: not a complete partition ({describe(error)}); "
                "delete it and rerun with --resume"
            ) from error

    def _photo_names(self, summary: PartitionSummary) -> list[str]:
        with self._errors("cannot be read"), self._files.open(self._path(summary.name)) as file:
            names: list[str] = pq.read_table(file, columns=["image"]).column(0).to_pylist()
        return names

    def _write_file(self, name: str, data: bytes) -> None:
        advice = "; finished partitions are kept: continue with --resume"
        with self._errors("cannot be written", advice):
            if self._is_local:
                _write_durably(Path(self._root) / name, data)
            else:  # an upload to object storage is atomic
                self._files.pipe_file(self._path(name), data)


def _write_durably(path: Path, data: bytes) -> None:
    with write_atomically(path) as part, part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # before the rename, or a power failure may leave an empty file


def _remove_abandoned_files(folder: Path) -> None:
    """Delete temporary files of interrupted runs; a recent one may still be in use."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
        with suppress(OSError):  # another process may delete it at the same time
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()


def _is_own_file(name: str) -> bool:
    return name == MANIFEST or name.startswith(".") or is_partition(name)


def _describe_difference(stored: dict[str, Any], current: dict[str, Any]) -> str:
    key = next(key for key in {**stored, **current} if stored.get(key) != current.get(key))
    return (
        f"holds results with {key} {stored.get(key)}, and this run has {current.get(key)}; "
        "use the same settings, or another folder"
    )
