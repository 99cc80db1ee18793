"""Checks of an exported keypoint network: against the Keras model, and of int8 against fp32."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edge.evaluation.metrics import rmse
from edge.networks.keypoint_model import KeypointModel
from edge.networks.precision import median_ms
from export.errors import AccuracyError, ParityError
from export.source import FaceSet

MAX_DIFFERENCE_PX = 0.01  # between Keras and ONNX fp32: float32 rounding
MAX_SCORE_DIFFERENCE = 0.001
MAX_LOSS = 0.02  # share by which int8's RMSE may exceed fp32's, and a recreated set's the record's
_TIMED_RUNS = 200


@dataclass(frozen=True, slots=True)
class Variant:
    """One exported file with its accuracy and latency.

    Attributes:
        name: fp32 or int8.
        size_bytes: of the file.
        rmse_px: on the validation faces.
        latency_ms: median for one face, one thread, on this computer.
    """

    name: str
    size_bytes: int
    rmse_px: float
    latency_ms: float


def check_parity(keras_model: Any, path: Path, faces: FaceSet) -> float:
    """Compare Keras and ONNX on every validation face.

    Args:
        keras_model: the run's model.
        path: the fp32 `.onnx` file.
        faces: the validation faces.

    Returns:
        The largest difference of any coordinate or radius, px.

    Raises:
        ParityError: it exceeds `MAX_DIFFERENCE_PX`, a face score differs by more than
            `MAX_SCORE_DIFFERENCE`, or a value is not finite.
    """
    expected = keras_model.predict(faces.faces[..., None], verbose=0)
    points, error, score = KeypointModel(path)(faces.faces)
    if not all(np.isfinite(output).all() for output in (points, error, score)):
        raise ParityError(f"{path.name} gives values that are not finite; train again")
    difference_px = max(
        float(np.abs(points - expected["keypoints"]).max()),
        float(np.abs(error - expected["error"]).max()),
    )
    score_difference = float(np.abs(score - expected["face_score"]).max())
    if not difference_px <= MAX_DIFFERENCE_PX or not score_difference <= MAX_SCORE_DIFFERENCE:
        raise ParityError(
            f"{path.name} differs from the Keras model by {difference_px:.4f} px and a face score "
            f"of {score_difference:.4f}; expected at most {MAX_DIFFERENCE_PX} px and "
            f"{MAX_SCORE_DIFFERENCE}"
        )
    return difference_px


def measure(name: str, path: Path, faces: FaceSet) -> Variant:
    """Measure size, validation RMSE and latency of an exported file.

    Args:
        name: fp32 or int8.
        path: the `.onnx` file.
        faces: the validation faces.
    """
    model = KeypointModel(path)
    points, _, _ = model(faces.faces)
    return Variant(
        name=name,
        size_bytes=path.stat().st_size,
        rmse_px=rmse(points, faces.keypoints),
        latency_ms=median_ms(partial(model, faces.faces[:1]), warm_up=20, runs=_TIMED_RUNS),
    )


def check_recreated_faces(variant: Variant, record: dict[str, Any]) -> None:
    """Check that faces prepared a second time are those that the run held out.

    Faces are named by their row number in a source, so one photo more or less shifts them.

    Args:
        variant: fp32, measured on the recreated faces.
        record: the content of `run.json`.

    Raises:
        AccuracyError: the RMSE is not the recorded one.
    """
    recorded = record.get("validation", {}).get("rmse_px", float("nan"))
    if not abs(variant.rmse_px - recorded) <= MAX_LOSS * recorded:
        raise AccuracyError(
            f"the prepared faces are not those of the run: an RMSE of {variant.rmse_px:.3f} px, "
            f"recorded {recorded:.3f} px; prepare them from the same sources"
        )


def check_accuracy(fp32: Variant, int8: Variant) -> None:
    """Check that quantisation has kept the accuracy.

    Raises:
        AccuracyError: the RMSE of int8 is more than `MAX_LOSS` above that of fp32.
    """
    if not int8.rmse_px <= fp32.rmse_px * (1 + MAX_LOSS):
        raise AccuracyError(
            f"int8 RMSE {int8.rmse_px:.3f} px is {int8.rmse_px / fp32.rmse_px - 1:.1%} "
            f"above fp32's {fp32.rmse_px:.3f} px; expected at most {MAX_LOSS:.0%}; "
            "export with --no-int8, or train with more varied faces"
        )


def table(variants: list[Variant]) -> str:
    """The variants as aligned text."""
    lines = [f"{'variant':<8}{'size, KB':>10}{'RMSE, px':>10}{'latency, ms':>13}"]
    for variant in variants:
        lines.append(
            f"{variant.name:<8}{variant.size_bytes / 1024:>10.0f}{variant.rmse_px:>10.3f}"
            f"{variant.latency_ms:>13.3f}"
        )
    return "\n".join(lines)
