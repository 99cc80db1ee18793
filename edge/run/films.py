"""What a run of the command line does with each source: look, write, draw.

Pictures, videos, cameras and files of crops go through the same three stages (`edge.run.pipeline`).
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path

import numpy as np

from edge.cli.filenames import STDIO
from edge.cli.progress import Progress
from edge.errors import EdgeError, ImageError, SourceError
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.image import load_image
from edge.image_writer import save_image
from edge.run.crop_files import Crops, read_crops
from edge.run.output_paths import Outputs
from edge.run.pipeline import Limit, overlap
from edge.run.reporter import Item, Report, Seen, Settings, picture_of
from edge.run.sources import Source
from edge.video.capture import Camera, Frame, Video, VideoWriter
from edge.video.smoothing import Smoothing
from edge.video.tracker import Tracker

_AT_ONCE = 8  # pictures whose faces share network batches
_ROOM = 200_000_000  # bytes of decoded pictures at once, but for one that is larger alone
_CAMERA_RATE = 15.0  # frames a second of the video that is written of a camera


class Runner:
    """Goes through sources, one after another."""

    def __init__(
        self, detect: FaceKeypoints, outputs: Outputs, settings: Settings, done: set[str]
    ) -> None:
        """Write to `outputs`; skip the sources whose names are in `done`."""
        self._detect, self._done, self._settings = detect, done, settings
        self._report = Report(outputs, settings, detect.keypoint_names)
        self._names = outputs.pictures

    @property
    def failed(self) -> int:
        """How many sources have failed."""
        return self._report.failed

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
                    self._report.fail(str(error))

    def _run_one(self, source: Source) -> None:
        if source.kind == "nothing":
            raise SourceError(f"{source.name}: holds no picture and no video")
        run = {"video": self._run_video, "camera": self._run_camera, "crops": self._run_crops}
        run[source.kind](source)

    def _run_pictures(self, sources: list[Source]) -> None:
        self._report.progress = Progress(
            "pictures", len(sources), "pictures", shown=len(sources) > 1
        )
        overlap(
            self._read(sources), self._look, self._write, _AT_ONCE, _AT_ONCE, Limit(_bytes, _ROOM)
        )
        self._report.progress.clear()

    def _read(self, sources: list[Source]) -> Iterator[Item]:
        for source in sources:
            name = source.name
            if name in self._done:
                self._reserve(source)
                continue
            try:
                yield Item(name, load_image(sys.stdin.buffer.read() if name == STDIO else name))
            except (ImageError, SourceError) as error:
                yield Item(name, None, str(error))
            except MemoryError:
                yield Item(name, None, f"{name}: too large for the memory of this computer")

    def _look(self, items: list[Item]) -> list[Seen]:
        pictures = [item.picture for item in items if item.picture is not None]
        found = iter(self._detect.batch(pictures))
        return [Seen(item, [] if item.picture is None else next(found)) for item in items]

    def _write(self, seen: Seen) -> None:
        item = seen.item
        self._report.progress.step()
        if item.picture is None:
            self._report.fail(item.error)
            return
        self._report.note(seen)
        if self._names:
            try:
                path = self._names.next(item.name)
                save_image(self._report.annotated(item.picture, seen.faces), path)
                self._report.say(f"{item.name}: annotated picture: {path}")
            except OSError as error:
                self._report.fail(str(error))

    def _reserve(self, source: Source) -> None:
        """Keep the name of a picture that is done from being given to another."""
        if self._names and source.kind != "crops":
            self._names.next(source.name, is_video=source.kind == "video")

    def _run_video(self, source: Source) -> None:
        video = Video(source.name)
        settings = self._settings
        rate = video.rate / settings.every
        end = video.count if settings.stop is None else min(video.count, settings.stop * video.rate)
        total = max(0, round((end - settings.start * video.rate) / settings.every))
        path = self._names.next(source.name, is_video=True) if self._names else None
        frames = video.frames(settings.every, settings.start, settings.stop)
        self._follow(source.name, frames, path, rate, total)

    def _run_camera(self, source: Source) -> None:
        camera = Camera(source.number)
        path = self._names.camera_file() if self._names else None
        try:
            self._follow(source.name, camera.frames(), path, _CAMERA_RATE, 0, live=True)
        finally:
            self._report.say(
                f"{source.name}: {self._report.progress.rate:.1f} frames a second, "
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
        self._report.progress = Progress(name, total, "frames")
        written = 0

        def look(some: list[Item]) -> list[Seen]:
            return [Seen(item, tracker(picture_of(item), item.time)) for item in some]

        def write(seen: Seen) -> None:
            nonlocal written
            self._report.progress.step()
            self._report.note(seen)
            if writer:
                picture = self._report.annotated(picture_of(seen.item), seen.faces)
                # A camera's frames come when they come: each is shown until the next.
                until = round((seen.item.time or 0.0) * rate) + 1 if live else written + 1
                while written < until:
                    writer.write(picture)
                    written += 1

        def items() -> Iterator[Item]:
            with closing(frames):  # so that file or camera is let go whatever happens
                for f in frames:
                    yield Item(name, f.picture, frame=f.number, time=f.time)

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
            self._report.progress.clear()
        if writer:
            writer.close()
            self._report.say(f"{name}: annotated video: {path}")

    def _run_crops(self, source: Source) -> None:
        size = self._detect.model.size
        self._report.progress = Progress(source.name, 0, "crops")
        count = 0

        def look(some: list[Crops]) -> list[tuple[Crops, list[Face]]]:
            return [(crops, self._faces_of(crops)) for crops in some]

        def write(result: tuple[Crops, list[Face]]) -> None:
            nonlocal count
            crops, faces = result
            self._report.note_crops(source.name, size, crops.numbers.tolist(), faces)
            count += len(faces)
            self._report.progress.step(len(faces))

        overlap(read_crops(source.name, size), look, write)
        self._report.progress.clear()
        self._report.say(f"{source.name}: {count} crops")

    def _faces_of(self, crops: Crops) -> list[Face]:
        points, error, score = self._detect.crops(crops.pictures)
        side = float(crops.pictures.shape[1])
        box = np.array([0, 0, side, side], np.float32)
        rows = zip(points, error, score, strict=True)
        return [Face(box, float(some), each, radius) for each, radius, some in rows]


def _bytes(item: Item) -> int:
    return 0 if item.picture is None else item.picture.nbytes
