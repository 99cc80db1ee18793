"""A Ray cluster's workers as those of a bulk run, through Ray Data.

Partitions go in, what became of each comes out: photos and rows never pass through the driver, so
its memory does not grow. Ray gives a worker the next partition when it is free.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from edge.bulk.partitions import Folder, Partition
from edge.bulk.photos import Photo, say
from edge.bulk.worker import Done, Plan, Worker
from edge.errors import SourceError

# Before Ray is imported: nothing is sent anywhere, and what is for Ray's authors is not logged.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")

import ray
import ray.data
import ray.util.client
from ray.util.annotations import RayDeprecationWarning

# A cluster may ask for a token, and to an address that is given Ray shows none unless told to: an
# attempt without one looks as if nobody were there.
_TOKEN = "RAY_AUTH_MODE=token"
_RETRIES = 1  # of a partition whose worker died, before each of its photos is suspected
_BLOCKS = 4096  # that Ray keeps account of; each is one partition or, of very many, several


def run_ray(
    plan: Plan, partitions: Sequence[Partition], workers: int | None, address: str | None
) -> Iterator[Done]:
    """Make partitions; closed early, it drops those that are being made.

    Args:
        plan: what each worker is told.
        partitions: to make.
        workers: how many; None for as many as the cluster has processors.
        address: of the cluster; None for the one that runs here, or else a new one.

    Yields:
        What became of each, in any order.

    Raises:
        SourceError: there is no way to the cluster, or the folder is not the same on its machines.
    """
    ours = not ray.is_initialized()
    if ours:
        _connect(address)
    try:
        yield from _run(plan, partitions, workers or _processors())
    except ray.exceptions.RayError as error:
        raise SourceError(f"the cluster's workers fail: {_last_line(error)}") from error
    finally:
        if ours:
            ray.shutdown()


def _run(plan: Plan, partitions: Sequence[Partition], workers: int) -> Iterator[Done]:
    folder = Folder(plan.output, plan.settings)
    left = {partition.name: partition for partition in partitions}
    make = _map_there if ray.util.client.ray.is_connected() else _map
    for done in make(plan, partitions, workers):
        yield _checked(folder, done)
        if done.tally:
            del left[done.tally.name]
    for partition in left.values():
        yield _checked(folder, _make_warily(plan, partition))


def _last_line(error: Exception) -> str:
    """What was raised in a worker, after how it came there."""
    return str(error).strip().splitlines()[-1]


def _connect(address: str | None) -> None:
    more = {} if address else {"include_dashboard": False}
    try:
        with _quiet():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **more)
    except (OSError, RuntimeError, ValueError, ImportError, ray.exceptions.RayError) as error:
        raise SourceError(
            f"{address or 'Ray'}: no way to the cluster ({say(error)}); is it running, of this "
            f"version of Ray, {ray.__version__}, and if it asks for a token, is {_TOKEN} set here?"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what Ray writes to standard error beside what it raises: a line for each attempt."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _processors() -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _map(plan: Plan, partitions: Sequence[Partition], workers: int) -> Iterator[Done]:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # a worker that died is not the end of the run
    logging.getLogger("ray.data").setLevel(logging.CRITICAL + 1)
    # Ray warns that 2.64 will not let retries be limited; until then nothing else does.
    warnings.filterwarnings("ignore", category=RayDeprecationWarning)
    items = [pickle.dumps(partition) for partition in partitions]
    dataset = ray.data.from_items(items, override_num_blocks=min(len(items), _BLOCKS)).map_batches(
        _Maker,
        fn_constructor_args=(plan,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(items))),
        num_cpus=1,
        max_task_retries=_RETRIES,
    )
    for row in dataset.iter_rows():
        yield pickle.loads(row["done"])


def _map_there(plan: Plan, partitions: Sequence[Partition], workers: int) -> Iterator[Done]:
    """As `_map`, by way of ray://, through which Ray Data itself does not work."""
    driver = ray.remote(num_cpus=0)(_Driver).remote(plan, partitions, workers)
    while done := ray.get(driver.next.remote()):
        yield done


class _Driver:
    """Drives a run from within the cluster; it ends with whoever is connected."""

    def __init__(self, plan: Plan, partitions: Sequence[Partition], workers: int) -> None:
        self._made = _map(plan, partitions, workers)

    def next(self) -> Done | None:
        return next(self._made, None)


class _Maker:
    """A worker as Ray Data calls it."""

    def __init__(self, plan: Plan) -> None:
        self._worker = Worker(plan)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        made = [self._worker.make(pickle.loads(item)) for item in batch["item"]]
        return {"done": [pickle.dumps(done) for done in made]}


def _checked(folder: Folder, done: Done) -> Done:
    if done.tally and folder.find(done.tally.name) is None:
        raise SourceError(
            f"{folder.address}: what a worker wrote is not here: the folder is not the same on all "
            "machines; give one that they share, or an address as s3://"
        )
    return done


def _make_warily(plan: Plan, partition: Partition) -> Done:
    """Make a partition at which workers died, without the photos that kill them."""
    once = ray.remote(num_cpus=1, max_retries=0)
    attempts = [once(_try).remote(plan, photo) for photo in partition.photos]
    deadly = [
        photo.name
        for photo, attempt in zip(partition.photos, attempts, strict=True)
        if _kills(attempt)
    ]
    try:
        done: Done = ray.get(once(_make).remote(plan, partition, frozenset(deadly)))
    except ray.exceptions.RayError as error:
        return Done(0, trouble=f"workers keep dying at {partition.photos[0].name} ({error})")
    return done


def _kills(attempt: Any) -> bool:
    try:
        ray.get(attempt)
    except ray.exceptions.WorkerCrashedError:
        return True
    return False


def _try(plan: Plan, photo: Photo) -> None:
    Worker(plan).try_photo(photo)


def _make(plan: Plan, partition: Partition, deadly: frozenset[str]) -> Done:
    return Worker(plan).make(partition, deadly)
