"""`python -m benchmarks.lfpw DATA`: 15 keypoints and 68 points on hand-labelled photos, end to end.

Networks of the `keypoints` recipes are not trained on these photos; the first embedded one was, so
its error here is that on training data. With `--peers` the same photos go through MediaPipe and
dlib, installed by `python -m benchmarks.peers install`. Errors are those of
`benchmarks.evaluation.labelled_points`; of several faces in a photo, the one nearest to the label
counts. MediaPipe's mesh is the refined one, with models of its own for eyes and lips; its 68 points
are those that `benchmarks.evaluation.mesh_map` predicts from it: the map is fitted on the labels of
the other photos of this set, which favours it. dlib's trees may have been trained on these photos.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison.accuracy import matching_points
from benchmarks.comparison.environments import HOME
from benchmarks.comparison.peer_points import PEERS, Peer, predict_points
from benchmarks.comparison.worker import pick
from benchmarks.datasets.photos import Photo, read_images, read_photos
from benchmarks.evaluation.labelled_points import Points, measure, of_face
from benchmarks.evaluation.mesh_map import cross_fit
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.project import embedded_models
from benchmarks.reporting.markdown import header, row
from edge.facekeypoints import FaceKeypoints
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import KeypointModel
from edge.networks.precision import keypoint_file

_KEYS68 = ("error68", "error68_jaw", "error68_rest")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; a usage error exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lfpw",
        description="Measure keypoint models on photos with 68 hand-labelled points.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with lfpw/")
    add("models", nargs="*", metavar="MODEL", type=keypoint_file,
        help=".onnx files, or small (default: the embedded ones)")  # fmt: skip
    add("--peers", action="store_true",
        help="measure MediaPipe and dlib too, installed by python -m benchmarks.peers")  # fmt: skip
    add("--home", metavar="DIR", type=Path, default=HOME,
        help="folder of the peers' environments (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="file for the results as JSON")
    return parser.parse_args(argv)


def run(data: Path, models: list[Path], peers: Path | None = None) -> dict[str, Any]:
    """Measure each model, and the peers.

    Args:
        data: folder with `lfpw/`.
        models: `.onnx` files; the embedded ones if empty.
        peers: folder of the peers' environments; None leaves them out.

    Returns:
        `machine` and `models`, a row for each model and peer; each has `common`, the same measures
        on the faces that all of them found.

    Raises:
        EdgeError: a photo or a model cannot be read.
        OSError: the annotations cannot be opened, or a peer's process ended.
        KeyError, ValueError: a line of the annotations lacks a value, or no face is detected.
    """
    photos = read_photos(data / "lfpw")
    labels = np.stack([photo.keypoints for photo in photos])
    labels68 = read_points68(data / "lfpw")
    predictions: dict[str, list[Points | None]] = {}
    for path in models or embedded_models():
        predictions[str(path)] = _predict(path, photos)
    failures = {}
    if peers is not None:
        for peer in PEERS:
            found = _predict_peer(peer, peers, data / "lfpw", photos, labels68)
            if isinstance(found, str):
                failures[peer.name] = found
            else:
                predictions[peer.name] = found
    common = [i for i, row in enumerate(zip(*predictions.values(), strict=True)) if all(row)]
    rows = []
    for name, points in predictions.items():
        measured = {"model": name, **measure(points, labels, labels68)}
        if common:
            shared = [points[i] for i in common]
            measured["common"] = measure(shared, labels[common], labels68[common])
        rows.append(measured)
    rows += [{"model": name, "failure": reason} for name, reason in failures.items()]
    return {"machine": describe_machine(threads=1), "models": rows}


def read_points68(folder: Path) -> NDArray[np.float64]:
    """The 68 points of each photo of a folder with `annotations.jsonl`, `(F, 68, 2)` px."""
    lines = (folder / "annotations.jsonl").read_text(encoding="utf-8-sig").splitlines()
    return np.array([json.loads(line)["points68"] for line in lines], np.float64)


def _predict(path: Path, photos: Sequence[Photo]) -> list[Points | None]:
    """The points of each photo's face, as the product finds them."""
    points68 = KeypointModel(path).has_points68
    detect = FaceKeypoints(model=path, precision="fp32", points68=points68)
    faces = [[of_face(face) for face in detect(photo.grey)] for photo in photos]
    return [_nearest(photo, points) for photo, points in zip(photos, faces, strict=True)]


