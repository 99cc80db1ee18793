"""What a run of the command line does with each source: look, write, draw.

Pictures, videos, cameras and files of crops go through the same three stages (`edge.pipeline`).
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from edge.aligning import align
from edge.crops import Crops, read_crops
from edge.drawing import draw
from edge.errors import EdgeError, ImageError, SourceError
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.hiding import hide
from edge.image import Rgb, load_image, save_image
from edge.output import Outputs
from edge.pipeline import Limit, overlap
from edge.progress import Progress
from edge.smoothing import Smoothing
from edge.sources import STDIO, Source
from edge.tracks import Tracker
from edge.video import Camera, Frame, Video, VideoWriter

_AT_ONCE = 8  # pictures whose faces share network batches
_ROOM = 200_000_000  # bytes of decoded pictures at once, but for one that is larger alone
_CAMERA_RATE = 15.0  # frames a second of the video that is written of a camera


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be written, and how.

    Attributes:
        print_faces: a line for each face on standard output.
        names: write the keypoints' names on pictures.
        errors: draw each keypoint's error radius.
        blur: "face" or "eyes" to make faces unrecognisable, or None.
        align_size: side of faces that are cut out, px.
        every: of videos, each how many-th frame.
        start: of videos, seconds to skip.
        stop: of videos, seconds from the beginning at which to end, or None.
        smooth: whether keypoints are smoothed from frame to frame.
    """

    print_faces: bool = True
    names: bool = False
    errors: bool = False
    blur: str | None = None
    align_size: int = 112
    every: int = 1
    start: float = 0.0
    stop: float | None = None
    smooth: bool = True


