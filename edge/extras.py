"""Optional dependencies: imported where they are used, with a message that names the extra."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from edge.errors import MissingExtra, first_line

# TensorFlow is published for no later Python; the extras that need it carry the same marker.
_LAST_FOR_TENSORFLOW = (3, 13)


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


def describe_missing(error: ModuleNotFoundError, extra: str) -> str:
    """What a command says whose packages are not installed, in one line.

    Args:
        error: of the import.
        extra: the extra of this package that installs what the command needs.

    Returns:
        The module, and how to install it; of TensorFlow also where it cannot be.
    """
    python, last = sys.version_info[:2], _LAST_FOR_TENSORFLOW
    if str(error.name).partition(".")[0] in ("keras", "tensorflow", "tf2onnx") and python > last:
        return (
            f"this needs TensorFlow, which has no package for Python {python[0]}.{python[1]}; "
            f"use Python 3.10 to {last[0]}.{last[1]}"
        )
    return (
        f"this needs {error.name}, which is not installed; "
        f"install it with: pip install 'edge-keypoints[{extra}]'"
    )
