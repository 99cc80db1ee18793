"""What a run says and writes of the pictures it has looked at."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from edge.alignment import align
from edge.anonymization import Part, hide
from edge.cli.progress import Progress
from edge.drawing import draw
from edge.errors import ImageError, SourceError
from edge.face import Face
from edge.image import Rgb
from edge.image_writer import save_image
from edge.run.output_paths import Outputs


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
    blur: Part | None = None
    align_size: int = 112
    every: int = 1
    start: float = 0.0
    stop: float | None = None
    smooth: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """A picture that was read, or why it could not be."""

    name: str
    picture: Rgb | None
    error: str = ""
    frame: int | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture and its faces."""

    item: Item
    faces: list[Face]


class Report:
    """Writes results, and tells how the run goes.

    Attributes:
        settings: what is written, and how.
        progress: of what is being done now.
        failed: how many sources have failed.
    """

    def __init__(self, outputs: Outputs, settings: Settings, names: tuple[str, ...]) -> None:
        """Write to `outputs`; `names` are those of the keypoints."""
        self.settings, self.failed = settings, 0
        self._tables, self._crop_names, self._names = outputs.tables, outputs.crops, names
        self.progress = Progress("", 0, "", shown=False)

    def note(self, seen: Seen) -> None:
        """Write a picture's faces to the tables, and print them."""
        item, faces = seen.item, seen.faces
        height, width = picture_of(item).shape[:2]
        self._tables.write(item.name, (width, height), faces, item.frame, item.time)
        self._save_aligned(item, faces)
        if item.frame is not None:
            return  # a line a frame would say too much
        if self.settings.print_faces:
            self.progress.clear()
            for number, face in enumerate(faces):
                print(_line(item.name, number, face))
        if not faces:
            self.say(f"{item.name}: no face found")

    def annotated(self, picture: Rgb, faces: list[Face]) -> Rgb:
        """A copy of a picture with its faces marked, or hidden, as the settings say."""
        settings = self.settings
        if settings.blur:
            return hide(picture, faces, settings.blur)
        return draw(
            picture, faces, names=self._names, show_names=settings.names, show_error=settings.errors
        )

    def _save_aligned(self, item: Item, faces: list[Face]) -> None:
        if self._crop_names is None:
            return
        for number, face in enumerate(faces):
            which = number if face.track_id is None else face.track_id
            try:
                crop = align(picture_of(item), face, self.settings.align_size)
                save_image(crop, self._crop_names.name(item.name, which, item.frame))
            except (ImageError, SourceError) as error:
                self.fail(f"{item.name}: {error}")

    def note_crops(self, name: str, size: int, numbers: list[int], faces: list[Face]) -> None:
        """Write the faces of crops of one file to the tables."""
        for number, face in zip(numbers, faces, strict=True):
            self._tables.write(name, (size, size), [face], number)

    def fail(self, message: str) -> None:
        """Say what failed, and count it."""
        self.failed += 1
        self.say(f"edge: {message}")

    def say(self, message: str) -> None:
        """Say something on standard error."""
        self.progress.clear()
        print(message, file=sys.stderr)


def picture_of(item: Item) -> Rgb:
    """The picture of an item that has one."""
    if item.picture is None:
        raise ValueError("an item without a picture has no faces")
    return item.picture


def _line(name: str, number: int, face: Face) -> str:
    x, y, w, h = (round(float(value)) for value in face.box)
    return (
        f"{name}: face {number} at x {x}, y {y}, {w}×{h} px, score {face.score:.2f}, "
        f"typical error {float(face.error.mean()):.1f} px"
    )