@dataclass(frozen=True, slots=True)
class _Item:
    """A picture that was read, or why it could not be."""

    name: str
    picture: Rgb | None
    error: str = ""
    frame: int | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture and its faces."""

    item: _Item
    faces: list[Face]


class Runner:
    """Goes through sources, one after another."""

    def __init__(
        self, detect: FaceKeypoints, outputs: Outputs, settings: Settings, done: set[str]
    ) -> None:
        """Write to `outputs`; skip the sources whose names are in `done`."""
        self._detect, self._settings, self._done = detect, settings, done
        self._tables, self._pictures = outputs.tables, outputs.pictures
        self._crop_names = outputs.crops
        self._progress = Progress("", 0, "", shown=False)
        self.failed = 0

    def run(self, sources: Sequence[Source]) -> None:
        """Do all sources; one that fails is reported and counted, and the rest are done."""
        for kind, group in groupby(sources, key=lambda source: source.kind):
            some = list(group)
            if kind == "picture":
                self._run_pictures(some)
                continue
            for source in some:
                if source.name in self._done:
                    self._reserve(source)
                    continue
                try:
                    self._run_one(source)
                except (EdgeError, OSError) as error:  # no OpenCV, say: photos need none
                    self._fail(str(error))

    def _run_one(self, source: Source) -> None:
        if source.kind == "nothing":
            raise SourceError(f"{source.name}: holds no picture and no video")
        run = {"video": self._run_video, "camera": self._run_camera, "crops": self._run_crops}
        run[source.kind](source)

    def _run_pictures(self, sources: list[Source]) -> None:
        self._progress = Progress("pictures", len(sources), "pictures", shown=len(sources) > 1)
        overlap(
            self._read(sources), self._look, self._write, _AT_ONCE, _AT_ONCE, Limit(_bytes, _ROOM)
        )
        self._progress.clear()

    def _read(self, sources: list[Source]) -> Iterator[_Item]:
        for source in sources:
            name = source.name
            if name in self._done:
                self._reserve(source)
                continue
            try:
                yield _Item(name, load_image(sys.stdin.buffer.read() if name == STDIO else name))
            except (ImageError, SourceError) as error:
                yield _Item(name, None, str(error))
            except MemoryError:
                yield _Item(name, None, f"{name}: too large for the memory of this computer")

    def _look(self, items: list[_Item]) -> list[_Seen]:
        pictures = [item.picture for item in items if item.picture is not None]
        found = iter(self._detect.batch(pictures))
        return [_Seen(item, [] if item.picture is None else next(found)) for item in items]

    def _write(self, seen: _Seen) -> None:
        item = seen.item
        self._progress.step()
        if item.picture is None:
            self._fail(item.error)
            return
        self._note(seen)
        if self._pictures:
            try:
                path = self._pictures.next(item.name)
                save_image(self._annotated(item.picture, seen.faces), path)
                self._say(f"{item.name}: annotated picture: {path}")
            except OSError as error:
                self._fail(str(error))

    def _run_video(self, source: Source) -> None:
        video = Video(source.name)
        settings = self._settings
        rate = video.rate / settings.every
        end = video.count if settings.stop is None else min(video.count, settings.stop * video.rate)
        total = max(0, round((end - settings.start * video.rate) / settings.every))
        path = self._pictures.next(source.name, is_video=True) if self._pictures else None
        frames = video.frames(settings.every, settings.start, settings.stop)
        self._follow(source.name, frames, path, rate, total)

    def _run_camera(self, source: Source) -> None:
        camera = Camera(source.number)
        path = self._pictures.camera_file() if self._pictures else None
        try:
            self._follow(source.name, camera.frames(), path, _CAMERA_RATE, 0, live=True)
        finally:
            self._say(
                f"{source.name}: {self._progress.rate:.1f} frames a second, "
                f"{camera.dropped} frames dropped"
            )

    def _follow(
        self,
        name: str,
        frames: Generator[Frame, None, None],
        path: Path | None,
        rate: float,
        total: int,
        live: bool = False,
    ) -> None:
        """Follow the faces through frames, and write them as a video to `path`."""
        smoothing = Smoothing() if self._settings.smooth else None
        tracker = Tracker(self._detect, smoothing=smoothing)
        writer = VideoWriter(path, rate) if path else None
        self._progress = Progress(name, total, "frames")
        written = 0

        def look(some: list[_Item]) -> list[_Seen]:
            return [_Seen(item, tracker(_picture(item), item.time)) for item in some]

        def write(seen: _Seen) -> None:
            nonlocal written
            self._progress.step()
            self._note(seen)
            if writer:
                picture = self._annotated(_picture(seen.item), seen.faces)
                # A camera's frames come when they come: each is shown until the next.
                until = round((seen.item.time or 0.0) * rate) + 1 if live else written + 1
                while written < until:
                    writer.write(picture)
                    written += 1

        def items() -> Iterator[_Item]:
            with closing(frames):  # so that file or camera is let go whatever happens
                for f in frames:
                    yield _Item(name, f.picture, frame=f.number, time=f.time)

        try:
            # A live picture must not wait in a queue.
            overlap(items(), look, write, ahead=1 if live else _AT_ONCE)
        except KeyboardInterrupt:
            if writer:
                writer.close() if live else writer.abandon()
            raise
        except BaseException:
            if writer:
                writer.abandon()
            raise
        finally:
            self._progress.clear()
        if writer:
            writer.close()
            self._say(f"{name}: annotated video: {path}")

    def _run_crops(self, source: Source) -> None:
        size = self._detect.model.size
        self._progress = Progress(source.name, 0, "crops")
        count = 0

        def look(some: list[Crops]) -> list[tuple[Crops, list[Face]]]:
            return [(crops, self._faces_of(crops)) for crops in some]

        def write(result: tuple[Crops, list[Face]]) -> None:
            nonlocal count
            crops, faces = result
            for number, face in zip(crops.numbers.tolist(), faces, strict=True):
                self._tables.write(source.name, (size, size), [face], number)
            count += len(faces)
            self._progress.step(len(faces))

        overlap(read_crops(source.name, size), look, write)
        self._progress.clear()
        self._say(f"{source.name}: {count} crops")

    def _faces_of(self, crops: Crops) -> list[Face]:
        points, error, score = self._detect.crops(crops.pictures)
        side = float(crops.pictures.shape[1])
        box = np.array([0, 0, side, side], np.float32)
        rows = zip(points, error, score, strict=True)
        return [Face(box, float(some), each, radius) for each, radius, some in rows]

    def _note(self, seen: _Seen) -> None:
        """Write a picture's faces to the tables, and print them."""
        item, faces = seen.item, seen.faces
        height, width = _picture(item).shape[:2]
        self._tables.write(item.name, (width, height), faces, item.frame, item.time)
        self._save_aligned(item, faces)
        if item.frame is not None:
            return  # a line a frame would say too much
        if self._settings.print_faces:
            self._progress.clear()
            for number, face in enumerate(faces):
                print(_line(item.name, number, face))
        if not faces:
            self._say(f"{item.name}: no face found")

    def _annotated(self, picture: Rgb, faces: list[Face]) -> Rgb:
        settings = self._settings
        if settings.blur:
            return hide(picture, faces, settings.blur)
        names = self._detect.keypoint_names
        return draw(
            picture, faces, names=names, show_names=settings.names, show_error=settings.errors
        )

    def _save_aligned(self, item: _Item, faces: list[Face]) -> None:
        if self._crop_names is None:
            return
        for number, face in enumerate(faces):
            which = number if face.track_id is None else face.track_id
            try:
                crop = align(_picture(item), face, self._settings.align_size)
                save_image(crop, self._crop_names.name(item.name, which, item.frame))
            except (ImageError, SourceError) as error:
                self._fail(f"{item.name}: {error}")

    def _reserve(self, source: Source) -> None:
        """Keep the name of a picture that is done from being given to another."""
        if self._pictures and source.kind != "crops":
            self._pictures.next(source.name, is_video=source.kind == "video")

    def _fail(self, message: str) -> None:
        self.failed += 1
        self._say(f"edge: {message}")

    def _say(self, message: str) -> None:
        self._progress.clear()
        print(message, file=sys.stderr)


def _bytes(item: _Item) -> int:
    return 0 if item.picture is None else item.picture.nbytes


def _picture(item: _Item) -> Rgb:
    if item.picture is None:
        raise ValueError("an item without a picture has no faces")
    return item.picture


def _line(name: str, number: int, face: Face) -> str:
    x, y, w, h = (round(float(value)) for value in face.box)
    return (
        f"{name}: face {number} at x {x}, y {y}, {w}×{h} px, score {face.score:.2f}, "
        f"typical error {float(face.error.mean()):.1f} px"
    )
