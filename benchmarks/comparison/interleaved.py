"""This package and its peers on the same photos, each in a process of its own, in turns.

Legend: F photos, each with one annotated face.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo
from benchmarks.datasets.synthetic_videos import SCENES, play
from benchmarks.harness.timing import summarise
from benchmarks.peers import WAYS, Environment, Way, find
from benchmarks.tracking import make_actors
from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.evaluation.metrics import distances, normalised_mean_error
from edge.geometry.face_frame import eye_span
from edge.image import Rgb

_WORKER = Path(__file__).with_name("worker.py")
_WARM_UP = 4  # photos
_STARTS = 7
_SHARE_OF_FACE = 0.25  # of the square's side: nearer than that, a face found is the annotated one
_CURVE = 41  # points of the curve of errors
_FRAMES = 150


@dataclass(frozen=True, slots=True)
class Race:
    """What is run.

    Attributes:
        home: folder of the peers' environments.
        files: model files by the name that a way needs, such as `yunet`.
        timed: how many of the photos are timed.
        rounds: how often.
    """

    home: Path
    files: dict[str, Path]
    timed: int
    rounds: int


class Runner:
    """A worker process of one way, at one number of threads."""

    def __init__(self, way: Way, environment: Environment, threads: int, model: Path | None):
        """Start it."""
        options = {**way.options, "threads": threads, "model": str(model) if model else None}
        command = [str(environment.python), "-I", str(_WORKER), json.dumps(options)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Runner:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.stop()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order and wait for its answer.

        Raises:
            OSError: the process ended; with the last line of what it said.
        """
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        try:
            pipe.write(json.dumps(order) + "\n")
            pipe.flush()
            line = answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            said = self._process.communicate()[1].strip().splitlines()
            raise OSError(said[-1] if said else "the process ended without a word")
        answer: dict[str, Any] = json.loads(line)
        return answer


def run_race(photos: list[Photo], images: list[Rgb], race: Race) -> list[dict[str, Any]]:
    """One row a way and number of threads; a way that does not run is a row that says why."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        stills, films = folder / "stills.npz", folder / "films.npz"
        np.savez(stills, **{str(i): image for i, image in enumerate(images)})  # type: ignore[arg-type]
        frames = _frames()
        np.savez(films, **{str(i): frame for i, frame in enumerate(frames)})  # type: ignore[arg-type]
        np.save(folder / "first.npy", images[0])
        rows = []
        for threads in (1, 0):  # 0: as many as the way likes
            for video in (False, True):
                ways = [way for way in WAYS if way.video == video]
                source = films if video else stills
                count = len(frames) if video else race.timed
                rows += _run_heat(ways, threads, source, [str(i) for i in range(count)], race)
        _add_accuracy(rows, photos, stills, race)
        _add_starts(rows, folder / "first.npy", race)
    return rows


def _frames() -> list[Rgb]:
    """Frames of a made video: a face that wanders, turns and changes its size."""
    background = np.full((48, 64, 3), 96, np.uint8)
    shots = play(SCENES["wander"], make_actors(), background)
    return [shot.picture for shot, _ in zip(shots, range(_FRAMES), strict=False)]


def _row(way: Way, threads: int) -> dict[str, Any]:
    return {"way": way.name, "peer": way.peer, "threads": threads, "video": way.video}


def _run_heat(
    ways: list[Way], threads: int, source: Path, names: list[str], race: Race
) -> list[dict[str, Any]]:
    """Time all ways on the same photos, in turns of one pass each."""
    rows, runners = [], {}
    for way in ways:
        row = _row(way, threads)
        rows.append(row)
        try:
            runners[way.name] = _start(way, threads, race)
            runners[way.name].ask(do="time", photos=str(source), names=names[:_WARM_UP])
        except OSError as error:
            row["failure"] = str(error)
            runners.pop(way.name, None)
    spent: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(race.rounds):
        for name, runner in runners.items():
            spent[name] += runner.ask(do="time", photos=str(source), names=names)["ms"]
    for row in rows:
        if row["way"] in runners:
            row["latency"] = asdict(summarise(np.array(spent[row["way"]])))
            row["memory_mb"] = round(runners[row["way"]].ask(do="memory")["mb"], 1)
            row["installed_mb"] = round(find(row["peer"], race.home).size_mb(), 1)
    for runner in runners.values():
        runner.stop()
    return rows


def _start(way: Way, threads: int, race: Race) -> Runner:
    """Start a way's process; raises OSError where it cannot run."""
    environment = find(way.peer, race.home)
    if environment.failure:
        raise OSError(environment.failure)
    model = race.files.get(way.needs)
    if way.needs and model is None:
        raise OSError(f"no model file given; name one with --{way.needs} FILE")
    return Runner(way, environment, threads, model.resolve() if model else None)


