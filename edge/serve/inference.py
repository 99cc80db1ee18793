"""The inference service: concurrent requests share one set of open models.

Each image is decoded and its faces are detected in a thread pool; the faces of concurrent images
are batched for the keypoint network (`micro_batcher`); results are encoded in a second pool.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from starlette.exceptions import HTTPException

from edge.analysis.assessment import Assessment
from edge.cli.memory_budget import MemoryBudget
from edge.crop import Levels
from edge.drawing import draw
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.formats.focal import read_focal
from edge.formats.image_writer import to_jpeg
from edge.image import Grey, Rgb, to_grey
from edge.networks.detections import Detections
from edge.records import to_record
from edge.serve.assessing import FaceAssessor, Wanted
from edge.serve.limits import Limits
from edge.serve.metrics import Metrics
from edge.serve.micro_batcher import MicroBatcher
from edge.serve.multipart import Upload
from edge.serve.uploads import decode_grey, decode_rgb, read_image_size

_MAX_THREADS = 4  # of each pool: every one may hold a large decoded image
_BYTES_PER_PIXEL = 4  # of a decoded image: RGB and grey
# Stages in the Server-Timing header. Clients read these names, so that they stay as published.
_DECODE = "decode"
_DETECT = "search"
_PREDICT = "look"
_MEASURE = "measure"

_KEYPOINTS_ALONE = Wanted()

_T = TypeVar("_T")
_BatchItem = tuple[Grey | Levels, Detections, bool]  # whether the 68 points are asked for


@dataclass(frozen=True, slots=True)
class ImageResult:
    """The result for one image.

    Attributes:
        record: the JSON object of `edge.records`.
        annotated_jpeg: the image with its faces drawn, a JPEG file; None if not requested.
        timings_ms: duration of each stage by its name in Server-Timing, queueing included.
    """

    record: dict[str, Any]
    annotated_jpeg: bytes | None
    timings_ms: dict[str, float]


@dataclass(slots=True)
class _ImageJob:
    """An image that is being processed; `reserved_bytes` are its share of the memory budget."""

    upload: Upload
    wanted: Wanted
    deadline: float
    reserved_bytes: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _DetectedImage:
    """A decoded image and its detections; `rgb` only if an annotated copy is requested."""

    grey: Grey | Levels
    detections: Detections
    rgb: Rgb | None


class InferenceService:
    """Processes the images of concurrent requests.

    Attributes:
        detect: the open models.
    """

    def __init__(self, detect: FaceKeypoints, limits: Limits, metrics: Metrics) -> None:
        """Process images with `detect`, which other threads may use too."""
        self.detect = detect
        self._limits = limits
        self._metrics = metrics
        self._assess = FaceAssessor()
        self._memory = MemoryBudget(limits.decoded_bytes)
        thread_count = min(os.cpu_count() or 1, _MAX_THREADS)
        self._image_threads = ThreadPoolExecutor(thread_count, "edge-image")
        # A separate pool: images that wait for memory must not block those that would release it.
        self._encoding_threads = ThreadPoolExecutor(thread_count, "edge-encode")
        self._keypoint_thread = ThreadPoolExecutor(1, "edge-keypoints")
        self._batcher: MicroBatcher[_BatchItem, list[Face]] = MicroBatcher(
            self._predict_batch,
            limits.batch_seconds,
            self._keypoint_thread,
            metrics.batch_size.observe,
        )
        self._tasks: set[asyncio.Task[Any]] = set()

    async def process(
        self, uploads: list[Upload], wanted: Wanted = _KEYPOINTS_ALONE
    ) -> list[ImageResult]:
        """Find the faces of uploaded images.

        Args:
            uploads: image files.
            wanted: what is computed beside the keypoints; the model must have the 68 points where
                they are asked for, and where they are only needed, measures go without.

        Returns:
            One result per upload, in order.

        Raises:
            HTTPException: 413, 415 or 422 for an unusable image, 504 after `answer_seconds`.
        """
        deadline = time.monotonic() + self._limits.answer_seconds
        wanted = replace(wanted, points68=wanted.points68 or self.detect.points68)
        jobs = [_ImageJob(upload, wanted, deadline) for upload in uploads]
        return await self._run_in_time(self._process_all(jobs))

    async def run_in_thread(self, work: Callable[[], _T]) -> _T:
        """Run a function in the pool for images.

        Raises:
            HTTPException: 504 after `answer_seconds`; and whatever `work` raises.
        """
        loop = asyncio.get_running_loop()

        async def run() -> _T:
            return await loop.run_in_executor(self._image_threads, work)

        return await self._run_in_time(run())

    def close(self) -> None:
        """Shut the threads down; running work is finished, queued work is cancelled."""
        for threads in (self._image_threads, self._keypoint_thread, self._encoding_threads):
            threads.shutdown(cancel_futures=True)

    async def _run_in_time(self, work: Coroutine[Any, Any, _T]) -> _T:
        # Threads cannot be interrupted: after a timeout the task runs on and releases its memory.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._discard_task)
        await asyncio.wait({task}, timeout=self._limits.answer_seconds)
        if not task.done():
            raise self._timeout_error()
        return task.result()

    def _discard_task(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as retrieved, as the request may be gone

    def _timeout_error(self) -> HTTPException:
        seconds = self._limits.answer_seconds
        return HTTPException(504, f"no result within {seconds:g} s; send fewer or smaller images")

    async def _process_all(self, jobs: list[_ImageJob]) -> list[ImageResult]:
        if len(jobs) == 1:  # without a task of its own
            return [await self._process_one(jobs[0])]
        outcomes = await asyncio.gather(*map(self._process_one, jobs), return_exceptions=True)
        results = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            results.append(outcome)
        return results

    async def _process_one(self, job: _ImageJob) -> ImageResult:
        loop = asyncio.get_running_loop()
        try:
            image, faces = await self._find_faces(job)
            self._metrics.images.inc()
            self._metrics.faces.inc(len(faces))
            return await loop.run_in_executor(
                self._encoding_threads, self._encode, job, image, faces
            )
        finally:
            self._memory.release(job.reserved_bytes)

    async def _find_faces(self, job: _ImageJob) -> tuple[_DetectedImage, list[Face]]:
        loop = asyncio.get_running_loop()
        self._batcher.announce()
        try:
            image = await loop.run_in_executor(self._image_threads, self._decode_and_detect, job)
        except BaseException:
            self._batcher.withdraw()
            raise
        if not len(image.detections.boxes):
            self._batcher.withdraw()
            return image, []
        start = time.perf_counter()
        needs_points68 = job.wanted.needs_points68 and self.detect.model.has_points68
        faces = await self._batcher.submit((image.grey, image.detections, needs_points68))
        job.timings_ms[_PREDICT] = _ms_since(start)
        return image, faces

    def _decode_and_detect(self, job: _ImageJob) -> _DetectedImage:
        self._reserve_memory(job)
        start = time.perf_counter()
        rgb = decode_rgb(job.upload) if job.wanted.annotated else None
        grey = decode_grey(job.upload, self.detect) if rgb is None else to_grey(rgb)
        job.timings_ms[_DECODE] = _ms_since(start)
        start = time.perf_counter()
        detections = self.detect.detect_faces(grey)
        job.timings_ms[_DETECT] = _ms_since(start)
        return _DetectedImage(grey, detections, rgb)

    def _reserve_memory(self, job: _ImageJob) -> None:
        width, height = read_image_size(job.upload, self._limits)
        size_bytes = _BYTES_PER_PIXEL * width * height
        self._memory.acquire(size_bytes, lambda: time.monotonic() > job.deadline)
        job.reserved_bytes = size_bytes
        if time.monotonic() > job.deadline:
            raise self._timeout_error()

    def _predict_batch(self, batch: list[_BatchItem]) -> list[list[Face]]:
        greys, detections, requested = zip(*batch, strict=True)
        results = self.detect.predict_faces(list(greys), list(detections), any(requested))
        return [
            faces if points68 else [replace(face, points68=None) for face in faces]
            for faces, points68 in zip(results, requested, strict=True)
        ]

    def _encode(self, job: _ImageJob, image: _DetectedImage, faces: list[Face]) -> ImageResult:
        assessments = self._measure(job, image, faces)
        if not job.wanted.points68:
            faces = [replace(face, points68=None) for face in faces]
        names = self.detect.keypoint_names
        height, width = image.grey.shape
        record = to_record(job.upload.name, width, height, faces, names)
        for entry, assessment in zip(record["faces"], assessments, strict=True):
            entry.update(assessment.to_dict())
        jpeg = None
        if image.rgb is not None:
            drawn = draw(
                image.rgb,
                faces,
                names=names,
                show_error=True,
                show_points68=True,
                visible=[assessment.visible for assessment in assessments],
            )
            jpeg = to_jpeg(drawn)
        return ImageResult(record, jpeg, job.timings_ms)

    def _measure(
        self, job: _ImageJob, image: _DetectedImage, faces: list[Face]
    ) -> list[Assessment]:
        start = time.perf_counter()
        focal = read_focal(job.upload.data) if job.wanted.analyze else None
        assessments = self._assess(image.grey, faces, job.wanted, focal)
        if job.wanted.is_assessed:
            job.timings_ms[_MEASURE] = _ms_since(start)
        return assessments


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
