"""The state of a face in one image: measures of its eyes, mouth and head, each with its error.

They are measurements, not diagnoses.

| measure | formula | unit |
|---|---|---|
| `eye_opening_right`, `eye_opening_left` | between the middles of the lids | eye widths |
| `closed_right`, `closed_left` | probability that the opening is below `CLOSED_OPENING` | 0–1 |
| `lip_opening` | mean of the three inner lip distances over the inner mouth width | mouth widths |
| `distance_cm` | focal length over the head's scale in the image | cm |
| `yaw_deg`, `pitch_deg` | `edge.geometry.head_pose` | degrees |
| `facing` | probability that the head faces the camera within `FACING_DEG` | 0–1 |
| `focal_px` | of the camera, which `focal_source` gives: given, EXIF or assumed | px |
| `perclos` | share of a minute in which both eyes are closed, `edge.analysis.perclos` | 0–1 |

Eye openings are by the eye network, `edge.networks.eye_model`.

Sources: eye opening is the eye aspect ratio of Soukupová and Čech (2016), of one pair of points; an
eye counts as closed as PERCLOS defines it (Wierwille et al., 1994), when lids cover 80 % of the
open eye; lip opening is the mouth aspect ratio of the inner lips.

Legend: N faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge.measures import Measure

MEASURES = (
    "eye_opening_right", "eye_opening_left", "lip_opening", "distance_cm", "yaw_deg", "pitch_deg",
    "focal_px",
)  # fmt: skip
SHARES = ("closed_right", "closed_left", "facing", "perclos")
TEXTS = ("focal_source",)
_DIGITS, _COARSE_DIGITS = 4, 2  # of ratios and probabilities; of degrees, cm and px


@dataclass(frozen=True, slots=True)
class FaceState:
    """What is measured of one face; None where it cannot be measured.

    Attributes:
        eye_opening_right: how far the subject's right eye is open, in widths of the eye.
        eye_opening_left: likewise the left one.
        closed_right: probability that the right eye is closed, 0–1.
        closed_left: likewise the left one.
        lip_opening: opening between the inner lips, in widths of the inner mouth, 0 when closed;
            None without the 68 points.
        distance_cm: from the camera to the face; None where nothing is known of the camera.
        yaw_deg: of the head, towards the right of the image, degrees.
        pitch_deg: upwards, degrees.
        focal_px: of the camera, px, from which the distance follows.
        focal_source: where that is from: "given", "EXIF" or "assumed".
        facing: probability that the head faces the camera, 0–1; the eyes may look elsewhere.
        perclos: share of the last minute in which both eyes were closed, 0–1, from
            `edge.EventDetector`; None in a still image, and in the first seconds of a video.
    """

    eye_opening_right: Measure | None = None
    eye_opening_left: Measure | None = None
    closed_right: float | None = None
    closed_left: float | None = None
    lip_opening: Measure | None = None
    distance_cm: Measure | None = None
    yaw_deg: Measure | None = None
    pitch_deg: Measure | None = None
    focal_px: Measure | None = None
    focal_source: str | None = None
    facing: float | None = None
    perclos: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Values that `json` can write, without those that are None.

        A measure has `value` and `error`, its probable error; a probability or a share is a number.
        """
        record: dict[str, Any] = {}
        for name in MEASURES:
            measure = getattr(self, name)
            if measure is not None:
                digits = digits_of(name)
                record[name] = {
                    "value": round(measure.value, digits),
                    "error": round(measure.error, digits),
                }
        for name in SHARES:
            share = getattr(self, name)
            if share is not None:
                record[name] = round(share, _DIGITS)
        texts = {name: getattr(self, name) for name in TEXTS}
        return record | {name: text for name, text in texts.items() if text is not None}

    def to_row(self) -> list[float | str | None]:
        """The values in the order of `COLUMNS`, None where there is none."""
        row: list[float | str | None] = []
        for name in MEASURES:
            measure, digits = getattr(self, name), digits_of(name)
            row += (
                [None, None]
                if measure is None
                else [round(measure.value, digits), round(measure.error, digits)]
            )
        values = (getattr(self, name) for name in SHARES)
        row += [None if value is None else round(value, _DIGITS) for value in values]
        return [*row, *(getattr(self, name) for name in TEXTS)]


COLUMNS = (
    *(f"{name}{suffix}" for name in MEASURES for suffix in ("", "_error")),
    *SHARES,
    *TEXTS,
)


def digits_of(name: str) -> int:
    """Decimals that a measure is written with."""
    return _COARSE_DIGITS if name.endswith(("_deg", "_cm", "_px")) else _DIGITS
