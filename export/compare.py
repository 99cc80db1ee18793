"""Does the exported model compute what the trained one computes, and how well?"""

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
from export.source import FaceSet, TrainingRun

MAX_DIFFERENCE_PX = 0.01  # between Keras and ONNX fp32: float32 rounding, not another network
MAX_LOSS = 0.02  # by which int8's RMSE may exceed fp32's, as a share
_TIMED_RUNS = 200


@dataclass(frozen=True, slots=True)
class Variant:
    """One exported file and what it is worth.

    Attributes:
        name: fp32 or int8.
        size_bytes: of the file.
        rmse_px: on the validation faces.
        latency_ms: median for one face, one thread, this computer.
    """

    name: str
    size_bytes: int
    rmse_px: float
    latency_ms: float


def check_parity(keras_model: Any, path: Path, faces: FaceSet) -> float:
    """Compare Keras and ONNX on every validation face.

    Returns:
        The largest difference of any coordinate or radius, px.

    Raises:
        ParityError: it exceeds `MAX_DIFFERENCE_PX`, or a face score differs by more than 0.001.
    """
    expected = keras_model.predict(faces.faces[..., None], verbose=0)
    points, error, score = KeypointModel(path)(faces.faces)
    if not all(np.isfinite(output).all() for output in (points, error, score)):
        raise ParityError(f"{path.name} gives values that are not finite numbers; train again")
    largest = max(
        float(np.abs(points - expected["keypoints"]).max()),
        float(np.abs(error - expected["error"]).max()),
    )
    score_difference = float(np.abs(score - expected["face_score"]).max())
    if not largest <= MAX_DIFFERENCE_PX or not score_difference <= 1e-3:
        raise ParityError(
            f"{path.name} differs from the Keras model by {largest:.4f} px and a face score of "
            f"{score_difference:.4f}; at most {MAX_DIFFERENCE_PX} px and 0.001 are allowed"
        )
    return largest


def measure(name: str, path: Path, faces: FaceSet) -> Variant:
    """Size, validation RMSE and latency of an exported file."""
    model = KeypointModel(path)
    points, _, _ = model(faces.faces)
    return Variant(
        name=name,
        size_bytes=path.stat().st_size,
        rmse_px=rmse(points, faces.keypoints),
        latency_ms=median_ms(partial(model, faces.faces[:1]), warm_up=20, runs=_TIMED_RUNS),
    )


def check_same_faces(full: Variant, source: TrainingRun) -> None:
    """Refuse faces that were prepared anew if they are not those that the run held out.

    Rows of a source are counted, so with a photo more or less they are of other faces.

    Raises:
        AccuracyError: the RMSE is not the one that the run recorded.
    """
    recorded = source.record.get("validation", {}).get("rmse_px", float("nan"))
    if not abs(full.rmse_px - recorded) <= MAX_LOSS * recorded:
        raise AccuracyError(
            f"the faces prepared anew are not those of the run: an RMSE of {full.rmse_px:.3f} px, "
            f"recorded {recorded:.3f} px; prepare them from the same sources"
        )


def check_accuracy(full: Variant, quantised: Variant) -> None:
    """Refuse an int8 model that loses too much.

    Raises:
        AccuracyError: its RMSE is more than `MAX_LOSS` above that of fp32.
    """
    if not quantised.rmse_px <= full.rmse_px * (1 + MAX_LOSS):
        raise AccuracyError(
            f"int8 RMSE {quantised.rmse_px:.3f} px is {quantised.rmse_px / full.rmse_px - 1:.1%} "
            f"above fp32's {full.rmse_px:.3f} px; at most {MAX_LOSS:.0%} is allowed; "
            "export with --no-int8, or train with more varied faces"
        )


def table(variants: list[Variant]) -> str:
    """The variants as aligned text."""
    lines = [f"{'variant':<8}{'size, KB':>10}{'RMSE, px':>10}{'latency, ms':>13}"]
    for v in variants:
        lines.append(
            f"{v.name:<8}{v.size_bytes / 1024:>10.0f}{v.rmse_px:>10.3f}{v.latency_ms:>13.3f}"
        )
    return "\n".join(lines)
