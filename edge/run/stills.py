"""Still images: read, processed in batches, and written, in a threaded pipeline."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from edge.analysis.assessment import Assessor
from edge.cli.filenames import STDIO
from edge.errors import ImageError, SourceError
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.formats.focal import Focal, read_focal
from edge.formats.image_writer import save_image, to_jpeg
from edge.image import Rgb, load_image
from edge.run.output_paths import AnnotatedPaths
from edge.run.pipeline import Bounds, run_pipeline
from edge.run.reporter import ImageResult, Reporter
from edge.run.standard_input import standard_input

_BATCH = 8  # images whose faces share network runs
_MAX_DECODED_BYTES = 200_000_000  # decoded images in memory; a single larger one is allowed alone


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A decoded image, and the focal length that its EXIF gives."""

    name: str
    image: Rgb
    focal: Focal | None = None


@dataclass(frozen=True, slots=True)
class _Failure:
    """The reason why an image could not be loaded."""

    message: str


class StillProcessor:
    """Finds the faces of still images."""

    def __init__(
        self,
        detect: FaceKeypoints,
        reporter: Reporter,
        annotated: AnnotatedPaths | None,
        finder: FaceKeypoints | None = None,
        assess: Assessor | None = None,
    ) -> None:
        """Prepare for images.

        Args:
            detect: finds the faces.
            reporter: receives the results.
            annotated: paths of the annotated images; None writes none.
            finder: finds what is hidden in them beside the faces; None finds no more.
            assess: assesses the faces; None does not.
        """
        self._detect = detect
        self._reporter = reporter
        self._annotated = annotated
        self._finder = finder
        self._assess = assess

    def process(self, names: Sequence[str]) -> None:
        """Process files, or `-` for standard input; one that fails is reported and counted."""
        load = partial(_load, with_focal=self._assess is not None)
        bounds = Bounds(_BATCH, _MAX_DECODED_BYTES, _decoded_bytes)
        with self._reporter.progress("images", len(names), "images", shown=len(names) > 1):
            run_pipeline(map(load, names), self._find_faces, self._write, _BATCH, bounds)

    def _find_faces(self, batch: list[_Loaded | _Failure]) -> list[ImageResult | _Failure]:
        images = [item.image for item in batch if isinstance(item, _Loaded)]
        faces = iter(self._detect.batch(images))
        candidates = iter(self._finder.batch(images) if self._finder else [()] * len(images))
        return [
            self._result(item, next(faces), next(candidates)) if isinstance(item, _Loaded) else item
            for item in batch
        ]

    def _result(self, item: _Loaded, faces: list[Face], candidates: Sequence[Face]) -> ImageResult:
        assessments = self._assess(item.image, faces, focal=item.focal) if self._assess else ()
        return ImageResult(
            item.name, item.image, faces, candidates=candidates, assessments=assessments
        )

    def _write(self, result: ImageResult | _Failure) -> None:
        self._reporter.advance()
        if isinstance(result, _Failure):
            self._reporter.fail(result.message)
            return
        self._reporter.record(result)
        if self._annotated:
            try:
                place = _save(self._reporter.annotate(result), result.name, self._annotated)
            except BrokenPipeError:
                raise
            except OSError as error:
                self._reporter.fail(str(error))
            else:
                self._reporter.message(f"{result.name}: annotated image: {place}")


def _save(image: Rgb, name: str, annotated: AnnotatedPaths) -> str:
    """Write an annotated image; returns where it is."""
    if annotated.to_stdout:
        if sys.stdout.isatty():
            raise SourceError(
                "-: standard output is a terminal; redirect it to a file or a program"
            )
        sys.stdout.buffer.write(to_jpeg(image))
        sys.stdout.flush()
        return "standard output"
    path = annotated.next(name)
    save_image(image, path)
    return str(path)


def _load(name: str, with_focal: bool) -> _Loaded | _Failure:
    try:
        source = standard_input().read() if name == STDIO else name
        return _Loaded(name, load_image(source), read_focal(source) if with_focal else None)
    except (ImageError, SourceError) as error:
        return _Failure(str(error))
    except MemoryError:
        return _Failure(f"{name}: too large for the memory of this computer")


def _decoded_bytes(item: _Loaded | _Failure) -> int:
    return item.image.nbytes if isinstance(item, _Loaded) else 0
