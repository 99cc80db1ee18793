"""What the stages of a photo allow: processes that do nothing but infer, each by itself.

A server cannot answer more requests than these processes finish photos.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any

from edge.facekeypoints import FaceKeypoints
from edge.serve.assessing import Wanted
from edge.serve.image_processor import ImageProcessor
from edge.serve.multipart import Upload

_WARM_UP = 20  # photos of each process
_TIMEOUT_S = 600.0


def pipeline_rate(photo: bytes, processes: int, photos: int) -> float:
    """Photos a second of several processes together, from a file to its JSON.

    Args:
        photo: an image file.
        processes: how many run at once.
        photos: how many each of them processes.

    Raises:
        OSError: a process failed.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    pipes = [context.Pipe(duplex=False) for _ in range(processes)]
    workers = [
        context.Process(target=_measure, args=(photo, photos, barrier, theirs))
        for _, theirs in pipes
    ]
    for worker in workers:
        worker.start()
    try:
        for _, theirs in pipes:
            theirs.close()
        rates: list[float] = [ours.recv() for ours, _ in pipes]
    except EOFError as error:
        raise OSError("a process that measures the stages failed") from error
    finally:
        for worker in workers:
            worker.join(_TIMEOUT_S)
    return sum(rates)


def _measure(photo: bytes, photos: int, barrier: Any, pipe: Connection[Any, Any]) -> None:
    """Send the photos a second of this process."""
    processor, upload = ImageProcessor(FaceKeypoints()), Upload("picture", photo)

    def process() -> None:
        json.dumps(processor.find_faces(upload, Wanted()).record)

    for _ in range(_WARM_UP):
        process()
    barrier.wait(_TIMEOUT_S)
    start = time.perf_counter()
    for _ in range(photos):
        process()
    pipe.send(photos / (time.perf_counter() - start))
