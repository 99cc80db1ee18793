"""A bulk job: which photos remain, progress, and the totals at its end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from edge.analysis.assessment import Assessor
from edge.bulk.executors import Executor
from edge.bulk.output_folder import OutputFolder
from edge.bulk.partitions import PartitionSummary, make_partitions
from edge.bulk.photos import Photo
from edge.bulk.storage import is_remote
from edge.bulk.worker import JobSpec, PartitionResult
from edge.cli.progress import Progress
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints
from edge.files import name_and_hash

_LOG_INTERVAL_S = 30.0  # between lines of progress where standard error is no terminal


class BulkJob:
    """One run over an archive, into one output folder."""

    def __init__(self, detect: FaceKeypoints, output: str, assess: Assessor | None = None) -> None:
        """Set up a job; nothing is read or written yet.

        Args:
            detect: the open models.
            output: path or address of the output folder.
            assess: assesses the faces; None does not.

        Raises:
            MissingExtra: the address needs a package that is not installed.
            SourceError: the address is unknown or incomplete.
        """
        address = output if is_remote(output) else os.path.abspath(output)
        settings = _settings_of_rows(detect) | (assess.settings if assess else {})
        self._spec = JobSpec(detect, address, settings, assess)
        self._folder = OutputFolder(output, self._spec.settings)
        self._summaries: dict[str, PartitionSummary] = {}
        self._new: list[PartitionSummary] = []

    @property
    def failed(self) -> int:
        """Number of photos that failed in this run, without those of earlier runs."""
        return sum(summary.failed for summary in self._new)

    def prepare(self, resume: bool) -> None:
        """Create the output folder or, with `resume`, read what is finished in it.

        Raises:
            SourceError: as for `OutputFolder.prepare`.
        """
        self._summaries = self._folder.prepare(resume)
        self._folder.write_manifest(self._summaries.values())

    def run(self, photos: Sequence[Photo], partition_size: int, executor: Executor) -> None:
        """Process the photos that are not finished; the manifest is written even if that fails.

        Args:
            photos: all photos of the job.
            partition_size: number of photos per partition.
            executor: where partitions are computed.

        Raises:
            SourceError: a partition cannot be written, or workers do not start.
        """
        finished = self._folder.finished_photos(self._summaries.values())
        settings = self._spec.settings
        partitions = [*make_partitions(photos, partition_size, settings, finished)]
        total = sum(len(partition.photos) for partition in partitions)
        if len(photos) > total:
            print(f"edge: {len(photos) - total:,} photos are done already", file=sys.stderr)
        progress = _JobProgress(total)
        try:
            with closing(executor.run(self._spec, partitions)) as results:
                for result in results:
                    self._count(result)
                    progress.step(result.photos)
        except BaseException:
            progress.clear()
            with suppress(SourceError):  # the first error is the one to report
                self._write_manifest()
            raise
        progress.clear()
        self._write_manifest()
        self._print_totals(total, progress.rate)

    def _count(self, result: PartitionResult) -> None:
        if result.summary is None:
            raise SourceError(result.error)
        self._new.append(result.summary)

    def _write_manifest(self) -> None:
        """Write the manifest of all finished partitions, including those of concurrent runs."""
        self._summaries = self._folder.summaries([*self._summaries.values(), *self._new])
        self._folder.write_manifest(self._summaries.values())

    def _print_totals(self, total: int, rate: float) -> None:
        photos = sum(summary.photos for summary in self._new)
        faces = sum(summary.faces for summary in self._new)
        without_face = sum(summary.without_face for summary in self._new)
        if photos != total:
            raise SourceError(f"{total - photos:,} photos have no row; continue with --resume")
        print(
            f"edge: {total:,} photos: {faces:,} faces, {without_face:,} photos without a face, "
            f"{self.failed:,} failed; {rate:.1f} photos a second",
            file=sys.stderr,
        )


class _JobProgress(Progress):
    """A progress bar on a terminal, and elsewhere a line every `_LOG_INTERVAL_S`."""

    def __init__(self, total: int) -> None:
        super().__init__("bulk", total, "photos")
        self._logged = time.monotonic()

    def step(self, count: int = 1) -> None:
        super().step(count)
        now = time.monotonic()
        if not self._shown and now - self._logged >= _LOG_INTERVAL_S:
            self._logged = now
            print(f"edge: {self._line(now - self._start)}", file=sys.stderr)


def _settings_of_rows(detect: FaceKeypoints) -> dict[str, Any]:
    """The settings that rows depend on; models by name and hash, wherever they are stored."""
    settings = detect.settings
    detector = settings.detector
    return {
        "model": name_and_hash(settings.model),
        "detector": name_and_hash(detector) if isinstance(detector, Path) else detector,
        "min_score": settings.min_score,
        "max_faces": settings.max_faces,
        "detect_size": settings.detect_size,
        **({} if settings.any_roll else {"any_roll": False}),
        # Absent where they are not asked for, as in the partitions of earlier versions.
        **({"points68": True} if settings.points68 else {}),
    }
