"""What the server does with pictures: decode and search them in threads, look at faces together."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from edge.drawing import draw
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.image import Grey, Rgb, to_grey
from edge.image_writer import to_jpeg
from edge.memory_budget import MemoryBudget
from edge.networks.detections import Detections
from edge.records import to_record
from edge.serve.limits import Limits, Refusal
from edge.serve.metrics import Counts
from edge.serve.micro_batcher import Batcher
from edge.serve.multipart import Upload
from edge.serve.uploads import check_picture, decode, decode_grey

_MAX_THREADS = 4  # that decode and search: each may hold a large picture

_T = TypeVar("_T")
_ToLook = tuple[Grey, Detections]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one picture.

    Attributes:
        record: the JSON of `edge.records`.
        picture: the annotated picture as a JPEG file, or None where it was not asked for.
        timings_ms: what decoding, searching and looking took, waiting included.
    """

    record: dict[str, Any]
    picture: bytes | None
    timings_ms: dict[str, float]


@dataclass(slots=True)
class _Job:
    """A picture on its way; `held` is its share of the room for decoded ones."""

    upload: Upload
    annotated: bool
    deadline: float
    held: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Searched:
    """A decoded picture and where its faces are; `picture` only where it is to be drawn on."""

    grey: Grey
    found: Detections
    picture: Rgb | None


class Desk:
    """Answers requests, several at once, with one set of open models."""

    def __init__(self, detect: FaceKeypoints, limits: Limits, counts: Counts) -> None:
        """Answer with `detect`, which may be used by others too."""
        self.detect = detect
        self._limits, self._counts = limits, counts
        self._room = MemoryBudget(limits.room_bytes)
        count = min(os.cpu_count() or 1, _MAX_THREADS)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="edge-picture")
        # Of their own: pictures that wait for room must not keep those that hold it from leaving.
        self._writing = ThreadPoolExecutor(count, thread_name_prefix="edge-write")
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="edge-look")
        self._look: Batcher[_ToLook, list[Face]] = Batcher(
            self._look_at, limits.batch_seconds, self._looking, counts.batch.observe
        )
        self._tasks: set[asyncio.Task[Any]] = set()

    async def look(self, uploads: list[Upload], annotated: bool = False) -> list[Answer]:
        """Find the faces of pictures; one answer each, in order.

        Raises:
            Refusal: a picture cannot be used, or time is up.
        """
        deadline = time.monotonic() + self._limits.answer_seconds
        jobs = [_Job(upload, annotated, deadline) for upload in uploads]
        return await self._within(self._all(jobs))

    async def call(self, work: Callable[..., _T], *arguments: Any) -> _T:
        """Do other work in one of the threads.

        Raises:
            Refusal: time is up; and whatever the work raises.
        """
        loop = asyncio.get_running_loop()

        async def run() -> _T:
            return await loop.run_in_executor(self._threads, work, *arguments)

        return await self._within(run())

    def close(self) -> None:
        """Let the threads go; what they have begun is finished."""
        for threads in (self._threads, self._looking, self._writing):
            threads.shutdown(cancel_futures=True)

    async def _within(self, work: Coroutine[Any, Any, _T]) -> _T:
        # Threads cannot be stopped: what has begun runs on, and gives back what it holds.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        await asyncio.wait({task}, timeout=self._limits.answer_seconds)
        if not task.done():
            raise self._too_late()
        return task.result()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have left

    def _too_late(self) -> Refusal:
        return Refusal(
            504, f"no answer within {self._limits.answer_seconds:g} s; send less at once"
        )

    async def _all(self, jobs: list[_Job]) -> list[Answer]:
        results = await asyncio.gather(*map(self._one, jobs), return_exceptions=True)
        answers = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            answers.append(result)
        return answers

    async def _one(self, job: _Job) -> Answer:
        loop = asyncio.get_running_loop()
        try:
            searched, faces = await self._faces_of(job)
            self._counts.pictures.inc()
            self._counts.faces.inc(len(faces))
            return await loop.run_in_executor(self._writing, self._write, job, searched, faces)
        finally:
            self._room.release(job.held)

    async def _faces_of(self, job: _Job) -> tuple[_Searched, list[Face]]:
        loop = asyncio.get_running_loop()
        announced = True
        self._look.announce()
        try:
            searched = await loop.run_in_executor(self._threads, self._search, job)
            if not len(searched.found.boxes):
                return searched, []
            announced = False
            start = time.perf_counter()
            faces = await self._look((searched.grey, searched.found))
            job.timings_ms["look"] = _ms_since(start)
            return searched, faces
        finally:
            if announced:
                self._look.withdraw()

    def _search(self, job: _Job) -> _Searched:
        width, height = check_picture(job.upload, self._limits)
        needed = 4 * width * height  # RGB and grey
        self._room.acquire(needed, lambda: time.monotonic() > job.deadline)
        job.held = needed
        if time.monotonic() > job.deadline:
            raise self._too_late()
        start = time.perf_counter()
        picture = decode(job.upload) if job.annotated else None
        grey = decode_grey(job.upload) if picture is None else to_grey(picture)
        job.timings_ms["decode"] = _ms_since(start)
        start = time.perf_counter()
        found = self.detect.detect_faces(grey)
        job.timings_ms["search"] = _ms_since(start)
        return _Searched(grey, found, picture)

    def _look_at(self, some: list[_ToLook]) -> list[list[Face]]:
        return self.detect.predict_faces([grey for grey, _ in some], [found for _, found in some])

    def _write(self, job: _Job, searched: _Searched, faces: list[Face]) -> Answer:
        names = self.detect.keypoint_names
        height, width = searched.grey.shape
        record = to_record(job.upload.name, width, height, faces, names)
        picture = None
        if searched.picture is not None:
            picture = to_jpeg(draw(searched.picture, faces, names=names, show_error=True))
        return Answer(record, picture, job.timings_ms)


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
