"""The kinds of network that can be exported, behind one interface."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray

from export import convert, detector_comparison, detector_graph, keypoint_comparison
from export.calibration import detector_batches
from export.crop_network import CropNetwork, is_crop_network
from export.metadata import describe_detector, describe_keypoints
from export.optional_output import make_optional
from export.quantize import quantize, quantize_detector
from export.source import TrainingRun, read_face_sets, read_photos, read_run

_SIZE = 96  # px, side of the keypoint network's input


class ExportableNetwork(Protocol):
    """A trained network: how to convert, quantise and check it.

    Attributes:
        name: stem of the exported files.
        metadata: written into each file.
        can_quantize: whether there are images for calibration.
    """

    name: str
    metadata: dict[str, str]
    can_quantize: bool

    def convert(self) -> onnx.ModelProto:
        """The network in fp32; raises ExportError if it cannot be converted."""

    def finish(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """The form in which a model of either precision is written."""

    def check_fp32(self, path: Path) -> str:
        """Check the written fp32 file; returns a report, raises ExportError if it fails."""

    def quantize(self, path: Path, folder: Path) -> onnx.ModelProto:
        """Quantise the fp32 file at `path`, not finished; intermediate files go to `folder`."""

    def check_int8(self, fp32: Path, int8: Path) -> str:
        """Check the int8 file against the fp32 one; like `check_fp32`."""


class KeypointNetwork:
    """A trained keypoint network, see `ExportableNetwork`."""

    can_quantize = True

    def __init__(self, run: TrainingRun, prepared: str | None, license_text: str) -> None:
        """Read the run's faces and model; `prepared` as for `export.source.read_face_sets`."""
        self.name = "keypoints-small" if run.is_small else "keypoints"
        self._record = run.record
        self._sets = read_face_sets(run, prepared)
        self.metadata = describe_keypoints(run.record, run.sha256, _SIZE, license_text)
        self._model: Any = convert.load_keypoint_model(run.model)

    def convert(self) -> onnx.ModelProto:
        """Convert with tf2onnx."""
        return convert.to_onnx(self._model, _SIZE)

    def finish(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """Make the optional outputs optional at run time, too."""
        for name in convert.OPTIONAL_OUTPUTS:
            model = make_optional(model, name)
        return model

    def check_fp32(self, path: Path) -> str:
        """Compare with Keras on the validation faces."""
        faces = self._sets.validation
        difference_px = keypoint_comparison.check_parity(self._model, path, faces)
        fp32 = keypoint_comparison.measure("fp32", path, faces)
        report = (
            f"Keras and ONNX differ by at most {difference_px:.6f} px on "
            f"{len(faces.faces)} validation faces."
        )
        if self._sets.is_recreated:
            keypoint_comparison.check_recreated_faces(fp32, self._record)
            report += "\nThe faces are of another prepared file than the run's."
        return f"{report}\n{keypoint_comparison.table([fp32])}"

    def quantize(self, path: Path, folder: Path) -> onnx.ModelProto:
        """Quantise with ranges from the calibration faces."""
        return quantize(path, self._sets.calibration.faces, folder)

    def check_int8(self, fp32: Path, int8: Path) -> str:
        """Compare the RMSE of both files on the validation faces."""
        files = {"fp32": fp32, "int8": int8}
        variants = [
            keypoint_comparison.measure(name, path, self._sets.validation)
            for name, path in files.items()
        ]
        keypoint_comparison.check_accuracy(*variants)
        return keypoint_comparison.table(variants).splitlines()[-1]


class Detector:
    """A trained face detector, see `ExportableNetwork`."""

    name = "face"

    def __init__(self, run: TrainingRun, prepared: str | None, license_text: str) -> None:
        """Read the run's model; the photos in `prepared` are read when they are needed."""
        self._run = run
        self._prepared = prepared
        self.can_quantize = prepared is not None
        self.metadata = describe_detector(run.record, run.sha256, license_text)
        self._network: Any = convert.load_keras(run.model)

    def convert(self) -> onnx.ModelProto:
        """Convert layer by layer and append the decoding."""
        return detector_graph.to_onnx(self._network)

    def finish(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """Nothing is left to do."""
        return model

    def check_fp32(self, path: Path) -> str:
        """Compare with Keras on the sample image."""
        parity = detector_comparison.check_parity(self._network, path)
        return f"{_size(path)}\n{self._network.count_params():,} parameters\n{parity}"

    def quantize(self, path: Path, folder: Path) -> onnx.ModelProto:
        """Quantise with ranges from half of the photos."""
        return quantize_detector(path, detector_batches(self._photos[::2]), folder)

    def check_int8(self, fp32: Path, int8: Path) -> str:
        """Compare the faces that both files find on the other half of the photos."""
        report = detector_comparison.check_int8(fp32, int8, self._photos[1::2])
        return f"{_size(int8)}\n{report}"

    @cached_property
    def _photos(self) -> list[NDArray[np.uint8]]:
        return [] if self._prepared is None else read_photos(self._run, self._prepared)


def open_network(folder: str, prepared: str | None, license_text: str) -> ExportableNetwork:
    """Read a run's folder.

    Args:
        folder: of a finished run.
        prepared: the prepared faces or photos of the run (`.npz`), if needed.
        license_text: licence of the weights.

    Raises:
        RunFolderError: a file is missing or broken.
    """
    run = read_run(folder)
    if run.is_detector:
        return Detector(run, prepared, license_text)
    if is_crop_network(run):
        return CropNetwork(run, license_text)
    return KeypointNetwork(run, prepared, license_text)


def _size(path: Path) -> str:
    return f"{path.name}: {path.stat().st_size / 1024:.0f} KB"
