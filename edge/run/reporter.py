"""The results of a run: table rows, aligned faces, annotated images, messages and progress."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge.alignment import align
from edge.analysis.assessment import Assessment
from edge.analysis.event import Event
from edge.anonymization import Part, hide
from edge.cli.annotation_files import AnnotationFiles
from edge.cli.progress import Progress
from edge.drawing import draw
from edge.errors import ImageError, SourceError
from edge.face import Face
from edge.formats.image_writer import save_image
from edge.image import Rgb
from edge.networks.face_detector import FaceDetector
from edge.run.best_shots import BestShots
from edge.run.output_paths import AlignedPaths
from edge.run.resume import mark_incomplete
from edge.run.tables import TablePaths, Tables


@dataclass(frozen=True, slots=True)
class Drawing:
    """How faces are drawn on annotated images.

    Attributes:
        show_names: write the name of each keypoint.
        show_errors: draw the error radius of each keypoint.
        show_points68: draw the lines through the 68 points.
        blur: the part of each face that is made unrecognisable instead of drawing; None draws.
    """

    show_names: bool = False
    show_errors: bool = False
    show_points68: bool = False
    blur: Part | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a run writes beside annotated images.

    Attributes:
        tables: JSON Lines and CSV rows.
        table_paths: of the tables.
        annotations: for annotation tools; None writes none.
        aligned: paths of the aligned faces; None writes none.
        aligned_size: side of an aligned face, px.
        best: keeps the best shots; None keeps none.
        print_faces: print a line per face of a still image to standard output.
    """

    tables: Tables
    table_paths: TablePaths = TablePaths()  # noqa: RUF009 - frozen
    annotations: AnnotationFiles | None = None
    aligned: AlignedPaths | None = None
    aligned_size: int = 112
    best: BestShots | None = None
    print_faces: bool = True


@dataclass(frozen=True, slots=True)
class ImageResult:
    """An image and its faces.

    Attributes:
        name: of the source.
        image: uint8 `(H, W, 3)`, RGB.
        faces: found in it.
        frame: number of the frame, from 0; None for a still image.
        time: of the frame, seconds from the beginning; None for a still image.
        candidates: what may be a face and is hidden with the faces, if they are to be hidden.
        assessments: of each face, if they are assessed.
        events: what has just ended in the video.
    """

    name: str
    image: Rgb
    faces: list[Face]
    frame: int | None = None
    time: float | None = None
    candidates: Sequence[Face] = ()
    assessments: Sequence[Assessment] = ()
    events: Sequence[Event] = ()


