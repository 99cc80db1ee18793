"""Where the partitions of a job are computed: processes of this machine, or a Ray cluster.

Both executors take the same partitions and yield results in any order. The partition of a worker
that died is computed again; it cannot be written twice, since a partition is one file.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.bulk.partitions import Partition
from edge.bulk.process_pool import run_processes
from edge.bulk.worker import JobSpec, PartitionResult
from edge.cli.worker_process import available_processors

ExecutorKind = Literal["local", "ray"]


@dataclass(frozen=True, slots=True)
class Executor:
    """Where and by how many workers partitions are computed.

    Attributes:
        kind: "local" for processes of this machine, or "ray".
        workers: number of workers; None for one per core.
        address: of a Ray cluster; None for the one on this machine.
    """

    kind: ExecutorKind = "local"
    workers: int | None = None
    address: str | None = None

    def run(
        self, spec: JobSpec, partitions: Sequence[Partition]
    ) -> Generator[PartitionResult, None, None]:
        """Compute partitions; when closed early, those in progress are finished or dropped.

        Args:
            spec: what each worker needs to know of the job.
            partitions: the partitions to compute.

        Yields:
            The result of each, in any order.

        Raises:
            SourceError: workers do not start, or the cluster cannot be reached.
        """
        if not partitions:
            return
        if self.kind == "local":
            yield from run_processes(spec, partitions, self.workers or available_processors())
        else:
            from edge.bulk.ray_cluster import run_ray

            yield from run_ray(spec, partitions, self.workers, self.address)
