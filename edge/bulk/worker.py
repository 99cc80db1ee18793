"""The part of a bulk run that is done by each worker: one open `FaceKeypoints`, photo by photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge.bulk.partitions import Folder, Partition, Tally
from edge.bulk.photos import Photo, fetch
from edge.bulk.rows import Rows, look
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints

_DEADLY = "the process that looked at it ended: out of memory, or a crash"


@dataclass(frozen=True, slots=True)
class Plan:
    """What every worker of a run is told.

    Attributes:
        detect: pickled for a worker it takes its settings along, and is opened there again.
        output: address of the folder.
        settings: that rows depend on, written into each partition.
    """

    detect: FaceKeypoints
    output: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a partition: what it holds, or in `trouble` why it could not be written."""

    photos: int
    tally: Tally | None = None
    trouble: str = ""


class Worker:
    """Makes partitions."""

    def __init__(self, plan: Plan) -> None:
        """Open the folder; the models are open in `plan.detect`."""
        self._detect = plan.detect
        self._folder = Folder(plan.output, plan.settings)

    def make(self, partition: Partition, deadly: frozenset[str] = frozenset()) -> Done:
        """Look at a partition's photos and write it, unless that is done.

        Args:
            partition: to make.
            deadly: names of photos that end the process which looks at them; they are not looked
                at and count as failed.
        """
        try:
            tally = self._folder.find(partition.name)
            if tally is None:
                tally = self._folder.write(partition.name, self._look(partition, deadly))
        except SourceError as error:
            return Done(0, trouble=str(error))
        return Done(len(partition.photos), tally)

    def try_photo(self, photo: Photo) -> None:
        """Look at one photo and forget it: whoever calls learns whether this process survives."""
        self._look(Partition("", (photo,)), frozenset())

    def _look(self, partition: Partition, deadly: frozenset[str]) -> Rows:
        rows = Rows(self._detect.keypoint_names)
        fetched = fetch([photo for photo in partition.photos if photo.name not in deadly])
        for photo in partition.photos:
            data = _DEADLY if photo.name in deadly else next(fetched)
            if isinstance(data, str):
                rows.add_failed(photo.name, data)
            else:
                look(self._detect, rows, photo.name, data)
        return rows
