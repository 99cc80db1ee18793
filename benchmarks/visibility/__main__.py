"""`python -m benchmarks.visibility DATA`: hidden and seen keypoints of faces not trained on.

Made occlusions: photos of `permissive/` that no visibility network was trained on, covered by what
`benchmarks.visibility.occlusions` draws, or cut off. The keypoints are predicted on the covered
photo; what is hidden is known at the labelled ones. Real masks: `facemask/`, whose labels tell
whether nose and mouth are covered. Real faces: `helen/` and `lfpw/`, of which nearly all is seen.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo, detect_annotated, read_photos, shrink
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.reporting.markdown import header, row
from benchmarks.visibility.covered import CUTS, Covered, cover
from benchmarks.visibility.faces import (
    MASKED,
    UNMASKED,
    read_held_out,
    read_masks,
    read_others,
)
from benchmarks.visibility.occlusions import KINDS, Material
from edge.analysis.visibility import Visibility
from edge.drawing import SEEN
from edge.evaluation.metrics import area_under_curve
from edge.facekeypoints import FaceKeypoints
from edge.geometry.face_frame import box_of_square
from edge.keypoints import KEYPOINT_NAMES

_FACE_PX = 96.0  # side of the square around a face, px, in covered photos
_PER_FACE = 5  # kinds that each face is covered by
_MIN_AREA = 0.95
_MAX_FALSE_HIDDEN = 0.02  # of the keypoints of real photos
_ROUNDS = 300  # of the measured time
_MAX_DISTANCE = 0.12  # mean distance of seen keypoints from their labels, in sides of the square


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.visibility",
        description="Measure how well hidden keypoints are told from seen ones.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path,
        help="folder with permissive/, facemask/, helen/ and lfpw/")  # fmt: skip
    add("--kinds", type=int, default=_PER_FACE, metavar="N",
        help="kinds of occlusions of each face (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="file for the results as JSON")
    return parser.parse_args(argv)


def run(data: Path, per_face: int) -> dict[str, Any]:
    """Measure everything.

    Raises:
        EdgeError: a photo or a network cannot be read.
        OSError: a file cannot be opened.
        KeyError, ValueError: an annotation lacks a value.
    """
    detect, visibility = FaceKeypoints(precision="fp32"), Visibility()
    helen = read_photos(data / "helen")
    real = {"helen": helen, "lfpw": read_photos(data / "lfpw")}
    return {
        "machine": describe_machine(threads=1),
        "sha256": hashlib.sha256(visibility.path.read_bytes()).hexdigest(),
        "made": measure_made(detect, visibility, data / "permissive", per_face),
        "masks": measure_masks(detect, visibility, data / "facemask"),
        "false_hidden": {
            name: measure_seen(detect, visibility, photos) for name, photos in real.items()
        },
        "time_ms": measure_time(detect, visibility, helen),
    }


def measure_made(
    detect: FaceKeypoints, visibility: Visibility, folder: Path, per_face: int
) -> dict[str, Any]:
    """Areas under the curve of made occlusions.

    Returns:
        `faces` and `views`; `lost`, how many of them are left out, as the keypoints are those of
        another face; `area` of all keypoints, `area_clear` without those at the rim of what hides
        others, where the labels' errors decide, and both in `trained` and `untrained`, of kinds
        that the training has or has not; `kinds` and `keypoints`, of each; `seen_as_hidden` and
        `hidden_as_seen`, shares at the threshold of `edge.drawing.SEEN`.
    """
    photos = [shrink(photo, _FACE_PX) for photo in read_held_out(folder)]
    rng = np.random.default_rng(0)
    material = Material(read_others(folder / "no_face"), photos)
    views = []
    for photo in photos:
        for kind in rng.choice([*KINDS, *CUTS], per_face, replace=False).tolist():
            views.append(_look(detect, visibility, cover(photo, kind, material, rng), kind))
    return {"faces": len(photos), **summarise(views)}


@dataclass(frozen=True, slots=True)
class View:
    """What is said of a covered face.

    Attributes:
        kind: of what covers it.
        hidden: bool `(15,)`, which keypoints are hidden.
        is_clear: bool `(15,)`, those that are not at the rim of what hides others.
        visible: float32 `(15,)`, the probabilities; None where the keypoints are not those of this
            face, as where another one is in front.
    """

    kind: str
    hidden: NDArray[np.bool_]
    is_clear: NDArray[np.bool_]
    visible: NDArray[np.float32] | None


def _look(detect: FaceKeypoints, visibility: Visibility, covered: Covered, kind: str) -> View:
    """Predict a face whose place is known, and what is seen of it."""
    photo, hidden = covered.photo, covered.hidden
    [face] = detect.faces_at(photo.grey, box_of_square(photo.square)[None])
    distance = np.linalg.norm(face.keypoints - photo.keypoints, axis=1)[~hidden]
    is_lost = bool(distance.size) and distance.mean() > _MAX_DISTANCE * photo.square[2]
    [visible] = visibility(photo.grey, [face])
    return View(kind, hidden, covered.is_clear, None if is_lost else visible)


def summarise(views: Sequence[View]) -> dict[str, Any]:
    """Areas and shares of views."""
    used = [view for view in views if view.visible is not None]
    kinds = np.array([view.kind for view in used])
    hidden, is_clear = (np.stack([getattr(v, n) for v in used]) for n in ("hidden", "is_clear"))
    visible = np.stack([view.visible for view in used if view.visible is not None])
    is_new = np.isin(kinds, [name for name, (_, is_trained) in KINDS.items() if not is_trained])
    return {
        "views": len(views),
        "lost": len(views) - len(used),
        **_areas_of(hidden, visible, is_clear),
        "trained": _areas_of(hidden[~is_new], visible[~is_new], is_clear[~is_new]),
        "untrained": _areas_of(hidden[is_new], visible[is_new], is_clear[is_new]),
        "seen_as_hidden": _round((visible[~hidden] < SEEN).mean()),
        "hidden_as_seen": _round((visible[hidden] >= SEEN).mean()),
        "kinds": {
            str(name): {
                "lost": sum(view.kind == name and view.visible is None for view in views),
                **_areas_of(*(a[kinds == name] for a in (hidden, visible, is_clear))),
            }
            for name in np.unique(kinds)
        },
        "keypoints": {
            name: _areas_of(hidden[:, k], visible[:, k], is_clear[:, k])
            for k, name in enumerate(KEYPOINT_NAMES)
        },
    }


def _areas_of(
    hidden: NDArray[np.bool_], visible: NDArray[np.float32], is_clear: NDArray[np.bool_]
) -> dict[str, float | None]:
    return {"area": _area(hidden, visible), "area_clear": _area(hidden, visible, is_clear)}


def _area(
    hidden: NDArray[np.bool_],
    visible: NDArray[np.float32],
    used: NDArray[np.bool_] | None = None,
) -> float | None:
    """The area under the curve of the used keypoints; None where all are hidden, or none."""
    used = np.ones_like(hidden) if used is None else used
    positives, negatives = -visible[used & hidden], -visible[used & ~hidden]
    if not (positives.size and negatives.size):
        return None
    return _round(area_under_curve(positives, negatives))


def measure_masks(detect: FaceKeypoints, visibility: Visibility, folder: Path) -> dict[str, float]:
    """Nose and mouth of faces with real masks, and of faces around them without."""
    hidden: list[float] = []
    seen: list[float] = []
    counts = {True: 0, False: 0}
    for face in read_masks(folder):
        [visible] = visibility(face.grey, detect.faces_at(face.grey, face.box[None]))
        if visible is None:
            continue
        counts[face.is_masked] += 1
        names, values = (MASKED, hidden) if face.is_masked else (UNMASKED, seen)
        values += [float(visible[KEYPOINT_NAMES.index(name)]) for name in names]
    return {
        "masked": counts[True],
        "unmasked": counts[False],
        "area": _round(area_under_curve(-np.array(hidden), -np.array(seen))),
        "hidden_as_seen": _round((np.array(hidden) >= SEEN).mean()),
        "seen_as_hidden": _round((np.array(seen) < SEEN).mean()),
    }


def measure_seen(
    detect: FaceKeypoints, visibility: Visibility, photos: list[Photo]
) -> dict[str, float]:
    """The share of the keypoints of real photos that count as hidden, and of faces with any."""
    found = [
        visibility(photo.grey, [face])[0]
        for photo, face in zip(photos, detect_annotated(detect, photos), strict=True)
        if face is not None
    ]
    hidden = np.stack([visible for visible in found if visible is not None]) < SEEN
    return {
        "faces": len(hidden),
        "keypoints": _round(hidden.mean()),
        "any": _round(hidden.any(axis=1).mean()),
    }


def measure_time(
    detect: FaceKeypoints, visibility: Visibility, photos: list[Photo]
) -> dict[str, float]:
    """Median processor time of one face of a decoded photo, ms."""
    grey = photos[0].grey
    faces = detect(grey)[:1]
    times = []
    for _ in range(_ROUNDS):
        start = time.process_time_ns()
        visibility(grey, faces)
        times.append((time.process_time_ns() - start) / 1e6)
    return {"median": round(float(np.median(times)), 3)}


def failures(results: dict[str, Any]) -> list[str]:
    """What the results do not reach, a line each."""
    made = results["made"]
    groups = {"all keypoints": made, **made["kinds"], **made["keypoints"]}
    groups["all kinds that were trained on"] = made["trained"]
    groups["real masks"] = results["masks"]
    lines = [
        f"{name}: the area under the curve is {group['area']}"
        for name, group in groups.items()
        if group["area"] is not None and group["area"] < _MIN_AREA
    ]
    for name, found in results["false_hidden"].items():
        if found["keypoints"] > _MAX_FALSE_HIDDEN:
            lines.append(f"{name}: {found['keypoints']:.1%} of the keypoints count as hidden")
    return lines


def table(results: dict[str, Any]) -> str:
    """The results as Markdown tables."""
    made = results["made"]
    titles = ("area under the curve", "without rims")
    lines = header("made occlusion", *titles, "views of another face")
    for name, group in made["kinds"].items():
        is_new = name in KINDS and not KINDS[name][1]
        title = f"{name}, never trained on" if is_new else name
        lines.append(row(title, *_areas(group), str(group["lost"])))
    lines.append(row("all kinds that were trained on", *_areas(made["trained"]), ""))
    title = f"all, {made['views']} views of {made['faces']} faces"
    lines.append(row(title, *_areas(made), str(made["lost"])))
    lines += ["", *header("keypoint", *titles)]
    lines += [row(f"`{name}`", *_areas(group)) for name, group in made["keypoints"].items()]
    lines += ["", *header("photos", "keypoints", "area", "hidden taken as seen", "seen as hidden")]
    lines += _shares(results)
    return "\n".join(lines)


def _areas(group: dict[str, float | None]) -> list[str]:
    areas = (group["area"], group["area_clear"])
    return ["–" if area is None else f"{area:.3f}" for area in areas]


def _shares(results: dict[str, Any]) -> list[str]:
    """The rows of what is taken for the other at the threshold."""
    masks = results["masks"]
    title = f"real masks, {masks['masked']} faces with and {masks['unmasked']} without"
    lines = []
    for name, keypoints, group in (
        (title, "nose and mouth", masks), ("made occlusions", "all", results["made"]),
    ):  # fmt: skip
        shares = (f"{group[key]:.1%}" for key in ("hidden_as_seen", "seen_as_hidden"))
        lines.append(row(name, keypoints, f"{group['area']:.3f}", *shares))
    for name, found in results["false_hidden"].items():
        title = f"{name}, {found['faces']} faces as they are"
        lines.append(row(title, "all", "–", "–", f"{found['keypoints']:.1%}"))
    return lines


def _round(value: np.floating | float) -> float:
    return round(float(value), 4)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.kinds),
        table,
        args.output,
        lambda key: f"no {key} in the data",
        failures,
    )


if __name__ == "__main__":
    sys.exit(main())
