"""Predict, correct in Label Studio's format, adapt, measure: the whole loop, on very dark photos.

    python examples/learn_from_corrections.py DATA WORK

DATA is a folder of small photos of one face each, with hand labels in `annotations.jsonl`. They are
made as dark as a camera makes them that counts 25 photons per pixel of white. 80 photos stand for
those that somebody corrected: their hand labels take the place of the predictions. The networks
are then compared on 300 photos of other people. Needs the extra `train`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import edge
from edge.evaluation.metrics import normalised_mean_error
from edge.geometry.face_frame import box_of_square
from edge.geometry.keypoint_frame import face_square
from edge.image import load_image, to_grey
from edge.networks.keypoint_model import EMBEDDED
from edge.run.command import main as edge_run
from train.adapt.__main__ import main as adapt
from train.data.sources import read_annotations
from train.prepare import main as prepare

PHOTONS = 25.0  # per pixel, of white
CORRECTED, HELD_OUT = 80, 300  # photos


def darken(grey: Any, seed: int) -> Any:
    """A photo of few photons, uint8 `(H, W)`, as bright as before and full of their noise."""
    counts = np.random.default_rng(seed).poisson(grey / 255 * PHOTONS)
    return np.clip(np.rint(counts / PHOTONS * 255), 0, 255).astype(np.uint8)


def correct(task: dict[str, Any], points: dict[str, Any], side: tuple[int, int]) -> None:
    """Submit a task with these points, as Label Studio exports it; None are points not seen."""
    width, height = side
    size = {"original_width": width, "original_height": height}
    box = {"id": "face", "type": "rectanglelabels", "value":
           {"x": 0, "y": 0, "width": 100, "height": 100, "rectanglelabels": ["face"]}}  # fmt: skip
    results = [
        {"type": "keypointlabels", "parentID": "face", **size, "value":
         {"x": 100 * (x + 0.5) / width, "y": 100 * (y + 0.5) / height, "keypointlabels": [name]}}
        for name, (x, y) in ((name, at) for name, at in points.items() if at)
    ]  # fmt: skip
    task["annotations"] = [{"result": [box, *results]}]


def make_photos(data: Path, work: Path) -> None:
    """Write `photos/` with what Label Studio exports, and `held-out/` with its labels."""
    rows = [json.loads(line) for line in (data / "annotations.jsonl").read_text().splitlines()]
    order = np.random.default_rng(1).permutation(len(rows))
    chosen = {"photos": order[:CORRECTED], "held-out": order[CORRECTED : CORRECTED + HELD_OUT]}
    for folder, numbers in chosen.items():
        (work / folder).mkdir(parents=True, exist_ok=True)
        labels = {}
        for number in numbers.tolist():
            dark = darken(to_grey(load_image(data / rows[number]["image"])), number)
            Image.fromarray(dark).save(work / folder / f"{number}.png")
            labels[f"{number}.png"] = (rows[number]["keypoints"], dark.shape[::-1])
        tasks_file = work / folder / "tasks.json"
        edge_run([str(work / folder), "--no-picture", "--label-studio", str(tasks_file)])
        tasks = json.loads(tasks_file.read_text())
        for task in tasks:
            correct(task, *labels[task["data"]["image"].rpartition("=")[2]])
        (work / folder / "corrected.json").write_text(json.dumps(tasks))


def compare(work: Path) -> str:
    """The error of the embedded and the adapted network on the photos that were held out."""
    lines = []
    for name, model in (("embedded", EMBEDDED), ("adapted", work / "models" / EMBEDDED.name)):
        detect = edge.FaceKeypoints(model=model, precision="fp32")
        found, errors = 0, []
        for photo in read_annotations(work / "held-out" / "corrected.json"):
            square = face_square(photo.keypoints)
            if square is None:
                continue
            [face] = detect.faces_at(photo.photo, [box_of_square(square)])
            errors.append(normalised_mean_error(face.keypoints[None], photo.keypoints[None])[0])
            found += bool(detect(photo.photo))
        lines.append(f"{name}: {np.nanmean(errors):.2%} of the eye distance in given boxes; "
                     f"finds {found} of {len(errors)} faces by itself")  # fmt: skip
    return "\n".join(lines)


def main(data: Path, work: Path) -> int:
    """Run the loop; returns the exit status."""
    make_photos(data, work)
    status = prepare([str(work / "photos" / "corrected.json"), "-o", str(work / "faces.npz")])
    status = status or adapt(
        [str(EMBEDDED), "--data", str(work / "faces.npz"), "-o", str(work / "models")]
    )
    if not status:
        print(compare(work))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
