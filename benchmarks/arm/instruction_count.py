"""Number of instructions per face, counted by a QEMU plugin: the cost that emulation can measure.

A program that repeats the work is counted with few and with many repetitions; the difference is
due to the work alone, without start-up and loading. It is no measure of time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.arm.qemu import BOARDS, Board, emulate
from benchmarks.datasets.sample import SAMPLE
from benchmarks.harness.processes import MissingTool, find_tool, run_step

TOLERANCE = 0.03  # by which a count may exceed the one that is kept
_FEW = 2  # repetitions; the first also initialises what later ones reuse
_MANY = 6
_EMULATOR = "qemu-aarch64"  # the statically linked emulator cannot load plugins
_PLUGIN_SOURCE = Path(__file__).with_suffix(".c")
# Statements of the program below, by their names in results.
WORK = {
    "a face, cut out": "detect.model(crops)",
    "the sample, decoded": "detect(image)",
}
_PROGRAM = """
import sys
import numpy as np
import edge
from edge.image import load_image
image = load_image(sys.argv[1])
crops = np.full((1, 96, 96), 128, np.uint8)
detect = edge.FaceKeypoints(precision=sys.argv[2])
for _ in range(int(sys.argv[3])):
    {work}
"""


@dataclass(frozen=True, slots=True)
class _Counter:
    """An emulator that counts instructions.

    Attributes:
        rootfs: the root file system.
        site: folder of packages.
        plugin: the compiled plugin.
    """

    rootfs: Path
    site: Path
    plugin: Path

    def count(self, board: Board, work: str, precision: str) -> int:
        """Instructions of one repetition.

        Args:
            board: whose processor to emulate.
            work: a statement of the program.
            precision: fp32 or int8.

        Raises:
            OSError: the program failed.
        """
        few, many = (
            self._run(board, ["-c", _PROGRAM.format(work=work), str(SAMPLE), precision, str(n)])
            for n in (_FEW, _MANY)
        )
        return (many - few) // (_MANY - _FEW)

    def _run(self, board: Board, arguments: list[str]) -> int:
        emulator = [_EMULATOR, "-plugin", str(self.plugin)]
        result = emulate(board, self.rootfs, arguments, self.site, emulator)
        if result.status:
            raise OSError(f"cannot count instructions: {result.outcome}")
        return parse_count(result.error)


def count_instructions(folder: Path, rootfs: Path, site: Path) -> list[dict[str, Any]] | str:
    """Count instructions for both boards and precisions.

    Args:
        folder: receives the compiled plugin.
        rootfs: as `benchmarks.arm.rootfs.make_rootfs` creates it.
        site: folder of packages.

    Returns:
        One row per board and precision, with the count of each kind of `WORK`; or the reason why
        nothing was counted.

    Raises:
        OSError: the plugin cannot be compiled, or a program failed.
    """
    try:
        find_tool(_EMULATOR, "qemu-user")
        counter = _Counter(rootfs, site, _compile(folder))
    except MissingTool as error:
        return str(error)
    return [
        {
            "processor": board.processor,
            "precision": precision,
            **{name: counter.count(board, work, precision) for name, work in WORK.items()},
        }
        for board in BOARDS
        for precision in ("fp32", "int8")
    ]


def exceeding(
    rows: list[dict[str, Any]], kept: list[dict[str, Any]], tolerance: float = TOLERANCE
) -> list[str]:
    """A line for each count that exceeds the one that is kept.

    Args:
        rows: of `count_instructions`.
        kept: likewise, of an earlier version.
        tolerance: by which it may, in parts of the one that is kept.

    Raises:
        KeyError: a count has no counterpart.
    """
    before = {(row["processor"], row["precision"]): row for row in kept}
    return [
        f"{row['processor']}, {row['precision']}, {name}: {row[name] / 1e6:.1f} million "
        f"instructions, {row[name] / old - 1:.1%} more than the {old / 1e6:.1f} that are kept"
        for row in rows
        for name in WORK
        for old in [before[row["processor"], row["precision"]][name]]
        if row[name] > (1 + tolerance) * old
    ]


def _compile(folder: Path) -> Path:
    compiler = find_tool("cc", "gcc")
    plugin = folder / "instructions.so"
    run_step([compiler, "-shared", "-fPIC", "-O2", "-o", str(plugin), str(_PLUGIN_SOURCE)])
    return plugin


def parse_count(text: str) -> int:
    """The number of instructions that the plugin printed.

    Raises:
        ValueError: it printed none.
    """
    match = re.search(r"^instructions: (\d+)$", text, re.MULTILINE)
    if match is None:
        raise ValueError(f"expected the plugin's count, received {text[-80:]!r}")
    return int(match[1])
