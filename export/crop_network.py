"""Conversion of the small networks that see a crop and are trained by Keras: eyes, visibility.

See `export.networks.ExportableNetwork`. They are too small to gain from int8.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edge.geometry.eye_frame import PATCH
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.eye_model import EyeModel
from edge.networks.visibility_model import SIDE, VisibilityModel
from export import convert
from export.errors import ExportError
from export.metadata import describe_crop_network
from export.source import TrainingRun

_MAX_DIFFERENCE = 1e-3  # between Keras and ONNX, in the outputs' units
_CROPS = 64  # random ones, on which both are compared

Outputs = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of such a network.

    Attributes:
        name: of the file.
        input: name of the input.
        size: side of a crop, px.
        run: opens the file and runs it on crops uint8 `(N, S, S)`, as `edge` does.
        metadata: beside what all have.
    """

    name: str
    input: str
    size: int
    run: Callable[[Path, NDArray[np.uint8]], Outputs]
    metadata: Mapping[str, str]


def _run_eyes(path: Path, crops: NDArray[np.uint8]) -> Outputs:
    return EyeModel(path)(crops)._asdict()


def _run_visibility(path: Path, crops: NDArray[np.uint8]) -> Outputs:
    return {"visible": VisibilityModel(path)(crops)}


_NAMES = {"keypoint_names": json.dumps(KEYPOINT_NAMES)}
_KINDS = {
    "eyes": _Kind("eyes", "eye", PATCH, _run_eyes, {}),
    "visibility": _Kind("visibility", "face", SIDE, _run_visibility, _NAMES),
}


def is_crop_network(run: TrainingRun) -> bool:
    """Whether a run trained one of these networks."""
    return run.record.get("kind") in _KINDS


class CropNetwork:
    """A trained network of one of these kinds, see `ExportableNetwork`."""

    can_quantize = False

    def __init__(self, run: TrainingRun, license_text: str) -> None:
        """Read the run's model."""
        self._kind = _KINDS[run.record["kind"]]
        self.name = self._kind.name
        self.metadata = {
            **self._kind.metadata,
            **describe_crop_network(run.record, run.sha256, self._kind.size, license_text),
        }
        self._model: Any = convert.load_keras(run.model)

    def convert(self) -> onnx.ModelProto:
        """Convert with tf2onnx."""
        return convert.crops_to_onnx(self._model, self._kind.size, self._kind.input)

    def finish(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """Nothing is left to do."""
        return model

    def check_fp32(self, path: Path) -> str:
        """Compare with Keras on random crops."""
        size = self._kind.size
        crops = np.random.default_rng(0).integers(0, 256, (_CROPS, size, size), np.uint8)
        wanted = self._model.predict(crops[..., None], verbose=0)
        found = self._kind.run(path, crops)
        difference = max(_difference(wanted[name], values) for name, values in found.items())
        if not difference <= _MAX_DIFFERENCE:
            raise ExportError(f"{path}: differs from Keras by {difference}")
        return f"Keras and ONNX differ by at most {difference:.6f} on {_CROPS} random crops."

    def quantize(self, path: Path, folder: Path) -> onnx.ModelProto:
        """Never called, as there is no int8 file."""
        raise ExportError(f"{path}: there is no int8 file of this network")

    def check_int8(self, fp32: Path, int8: Path) -> str:
        """Never called, likewise."""
        raise ExportError(f"{int8}: there is no int8 file of this network")


def _difference(wanted: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """The greatest difference; of values above 1, relative to them."""
    return float((np.abs(wanted - found) / np.maximum(1, np.abs(wanted))).max())
