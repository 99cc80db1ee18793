"""Whether an emulated processor has the dot-product instruction, tried on it.

That a program meets no illegal instruction under emulation says something only if instructions
that the board lacks are refused there. The Pi 4 lacks this one; runtimes made for newer boards use
it.
"""

from __future__ import annotations

import signal
from pathlib import Path

from benchmarks.arm.qemu import Board, emulate

# Writes `udot v0.4s, v0.16b, v0.16b` and `ret` to memory, and calls them.
_PROGRAM = """
import ctypes, mmap
page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write((0x6E809400).to_bytes(4, "little") + (0xD65F03C0).to_bytes(4, "little"))
ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""


def has_dot_product(board: Board, tree: Path) -> bool:
    """Run the instruction on a board's processor.

    Raises:
        OSError: QEMU is missing, or the program ended in another way.
    """
    ended = emulate(board, tree, ["-c", _PROGRAM])
    if ended.status not in (0, -signal.SIGILL):
        raise OSError(f"{board.processor}: the dot product cannot be tried: {ended.verdict}")
    return ended.status == 0