class Reporter:
    """Writes results, prints messages and counts failures.

    Attributes:
        failed: number of failures.
    """

    def __init__(
        self,
        outputs: Outputs,
        drawing: Drawing,
        keypoint_names: Sequence[str],
        detect_size: int | None = None,
    ) -> None:
        """Take what the results are written to.

        Args:
            outputs: tables, folder of aligned faces, standard output.
            drawing: how annotated images are drawn.
            keypoint_names: in the order of the model's keypoints.
            detect_size: at which faces are searched, px, for a hint where none is found; None for
                no hint.
        """
        self.failed = 0
        self._outputs = outputs
        self._drawing = drawing
        self._keypoint_names = keypoint_names
        self._detect_size = detect_size
        self._progress = Progress("", 0, "", shown=False)
        self._last_source: str | None = None  # of which rows were written

    @contextlib.contextmanager
    def progress(self, name: str, total: int, unit: str, shown: bool = True) -> Iterator[None]:
        """Show a progress bar within the block; arguments as `edge.cli.progress.Progress`."""
        self._progress = Progress(name, total, unit, shown)
        try:
            yield
        finally:
            self._progress.clear()

    def advance(self, count: int = 1) -> None:
        """Count finished images, frames or crops in the progress bar."""
        self._progress.step(count)

    @property
    def blur(self) -> Part | None:
        """The part of each face that is made unrecognisable; None if keypoints are drawn."""
        return self._drawing.blur

    @property
    def aligns(self) -> bool:
        """Whether aligned faces or best shots are written, in colour."""
        return self._outputs.aligned is not None or self._outputs.best is not None

    @property
    def rate(self) -> float:
        """Images, frames or crops per second in the current or last progress bar."""
        return self._progress.rate

    def record(self, result: ImageResult) -> None:
        """Write an image's faces to the tables and the folder of aligned faces, and print them.

        Frames of a video are not printed.
        """
        height, width = result.image.shape[:2]
        self._last_source = result.name
        size, tables = (width, height), self._outputs.tables
        tables.write(result.name, size, result.faces, result.frame, result.time, result.assessments)
        tables.write_events(result.name, result.events)
        self._save_aligned(result)
        self._keep_best(result)
        if result.frame is not None:
            return
        self.finish(result.name)
        if self._outputs.annotations:
            self._outputs.annotations.add(result.name, size, result.faces)
        if self._outputs.print_faces:
            self._progress.clear()
            for number, face in enumerate(result.faces):
                print(_summary(result.name, number, face))
        if not result.faces:
            self.message(f"{result.name}: no face found{self._hint(height, width)}")

    def record_events(self, name: str, events: Sequence[Event]) -> None:
        """Write what was in progress when the video of this name ended."""
        self._outputs.tables.write_events(name, events)

    def finish(self, name: str) -> None:
        """Write the best shots of a source of this name, which has ended."""
        if self._outputs.best:
            try:
                self._outputs.best.save(name)
            except SourceError as error:
                self.fail(f"{name}: {error}")

    def _hint(self, height: int, width: int) -> str:
        size = self._detect_size
        if size is None or not FaceDetector.is_reduced(height, width, size):
            return ""
        return f"; small faces need a larger --detect-size than {size}"

    def record_crops(self, name: str, size: int, numbers: list[int], faces: list[Face]) -> None:
        """Write the faces of a file of crops to the tables.

        Args:
            name: of the file.
            size: side of a crop, px.
            numbers: of the crops, the frame number in the tables.
            faces: one per crop.
        """
        self._last_source = name
        for number, face in zip(numbers, faces, strict=True):
            self._outputs.tables.write(name, (size, size), [face], number)

    def annotate(self, result: ImageResult) -> Rgb:
        """A copy of the image with its faces drawn or made unrecognisable.

        Returns:
            uint8 `(H, W, 3)`, RGB; enlarged by a whole factor if names do not fit otherwise.
        """
        drawing = self._drawing
        if drawing.blur:
            return hide(result.image, [*result.faces, *result.candidates], drawing.blur)
        return draw(
            result.image,
            result.faces,
            names=self._keypoint_names,
            show_names=drawing.show_names,
            show_error=drawing.show_errors,
            show_points68=drawing.show_points68,
            visible=[a.visible for a in result.assessments],
        )

    def fail(self, message: str, source: str | None = None) -> None:
        """Print an error to standard error, and count a failure.

        Args:
            message: of the error.
            source: the name of a source that failed; if rows of it are in the tables, `--resume`
                will process it again.
        """
        self.failed += 1
        if source is not None and source == self._last_source:
            mark_incomplete(self._outputs.table_paths, source)
        self.message(f"edge: {message}")

    def message(self, text: str) -> None:
        """Print a line to standard error, above the progress bar."""
        self._progress.clear()
        print(text, file=sys.stderr)

    def _keep_best(self, result: ImageResult) -> None:
        if self._outputs.best:
            try:
                self._outputs.best.add(result.image, result.faces, result.assessments)
            except ImageError as error:
                self.fail(f"{result.name}: {error}")

    def _save_aligned(self, result: ImageResult) -> None:
        paths = self._outputs.aligned
        if paths is None:
            return
        for index, face in enumerate(result.faces):
            number = index if face.track_id is None else face.track_id
            try:
                aligned = align(result.image, face, self._outputs.aligned_size)
                save_image(aligned, paths.path(result.name, number, result.frame))
            except (ImageError, SourceError) as error:
                self.fail(f"{result.name}: {error}")


def _summary(name: str, number: int, face: Face) -> str:
    x, y, width, height = (round(float(value)) for value in face.box)
    return (
        f"{name}: face {number} at x {x}, y {y}, {width}×{height} px, score {face.score:.2f}, "
        f"typical error {float(face.error.mean()):.1f} px"
    )
