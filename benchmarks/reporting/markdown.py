"""Markdown tables, line by line."""

from __future__ import annotations


def row(*cells: str) -> str:
    """One row."""
    return "| " + " | ".join(cells) + " |"


def header(*cells: str) -> list[str]:
    """The heading row and the line below it."""
    return [row(*cells), "|---" * len(cells) + "|"]
