"""The inference service: concurrent requests share workers, memory and time.

Each image is decoded, searched and measured by one worker, from its bytes to its record.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from starlette.exceptions import HTTPException

from edge.cli.memory_budget import MemoryBudget
from edge.cli.worker_process import WorkerDied
from edge.facekeypoints import FaceKeypoints
from edge.serve.assessing import Wanted
from edge.serve.image_processor import ImageProcessor, ImageResult
from edge.serve.limits import Limits
from edge.serve.metrics import Metrics
from edge.serve.multipart import Upload
from edge.serve.uploads import read_image_size
from edge.serve.workers import Workers

_BYTES_PER_PIXEL = 4  # of a decoded image: RGB and grey
_KEYPOINTS_ALONE = Wanted()

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _ImageJob:
    """An image that is being processed."""

    upload: Upload
    wanted: Wanted
    deadline: float


class InferenceService:
    """Processes the images of concurrent requests.

    Attributes:
        detect: the open models.
    """

    def __init__(
        self, detect: FaceKeypoints, limits: Limits, metrics: Metrics, workers: Workers
    ) -> None:
        """Process images with `workers`, which have the networks of `detect`."""
        self.detect = detect
        self._limits = limits
        self._metrics = metrics
        self._workers = workers
        self._memory = MemoryBudget(limits.decoded_bytes)
        self._threads = ThreadPoolExecutor(workers.count, "edge-worker")

    async def process(
        self, uploads: list[Upload], wanted: Wanted = _KEYPOINTS_ALONE
    ) -> list[ImageResult]:
        """Find the faces of uploaded images.

        Args:
            uploads: image files.
            wanted: what is computed beside the keypoints; see `ImageProcessor.find_faces`.

        Returns:
            One result per upload, in order.

        Raises:
            HTTPException: 413, 415 or 422 for an unusable image, 500 if its worker died, 504 after
                `answer_seconds`.
        """
        deadline = time.monotonic() + self._limits.answer_seconds
        wanted = replace(wanted, points68=wanted.points68 or self.detect.points68)
        jobs = [_ImageJob(upload, wanted, deadline) for upload in uploads]
        return await self._run([partial(self._find_faces, job) for job in jobs])

    async def predict_crops(self, uploads: list[Upload], points68: bool) -> list[dict[str, Any]]:
        """The records of face crops.

        Args:
            uploads: at least one file of crops.
            points68: with the 68 points, which the model must have.

        Raises:
            HTTPException: as `decode_crops`, 500 if the worker died, 504 after `answer_seconds`.
        """
        points68 = points68 or self.detect.points68

        work = partial(self._call, ImageProcessor.predict_crops, uploads, points68, self._limits)
        (records,) = await self._run([work])
        return records

    def close(self) -> None:
        """Shut the workers down; running work is finished, queued work is cancelled."""
        self._threads.shutdown(cancel_futures=True)
        self._workers.close()

    async def _run(self, works: Sequence[Callable[[], _T]]) -> list[_T]:
        """The results of functions that are run in the threads, once all have ended.

        After a timeout those that have begun go on, and release their memory.
        """
        loop = asyncio.get_running_loop()
        futures = [loop.run_in_executor(self._threads, work) for work in works]
        for future in futures:
            future.add_done_callback(_mark_retrieved)
        _, pending = await asyncio.wait(futures, timeout=self._limits.answer_seconds)
        if pending:
            for future in pending:
                future.cancel()  # what has not begun
            raise self._timeout_error()
        return [future.result() for future in futures]

    def _timeout_error(self) -> HTTPException:
        seconds = self._limits.answer_seconds
        return HTTPException(504, f"no result within {seconds:g} s; send fewer or smaller images")

    def _find_faces(self, job: _ImageJob) -> ImageResult:
        width, height = read_image_size(job.upload, self._limits)
        size_bytes = _BYTES_PER_PIXEL * width * height
        self._memory.acquire(size_bytes, lambda: time.monotonic() > job.deadline)
        try:
            if time.monotonic() > job.deadline:
                raise self._timeout_error()
            result = self._call(ImageProcessor.find_faces, job.upload, job.wanted)
        finally:
            self._memory.release(size_bytes)
        self._metrics.images.inc()
        self._metrics.batch_size.observe(1)
        self._metrics.faces.inc(len(result.record["faces"]))
        return result

    def _call(
        self, function: Callable[Concatenate[ImageProcessor, _P], _T],
        *args: _P.args, **kwargs: _P.kwargs,
    ) -> _T:  # fmt: skip
        try:
            return self._workers.call(function, *args, **kwargs)
        except WorkerDied as died:
            self._metrics.dead_workers.inc()
            raise HTTPException(
                500, "the process that worked on it ended: out of memory, or a crash"
            ) from died


def _mark_retrieved(future: asyncio.Future[Any]) -> None:
    """Keep asyncio from logging an error that no request waits for any more."""
    if not future.cancelled():
        future.exception()
