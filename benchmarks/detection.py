"""`python -m benchmarks.detection DATA DETECTOR.onnx`: which faces are found, and what else.

Legend: M boxes.

- helen: photos with one annotated face each; is it found?
- facemask: every fifth photo, which training skips; faces with and without masks, boxes by hand.
- negatives: every fifth photo without faces, which training skips.
- small faces: helen's faces shrunk, each on a larger canvas.
- time at 320×240 and 640×480, one thread, in turns within one run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo, read_photos, shrink
from benchmarks.evaluation.detectors import HAAR, Finder, haar, product, yunet
from benchmarks.evaluation.face_score import HELD_BACK
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.latency.model_size import count
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import box_of_square
from edge.image import Grey, load_image, to_grey
from edge.networks.face_detector import FaceDetector
from edge.networks.precision import int8_file
from edge.resize import resize

_SIZES = (320, 640)  # px, of the longer side
_SMALL_PX = (12, 16, 20, 24, 32)  # widths of faces
_CANVAS = (240, 320)
_LEAST_PX = 16.0  # of a hand-drawn box's shorter side
_SAME = 0.5  # intersection over union from which on a box counts as the face's
_SHAPES = ((240, 320), (480, 640))
_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Marked:
    """A photo and all its faces: boxes `(M, 4)` px."""

    grey: Grey
    boxes: NDArray[np.float32]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection",
        description="Measure face detectors on annotated photos.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with helen/, facemask/ and negatives/")
    add("detector", metavar="DETECTOR", type=Path, help="our detector, an .onnx file")
    add("--yunet", metavar="FILE", type=Path, help="YuNet's .onnx file, to measure it beside ours")
    add("-o", "--output", metavar="FILE", type=Path, help="where to write the results as JSON")
    return parser.parse_args(argv)


def run(data: Path, detector: Path, yunet_file: Path | None) -> dict[str, Any]:
    """Measure each detector on every set."""
    helen = read_photos(data / "helen")
    masks = read_marked(data / "facemask")[HELD_BACK - 1 :: HELD_BACK]
    paths = sorted((data / "negatives").glob("*.jpg"))[HELD_BACK - 1 :: HELD_BACK]
    negatives = [to_grey(load_image(path)) for path in paths]
    rows = []
    for size in _SIZES:
        for name, find in _finders(size, detector, yunet_file).items():
            rows.append({"detector": name, "detect_size": size,
                         **measure(find, helen, masks, negatives)})  # fmt: skip
            print(json.dumps(rows[-1]), file=sys.stderr)
    return {
        "machine": describe_machine(threads=1),
        "version": FaceDetector(detector).metadata["model_version"],
        "parameters": count(detector)[0],
        "size_bytes": detector.stat().st_size,
        "detectors": rows,
        "time": measure_time(helen[0].grey, detector, yunet_file),
    }


def _finders(size: int, detector: Path, yunet_file: Path | None) -> dict[str, Finder]:
    finders = {name: product(size, path) for name, path in _ours(detector).items()}
    if yunet_file:
        finders["YuNet"] = yunet(yunet_file, size)
    return finders | {name: haar(name, size) for name in HAAR}


def _ours(detector: Path) -> dict[str, Path]:
    """Our detector's file, and the int8 one where it lies beside it."""
    small = int8_file(detector)
    return {"edge": detector} | ({"edge int8": small} if small.is_file() else {})


