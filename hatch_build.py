"""Generates the completion scripts of shells into the wheel, from the parsers in the sources."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompletionHook(BuildHookInterface[Any]):
    """Adds `edge/console/completions/` to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the scripts to a temporary folder and include them.

        Args:
            version: "standard", or "editable", which runs from the sources and gets none.
            build_data: as hatchling describes it; changed.
        """
        self._folder = tempfile.TemporaryDirectory()
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        completion = importlib.import_module("edge.console.completion")
        for shell in completion.SHELLS:
            path = Path(self._folder.name) / shell
            path.write_text(completion.generate_script(shell), "utf-8")
            build_data["force_include"][str(path)] = f"edge/console/completions/{shell}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Delete the temporary folder."""
        self._folder.cleanup()
