"""How many instructions a face takes, counted by a QEMU plugin: what emulation can say of cost.

Two runs of a program that does the same work few and many times are counted, and the difference is
that of the work alone: start-up and loading fall out. An instruction is no unit of time.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.arm.qemu import BOARDS, Board, MissingTool, emulate, find_tool
from benchmarks.arm.rootfs import run_step
from benchmarks.harness.minimum_versions import ROOT

_FEW, _MANY = 2, 6  # the first also sets up what later ones find
_EMULATOR = "qemu-aarch64"  # the one that is linked statically loads no plugin
_PLUGIN = Path(__file__).with_suffix(".c")
_SAMPLE = ROOT / "edge" / "data" / "astronaut.jpg"
WORK = {
    "a face, cut out": "detect.crops(crops)",
    "the sample, decoded": "detect(picture)",
}
_PROGRAM = """
import sys
import numpy as np
import edge
from edge.image import load_image
picture, crops = load_image(sys.argv[1]), np.full((1, 96, 96), 128, np.uint8)
detect = edge.FaceKeypoints(precision=sys.argv[2])
for _ in range(int(sys.argv[3])):
    {work}
"""


def count_instructions(folder: Path, tree: Path, site: Path) -> list[dict[str, Any]] | str:
    """Count for both boards and precisions.

    Args:
        folder: where the plugin is built.
        tree: as `benchmarks.arm.rootfs.make_tree` makes it.
        site: folder with the packages.

    Returns:
        A row for each, with the count for each kind of `WORK`; or why there are none.

    Raises:
        OSError: the plugin cannot be built, or a program does not run.
    """
    try:
        find_tool(_EMULATOR, "qemu-user")
        plugin = _build(folder)
    except MissingTool as error:
        return str(error)
    return [
        {
            "processor": board.processor,
            "precision": precision,
            **{name: _count(board, tree, site, plugin, work, precision)
               for name, work in WORK.items()},
        }
        for board in BOARDS
        for precision in ("fp32", "int8")
    ]  # fmt: skip


def _build(folder: Path) -> Path:
    compiler = find_tool("cc", "gcc")
    plugin = folder / "instructions.so"
    run_step([compiler, "-shared", "-fPIC", "-O2", "-o", str(plugin), str(_PLUGIN)])
    return plugin


def _count(board: Board, tree: Path, site: Path, plugin: Path, work: str, precision: str) -> int:
    counts = []
    for times in (_FEW, _MANY):
        arguments = ["-c", _PROGRAM.format(work=work), str(_SAMPLE), precision, str(times)]
        ended = emulate(board, tree, arguments, site, [_EMULATOR, "-plugin", str(plugin)])
        if ended.status:
            raise OSError(f"instructions cannot be counted: {ended.verdict}")
        counts.append(parse_count(ended.error))
    return (counts[1] - counts[0]) // (_MANY - _FEW)


def parse_count(text: str) -> int:
    """The number that the plugin wrote.

    Raises:
        ValueError: it wrote none.
    """
    found = re.search(r"^instructions: (\d+)$", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"expected the plugin's count, received {text[-80:]!r}")
    return int(found[1])
