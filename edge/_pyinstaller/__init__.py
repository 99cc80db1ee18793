"""PyInstaller's hook, which it finds by the entry point `pyinstaller40` of the wheel."""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """The folders of hooks: this one."""
    return [str(Path(__file__).parent)]
