"""One worker of a job: an open `FaceKeypoints` that processes partitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge.analysis.assessment import Assessor
from edge.bulk.batches import process_photos
from edge.bulk.output_folder import OutputFolder
from edge.bulk.partitions import Partition, PartitionSummary
from edge.bulk.photos import Photo, fetch
from edge.bulk.rows import Rows
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints

# Part of the results, which earlier versions wrote with this wording.
_POISON = "the process that looked at it ended: out of memory, or a crash"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What each worker needs to know of the job; picklable.

    Attributes:
        detect: the models; unpickled in another process they are opened again.
        output: address of the output folder.
        settings: the settings that rows depend on, stored in each partition.
        assess: assesses the faces; None does not.
    """

    detect: FaceKeypoints
    output: str
    settings: dict[str, Any]
    assess: Assessor | None = None


@dataclass(frozen=True, slots=True)
class PartitionResult:
    """The outcome of one partition.

    Attributes:
        photos: number of photos in it.
        summary: its counts; None if it could not be written.
        error: why it could not be written, or empty.
    """

    photos: int
    summary: PartitionSummary | None = None
    error: str = ""


class Worker:
    """Computes partitions one after another."""

    def __init__(self, spec: JobSpec) -> None:
        """Open the output folder; the models are already open in `spec`."""
        self._detect, self._assess = spec.detect, spec.assess
        self._folder = OutputFolder(spec.output, spec.settings)

    def compute(
        self, partition: Partition, poison: frozenset[str] = frozenset()
    ) -> PartitionResult:
        """Process the photos of a partition and write it, unless it is already finished.

        Args:
            partition: the partition.
            poison: names of photos that crash the process; they are not read and count as failed.
        """
        try:
            summary = self._folder.find(partition.name)
            if summary is None:
                rows = self._process(partition.photos, poison)
                summary = self._folder.write(partition.name, rows)
        except SourceError as error:
            return PartitionResult(0, error=str(error))
        return PartitionResult(len(partition.photos), summary)

    def try_photo(self, photo: Photo) -> None:
        """Process one photo and discard the result, to see whether this process survives it."""
        self._process((photo,), frozenset())

    def _process(self, photos: tuple[Photo, ...], poison: frozenset[str]) -> Rows:
        assessed = self._assess.columns if self._assess else ()
        rows = Rows(self._detect.keypoint_names, self._detect.points68, assessed)
        fetched = fetch([photo for photo in photos if photo.name not in poison])
        process_photos(
            self._detect,
            rows,
            ((photo.name, _POISON if photo.name in poison else next(fetched)) for photo in photos),
            self._assess,
        )
        return rows
