"""Optional dependencies: imported where they are used, with a message that names the extra."""

from __future__ import annotations

import importlib
from typing import Any

from edge.errors import MissingExtra, first_line


def require(module: str, extra: str, purpose: str) -> Any:
    """Import a module of an optional dependency.

    Args:
        module: name of the module.
        extra: the extra of this package that installs it.
        purpose: what needs it, for the message.

    Raises:
        MissingExtra: it cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"{purpose} needs {module} ({first_line(error)}); "
            f"install it with: pip install 'edge-keypoints[{extra}]'"
        ) from error
