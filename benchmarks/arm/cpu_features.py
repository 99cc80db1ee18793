"""Whether an emulated processor has the dot-product instruction, by executing it.

An emulated program that meets no illegal instruction proves something only if the emulator refuses
the instructions that the board lacks. The Pi 4 lacks this one; runtimes built for newer boards use
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


def has_dot_product(board: Board, rootfs: Path) -> bool:
    """Execute the instruction on a board's processor.

    Raises:
        OSError: QEMU is not installed, or the program failed for another reason.
    """
    result = emulate(board, rootfs, ["-c", _PROGRAM])
    if result.status not in (0, -signal.SIGILL):
        raise OSError(f"{board.processor}: cannot test the dot product: {result.outcome}")
    return result.status == 0