def _predict_peer(
    peer: Peer,
    home: Path,
    folder: Path,
    photos: Sequence[Photo],
    labels68: NDArray[np.float64],
) -> list[Points | None] | str:
    """As `_predict`; or the reason why the peer cannot be run."""
    answers = predict_points(peer, home, read_images(folder))
    if isinstance(answers, str):
        return answers
    faces = [
        [Points(np.array(pick(points, peer.scheme)), points) for points in image_faces]
        for image_faces in answers
    ]
    found = [_nearest(photo, points) for photo, points in zip(photos, faces, strict=True)]
    return found if peer.has_points68 else _mapped(found, labels68)


def _mapped(found: Sequence[Points | None], labels68: NDArray[np.float64]) -> list[Points | None]:
    """The faces with the 68 points that a fitted map predicts from all their points."""
    pairs = [(i, points) for i, points in enumerate(found) if points is not None]
    own = np.stack([points.points68 for _, points in pairs if points.points68 is not None])
    mapped = cross_fit(own, labels68[[i for i, _ in pairs]])
    result: list[Points | None] = [None] * len(found)
    for (i, points), points68 in zip(pairs, mapped, strict=True):
        result[i] = Points(points.keypoints, points68)
    return result


def _nearest(photo: Photo, faces: Sequence[Points]) -> Points | None:
    """The face that is the annotated one, if any."""
    match = matching_points(photo, [face.keypoints.tolist() for face in faces])
    if match is None:
        return None
    return next(face for face in faces if np.array_equal(face.keypoints, match))


def table(results: dict[str, Any]) -> str:
    """The results as Markdown: a row per model and peer, and the shares inside by keypoint."""
    lines = header(
        *("model", "found", "15 points (raw)", "on common faces", "inside `error`"),
        *("inside `error90`", "68 points", "jaw", "rest", "on common faces"),
    )
    for measured in results["models"]:
        name = _name(measured)
        if "failure" in measured:
            lines.append(row(name, measured["failure"], *["–"] * 8))
            continue
        common = measured.get("common", {})
        cells = [
            name,
            f"{measured['found']} of {measured['faces']}",
            f"{measured['error']:.2%} ({measured['error_raw']:.2%})",
            _percent(common, "error"),
            *(_shares(measured.get(key)) for key in ("inside", "inside90")),
            *(_percent(measured, key) for key in _KEYS68),
            _percent(common, "error68"),
        ]
        lines.append(row(*cells))
    return "\n".join([*lines, "", *_coverage_table(results["models"])])


def _coverage_table(models: list[dict[str, Any]]) -> list[str]:
    """By keypoint, the shares inside `error` and `error90` of each model that has them."""
    with_error = [measured for measured in models if "inside" in measured]
    lines = header("inside `error` / `error90`", *map(_name, with_error))
    for keypoint in KEYPOINT_NAMES:
        pairs = [
            [_percent(m.get(key, {}), keypoint, 0) for key in ("inside", "inside90")]
            for m in with_error
        ]
        lines.append(row(keypoint, *(" / ".join(pair) for pair in pairs)))
    return lines


def _name(measured: dict[str, Any]) -> str:
    return "/".join(Path(measured["model"]).parts[-2:])  # the folder, as files have one name


def _percent(measured: dict[str, Any], key: str, digits: int = 2) -> str:
    return f"{measured[key]:.{digits}%}" if key in measured else "–"


def _shares(by_keypoint: dict[str, float] | None) -> str:
    """The mean share, and the least and the most of a keypoint."""
    if by_keypoint is None:
        return "–"
    shares = list(by_keypoint.values())
    return f"{np.mean(shares):.0%} ({min(shares):.0%}–{max(shares):.0%})"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.models, args.home if args.peers else None),
        table,
        args.output,
        lambda key: f"no {key} in the annotations",
    )


if __name__ == "__main__":
    sys.exit(main())
