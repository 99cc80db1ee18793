"""Conversion of the eye network, see `export.networks.ExportableNetwork`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edge.geometry.eye_frame import PATCH
from edge.networks.eye_model import EyeModel
from export import convert
from export.errors import ExportError
from export.metadata import describe_eyes
from export.source import TrainingRun

_MAX_DIFFERENCE = 1e-3  # between Keras and ONNX, in eye widths
_PATCHES = 64  # random ones, on which both are compared


class EyeNetwork:
    """A trained eye network, see `ExportableNetwork`; it is too small to gain from int8."""

    name = "eyes"
    can_quantize = False

    def __init__(self, run: TrainingRun, license_text: str) -> None:
        """Read the run's model."""
        self.metadata = describe_eyes(run.record, run.sha256, PATCH, license_text)
        self._model: Any = convert.load_keras(run.model)

    def convert(self) -> onnx.ModelProto:
        """Convert with tf2onnx."""
        return convert.eyes_to_onnx(self._model, PATCH)

    def check_fp32(self, path: Path) -> str:
        """Compare with Keras on random patches."""
        patches = np.random.default_rng(0).integers(0, 256, (_PATCHES, PATCH, PATCH), np.uint8)
        wanted = self._model.predict(patches[..., None], verbose=0)
        found = EyeModel(path)(patches)
        difference = max(_difference(wanted[name], getattr(found, name)) for name in found._fields)
        if not difference <= _MAX_DIFFERENCE:
            raise ExportError(f"{path}: differs from Keras by {difference} eye widths")
        return (
            f"Keras and ONNX differ by at most {difference:.6f} eye widths on {_PATCHES} random "
            "patches."
        )

    def quantize(self, path: Path, folder: Path) -> onnx.ModelProto:
        """Never called, as there is no int8 file."""
        raise ExportError(f"{path}: there is no int8 file of an eye network")

    def check_int8(self, fp32: Path, int8: Path) -> str:
        """Never called, likewise."""
        raise ExportError(f"{int8}: there is no int8 file of an eye network")


def _difference(wanted: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """The greatest difference, in eye widths; of values above 1, relative to them."""
    return float((np.abs(wanted - found) / np.maximum(1, np.abs(wanted))).max())
