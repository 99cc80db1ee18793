"""A bulk run: what is to be done, how far it is, and what came of it."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from edge.bulk.executors import Engine
from edge.bulk.partitions import Folder, Tally, part
from edge.bulk.photos import Photo
from edge.bulk.worker import Done, Plan
from edge.cli.progress import Progress
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints

_SAY_EVERY = 30.0  # seconds from one line to the next where there is no terminal


class BulkRun:
    """One run into one folder."""

    def __init__(self, detect: FaceKeypoints, output: str) -> None:
        """Plan a run into the folder `output`.

        Raises:
            MissingExtra, SourceError: there is no way to that kind of address.
        """
        address = output if "://" in output else os.path.abspath(output)
        self._plan = Plan(detect, address, _settings(detect))
        self._folder = Folder(output, self._plan.settings)
        self._tallies: dict[str, Tally] = {}
        self._new: list[Tally] = []

    @property
    def failed(self) -> int:
        """How many photos have failed in this run."""
        return sum(tally.failed for tally in self._new)

    def begin(self, resume: bool) -> None:
        """Make the folder, or with `resume` see what it holds.

        Raises:
            SourceError: as `Folder.begin`.
        """
        self._tallies = self._folder.begin(resume)
        self._folder.write_manifest(self._tallies.values())

    def run(self, photos: Sequence[Photo], size: int, engine: Engine) -> None:
        """Do the photos that are not done, and write the manifest, whatever ends the run.

        Args:
            photos: all of the run.
            size: photos in a partition.
            engine: who makes them.

        Raises:
            SourceError: a partition cannot be written, or workers cannot live.
        """
        done = self._folder.done(self._tallies.values())
        partitions = [*part(photos, size, self._plan.settings, done)]
        total = sum(len(one.photos) for one in partitions)
        if len(photos) > total:
            print(f"edge: {len(photos) - total:,} photos are done already", file=sys.stderr)
        meter = _Meter(total)
        try:
            with closing(engine.make(self._plan, partitions)) as results:
                for one in results:
                    self._note(one)
                    meter.step(one.photos)
        except BaseException:
            meter.clear()
            with suppress(SourceError):  # what ended the run is said, not what came of it
                self._write_manifest()
            raise
        meter.clear()
        self._write_manifest()
        self._sum_up(total, meter.rate)

    def _note(self, done: Done) -> None:
        if done.tally is None:
            raise SourceError(done.trouble)
        self._new.append(done.tally)

    def _write_manifest(self) -> None:
        """Of all that is finished, by other runs too."""
        self._tallies = self._folder.tallies([*self._tallies.values(), *self._new])
        self._folder.write_manifest(self._tallies.values())

    def _sum_up(self, total: int, rate: float) -> None:
        photos, faces, without = (
            sum(getattr(tally, name) for tally in self._new)
            for name in ("photos", "faces", "without_face")
        )
        if photos != total:
            raise SourceError(f"{total - photos:,} photos have no row; go on with --resume")
        print(
            f"edge: {total:,} photos: {faces:,} faces, {without:,} photos without a face, "
            f"{self.failed:,} failed; {rate:.1f} photos a second",
            file=sys.stderr,
        )


class _Meter(Progress):
    """A bar on a terminal, and elsewhere a line now and then."""

    def __init__(self, total: int) -> None:
        super().__init__("bulk", total, "photos")
        self._said = time.monotonic()

    def step(self, count: int = 1) -> None:
        super().step(count)
        now = time.monotonic()
        if not self._shown and now - self._said >= _SAY_EVERY:
            self._said = now
            print(f"edge: {self._line(now - self._start)}", file=sys.stderr)


def _settings(detect: FaceKeypoints) -> dict[str, Any]:
    """What rows depend on, alike wherever the models lie."""
    settings = detect.settings
    return {
        "model": _digest(settings.model),
        "detector": _digest(settings.detector)
        if isinstance(settings.detector, Path)
        else settings.detector,
        "min_score": settings.min_score,
        "max_faces": settings.max_faces,
        "detect_size": settings.detect_size,
    }


def _digest(path: Path) -> str:
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
