"""Who makes the partitions of a bulk run: processes of this machine, or workers of a Ray cluster.

Both take the same partitions and tell what became of each, in any order. Where a worker dies, what
it was at is done again; nothing is written twice, since a partition is one file.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from edge.bulk.partitions import Partition
from edge.bulk.process_pool import run_processes
from edge.bulk.worker import Done, Plan


@dataclass(frozen=True, slots=True)
class Engine:
    """Who makes partitions.

    Attributes:
        kind: "local" or "ray".
        workers: how many; None for one for each core.
        address: of a Ray cluster; None for one of this machine.
    """

    kind: str = "local"
    workers: int | None = None
    address: str | None = None

    def make(self, plan: Plan, partitions: Sequence[Partition]) -> Generator[Done, None, None]:
        """Make partitions; closed early, it finishes or drops those that are being made.

        Args:
            plan: what each worker is told.
            partitions: to make.

        Yields:
            What became of each, in any order.

        Raises:
            SourceError: workers cannot live, or there is no way to the cluster.
        """
        if not partitions:
            return
        if self.kind == "local":
            yield from run_processes(plan, partitions, self.workers or _cores())
        else:
            from edge.bulk.ray_cluster import run_ray

            yield from run_ray(plan, partitions, self.workers, self.address)


def _cores() -> int:
    """That this process may use."""
    some = getattr(os, "sched_getaffinity", None)
    return len(some(0)) if some else os.cpu_count() or 1