def _add_accuracy(
    rows: list[dict[str, Any]], photos: list[Photo], stills: Path, race: Race
) -> None:
    """Find the faces of all photos, and compare their keypoints with the annotation."""
    by_name = {way.name: way for way in WAYS}
    for row in rows:
        if "latency" not in row or row["video"] or row["threads"] != 1:
            continue
        with _start(by_name[row["way"]], 1, race) as runner:
            names = [str(i) for i in range(len(photos))]
            faces = runner.ask(do="find", photos=str(stills), names=names)["faces"]
        row["accuracy"] = measure_accuracy(photos, faces)


def measure_accuracy(photos: list[Photo], faces: list[list[Any]]) -> dict[str, Any]:
    """How many annotated faces are found, and how far their keypoints are from the truth.

    Each point's mean difference, in the frame of the eyes, is removed, as schemes differ; a way
    without outer eye corners is compared as it is, and points that it has not count nowhere.

    Args:
        photos: with one annotated face each.
        faces: what was found in each; a face is 15 points, each `[x, y]` px or None, or None where
            the way gives no keypoints at all.
    """
    if any(face is None for some in faces for face in some):
        return {"faces": len(photos), "found": None}
    nearest = [_nearest(photo, some) for photo, some in zip(photos, faces, strict=True)]
    pairs = [(p.keypoints, n) for p, n in zip(photos, nearest, strict=True) if n is not None]
    if not pairs:
        return {"faces": len(photos), "found": 0}
    true, found = (np.stack(points) for points in zip(*pairs, strict=True))
    moved = found
    if not np.isnan(eye_span(found)).any():
        moved = add_offsets(found, measure_offsets(found, true))
    errors = normalised_mean_error(moved, true)
    known = np.isfinite(distances(moved, true)).any(axis=0)
    return {
        "faces": len(photos),
        "found": len(pairs),
        "keypoints": int(known.sum()),
        "error": round(float(np.nanmean(errors)), 5),
        "error_raw": round(float(np.nanmean(normalised_mean_error(found, true))), 5),
        "curve": np.nanpercentile(errors, np.linspace(0, 100, _CURVE)).round(5).tolist(),
    }


def _nearest(photo: Photo, faces: list[Any]) -> NDArray[np.float64] | None:
    """Of the faces found, the one whose points are nearest to the annotated ones."""
    best, away = None, _SHARE_OF_FACE * float(photo.square[2])
    for face in faces:
        points = np.array([point or (np.nan, np.nan) for point in face], np.float64)
        apart = float(np.nanmean(np.linalg.norm(points - photo.keypoints, axis=1)))
        if apart < away:
            best, away = points, apart
    return best


def _add_starts(rows: list[dict[str, Any]], photo: Path, race: Race) -> None:
    """Cold starts: from the start of a process to its first result, in turns; medians."""
    by_name = {way.name: way for way in WAYS}
    started = [row for row in rows if "latency" in row and row["threads"] == 1]
    spent: dict[str, list[dict[str, float]]] = {row["way"]: [] for row in started}
    for _ in range(_STARTS):
        for row in started:
            begin = time.perf_counter()
            with _start(by_name[row["way"]], 1, race) as runner:
                parts = runner.ask(do="first", photo=str(photo))
            parts["total_ms"] = (time.perf_counter() - begin) * 1e3
            spent[row["way"]].append(parts)
    for row in started:
        later = spent[row["way"]][1:]  # the first is from a cold cache
        row["start"] = {
            name: round(float(np.median([parts[name] for parts in later])), 1) for name in later[0]
        }