def read_marked(folder: Path) -> list[Marked]:
    """Read a folder of photos whose `annotations.jsonl` has a box for every face.

    Raises:
        EdgeError: a photo cannot be read.
        OSError: the annotations cannot be opened.
        KeyError, ValueError: a line is not such an object.
    """
    marked = []
    for line in (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        boxes = np.array([face["box"] for face in row["faces"]], np.float32).reshape(-1, 4)
        marked.append(Marked(to_grey(load_image(folder / row["image"])), boxes))
    return marked


def measure(
    find: Finder, helen: list[Photo], masks: list[Marked], negatives: list[Grey]
) -> dict[str, Any]:
    """One detector on all sets."""
    return {
        "helen": {"faces": len(helen), "found": sum(is_found(find, photo) for photo in helen)},
        "facemask": measure_marked(find, masks),
        "false_alarms_per_photo": round(
            float(np.mean([len(find(grey)[0]) for grey in negatives])), 4
        ),
        "small_faces": {
            str(width): round(
                float(np.mean([is_found(find, on_canvas(p, width)) for p in helen])), 4
            )
            for width in _SMALL_PX
        },
    }


def is_found(find: Finder, photo: Photo) -> bool:
    """Whether one of the boxes found is the annotated face's."""
    boxes, _ = find(photo.grey)
    return bool((intersection_over_union(box_of_square(photo.square)[None], boxes) >= _SAME).any())


def measure_marked(find: Finder, photos: list[Marked]) -> dict[str, float]:
    """Shares of the faces that are found, and of what is found that are faces.

    A face smaller than 16 px need not be found and is no mistake; two boxes for one face are one.
    """
    faces = found = right = given = 0
    for photo in photos:
        boxes, scores = find(photo.grey)
        large = photo.boxes[:, 2:].min(axis=1, initial=np.inf) >= _LEAST_PX
        pairs = match(photo.boxes, boxes[np.argsort(-scores)])
        faces += int(large.sum())
        found += sum(bool(large[face]) for face, _ in pairs)
        right += len(pairs)
        given += len(boxes)
    return {
        "faces": faces,
        "found": round(found / faces, 4),
        "precision": round(right / max(given, 1), 4),
    }


def match(faces: NDArray[np.floating], boxes: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Pairs of a face and the first box, in the boxes' order, that is its own."""
    pairs: list[tuple[int, int]] = []
    overlaps = intersection_over_union(faces, boxes)
    free = np.ones(len(faces), bool)
    for i in range(len(boxes)):
        best = int(np.argmax(np.where(free, overlaps[:, i], -1.0))) if free.any() else -1
        if best >= 0 and overlaps[best, i] >= _SAME:
            free[best] = False
            pairs.append((best, i))
    return pairs


def on_canvas(photo: Photo, face_px: float) -> Photo:
    """The photo shrunk until its face is `face_px` wide, in the middle of a grey canvas."""
    small = shrink(photo, face_px * photo.square[2] / box_of_square(photo.square)[2])
    canvas = np.full(_CANVAS, int(small.grey.mean()), np.uint8)
    height, width = (min(a, b) for a, b in zip(small.grey.shape, _CANVAS, strict=True))
    top, left = (_CANVAS[0] - height) // 2, (_CANVAS[1] - width) // 2
    canvas[top : top + height, left : left + width] = small.grey[:height, :width]
    moved = small.keypoints + np.array([left, top], np.float32)
    return Photo(canvas, moved)


def measure_time(grey: Grey, detector: Path, yunet_file: Path | None) -> dict[str, Any]:
    """Milliseconds of one search at each shape, ours and YuNet's in turns: least and median."""
    times = {}
    for shape in _SHAPES:
        picture = resize(grey, shape)
        finders: dict[str, Callable[[], object]] = {
            name: partial(FaceDetector(path), picture, shape[1])
            for name, path in _ours(detector).items()
        }
        if yunet_file:
            finders["YuNet"] = partial(yunet(yunet_file, shape[1]), picture)
        spent: dict[str, list[float]] = {name: [] for name in finders}
        for _ in range(_ROUNDS):
            for name, find in finders.items():
                start = time.perf_counter_ns()
                find()
                spent[name].append((time.perf_counter_ns() - start) / 1e6)
        times[f"{shape[1]}×{shape[0]}"] = {
            name: {"least_ms": round(min(ms), 3), "median_ms": round(float(np.median(ms)), 3)}
            for name, ms in spent.items()
        }
    return times


def table(results: dict[str, Any]) -> str:
    """The results as Markdown: detectors, then times."""
    small = [f"{width} px" for width in _SMALL_PX]
    lines = [
        "| detector | at | helen | facemask found | precision | false alarms a photo | "
        + " | ".join(small) + " |",
        "|---" * (6 + len(small)) + "|",
    ]  # fmt: skip
    for row in results["detectors"]:
        masks, helen = row["facemask"], row["helen"]
        shares = " | ".join(f"{share:.0%}" for share in row["small_faces"].values())
        lines.append(
            f"| {row['detector']} | {row['detect_size']} | {helen['found']} of {helen['faces']} | "
            f"{masks['found']:.1%} | {masks['precision']:.1%} | "
            f"{row['false_alarms_per_photo']:.3f} | {shares} |"
        )
    for shape, rows in results["time"].items():
        cells = ", ".join(f"{name} {ms['median_ms']:.2f} ms" for name, ms in rows.items())
        lines.append(f"\n{shape}: {cells}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.detector, args.yunet),
        table,
        args.output,
        lambda key: f"no {key} in the annotations",
    )


if __name__ == "__main__":
    sys.exit(main())
