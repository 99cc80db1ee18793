"""Ray executor: partitions computed by the workers of a Ray cluster, through Ray Data.

Partitions go to the cluster and results come back. Photos and rows never pass through the driver,
so that its memory does not grow with them. Ray sends a worker its next partition when it is idle.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from edge.bulk.output_folder import OutputFolder
from edge.bulk.partitions import Partition
from edge.bulk.photos import Photo
from edge.bulk.storage import describe
from edge.bulk.worker import JobSpec, PartitionResult, Worker
from edge.errors import SourceError

# Set before Ray starts its processes: no usage statistics, and no logs for Ray's own developers.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")

import ray
import ray.data
import ray.util.client
from ray.util.annotations import RayDeprecationWarning

# A cluster may require a token. For an explicit address Ray sends none unless this is set, and the
# attempt then fails as if there were no cluster.
_TOKEN_SETTING = "RAY_AUTH_MODE=token"
_RETRIES = 1  # of a partition whose worker died, before its photos are tried separately
_MAX_BLOCKS = 4096  # blocks that Ray schedules; above it, a block holds several partitions


def run_ray(
    spec: JobSpec, partitions: Sequence[Partition], workers: int | None, address: str | None
) -> Iterator[PartitionResult]:
    """Compute partitions; when closed early, those in progress are dropped.

    Args:
        spec: what each worker needs to know of the job.
        partitions: the partitions to compute.
        workers: number of workers; None for one per core of the cluster.
        address: of the cluster; None for the one running on this machine, or else a new one.

    Yields:
        The result of each partition, in any order.

    Raises:
        SourceError: the cluster cannot be reached, its workers fail, or the output folder is not
            shared by its machines.
    """
    connects = not ray.is_initialized()
    if connects:
        _connect(address)
    try:
        yield from _run(spec, partitions, workers or _cluster_cores())
    except ray.exceptions.RayError as error:
        raise SourceError(f"the cluster's workers fail: {_last_line(error)}") from error
    finally:
        if connects:
            ray.shutdown()


def _run(spec: JobSpec, partitions: Sequence[Partition], workers: int) -> Iterator[PartitionResult]:
    folder = OutputFolder(spec.output, spec.settings)
    unfinished = {partition.name: partition for partition in partitions}
    run_on_cluster = _run_by_client if ray.util.client.ray.is_connected() else _run_by_ray_data
    for result in run_on_cluster(spec, partitions, workers):
        yield _check_folder_is_shared(folder, result)
        if result.summary:
            del unfinished[result.summary.name]
    for partition in unfinished.values():
        yield _check_folder_is_shared(folder, _compute_without_poison(spec, partition))


def _last_line(error: Exception) -> str:
    """The error that a worker raised; its traceback comes before it."""
    return str(error).strip().splitlines()[-1]


def _connect(address: str | None) -> None:
    options = {} if address else {"include_dashboard": False}
    try:
        with _stderr_discarded():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, RuntimeError, ValueError, ImportError, ray.exceptions.RayError) as error:
        raise SourceError(
            f"{address or 'Ray'}: cannot reach the cluster ({describe(error)}); check that it is "
            f"running, that its version of Ray is {ray.__version__}, and, if it requires a token, "
            f"that {_TOKEN_SETTING} is set here"
        ) from error


@contextlib.contextmanager
def _stderr_discarded() -> Iterator[None]:
    """Discard standard error: Ray's C++ part writes a line per attempt beside what it raises."""
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def _cluster_cores() -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _run_by_ray_data(
    spec: JobSpec, partitions: Sequence[Partition], workers: int
) -> Iterator[PartitionResult]:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # the job continues when a worker has died
    logging.getLogger("ray.data").setLevel(logging.CRITICAL + 1)
    # Deprecated for removal in Ray 2.64, but there is no other way yet to limit retries.
    warnings.filterwarnings("ignore", category=RayDeprecationWarning)
    items = [pickle.dumps(partition) for partition in partitions]
    blocks = min(len(items), _MAX_BLOCKS)
    dataset = ray.data.from_items(items, override_num_blocks=blocks).map_batches(
        _Actor,
        fn_constructor_args=(spec,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(items))),
        num_cpus=1,
        max_task_retries=_RETRIES,
    )
    for row in dataset.iter_rows():
        yield pickle.loads(row["result"])


def _run_by_client(
    spec: JobSpec, partitions: Sequence[Partition], workers: int
) -> Iterator[PartitionResult]:
    """As `_run_by_ray_data`, for connections by `ray://`, which Ray Data does not support."""
    driver = ray.remote(num_cpus=0)(_Driver).remote(spec, partitions, workers)
    while result := ray.get(driver.next.remote()):
        yield result


class _Driver:
    """An actor that runs Ray Data inside the cluster; it ends with the client's connection."""

    def __init__(self, spec: JobSpec, partitions: Sequence[Partition], workers: int) -> None:
        self._results = _run_by_ray_data(spec, partitions, workers)

    def next(self) -> PartitionResult | None:
        return next(self._results, None)


class _Actor:
    """A worker with the interface of Ray Data's `map_batches`."""

    def __init__(self, spec: JobSpec) -> None:
        self._worker = Worker(spec)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        results = [self._worker.compute(pickle.loads(item)) for item in batch["item"]]
        return {"result": [pickle.dumps(result) for result in results]}


def _check_folder_is_shared(folder: OutputFolder, result: PartitionResult) -> PartitionResult:
    if result.summary and folder.find(result.summary.name) is None:
        raise SourceError(
            f"{folder.address}: a partition that a worker wrote is not in this folder, which is "
            "therefore not shared by all machines; give a shared folder, or an address such as "
            "s3://"
        )
    return result


def _compute_without_poison(spec: JobSpec, partition: Partition) -> PartitionResult:
    """Compute a partition at which workers died, without the photos that crash them."""
    remote = ray.remote(num_cpus=1, max_retries=0)
    attempts = [remote(_try_photo).remote(spec, photo) for photo in partition.photos]
    poison = frozenset(
        photo.name
        for photo, attempt in zip(partition.photos, attempts, strict=True)
        if _crashed(attempt)
    )
    try:
        result: PartitionResult = ray.get(remote(_compute).remote(spec, partition, poison))
    except ray.exceptions.RayError as error:
        first = partition.photos[0].name
        return PartitionResult(0, error=f"workers keep crashing at {first} ({error})")
    return result


def _crashed(attempt: Any) -> bool:
    try:
        ray.get(attempt)
    except ray.exceptions.WorkerCrashedError:
        return True
    return False


def _try_photo(spec: JobSpec, photo: Photo) -> None:
    Worker(spec).try_photo(photo)


def _compute(spec: JobSpec, partition: Partition, poison: frozenset[str]) -> PartitionResult:
    return Worker(spec).compute(partition, poison)
