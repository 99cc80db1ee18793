"""One run of the command: all its sources, in order, each by the module for its kind."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from edge.analysis.assessment import Assessor
from edge.errors import EdgeError, SourceError
from edge.facekeypoints import FaceKeypoints
from edge.run.crops import process_crops
from edge.run.films import FilmProcessor, FrameRange
from edge.run.output_paths import AnnotatedPaths
from edge.run.reporter import Reporter
from edge.run.sources import Source
from edge.run.stills import StillProcessor


class Job:
    """Processes sources; one that fails is reported and counted, and the others are processed."""

    def __init__(
        self,
        detect: FaceKeypoints,
        reporter: Reporter,
        annotated: AnnotatedPaths | None = None,
        frame_range: FrameRange | None = None,
        smooth: bool = True,
        finder: FaceKeypoints | None = None,
        assess: Assessor | None = None,
    ) -> None:
        """Prepare the processors.

        Args:
            detect: finds the faces.
            reporter: receives the results.
            annotated: paths of annotated images and videos; None writes none.
            frame_range: the frames of videos that are processed; None for all.
            smooth: whether keypoints in videos are smoothed over time.
            finder: finds what is hidden in annotated copies beside the faces; None finds no more.
            assess: assesses the faces; None does not.
        """
        self._detect = detect
        self._reporter = reporter
        self._annotated = annotated
        self._stills = StillProcessor(detect, reporter, annotated, finder, assess)
        self._films = FilmProcessor(
            detect, reporter, annotated, frame_range or FrameRange(), smooth, finder, assess
        )

    def run(self, sources: Sequence[Source], completed: Collection[str] = ()) -> None:
        """Process all sources except those whose names are in `completed`."""
        self._reserve_paths([source for source in sources if source.name in completed])
        pending = [source for source in sources if source.name not in completed]
        for is_image, group in groupby(pending, key=lambda source: source.kind == "image"):
            if is_image:
                self._stills.process([source.name for source in group])
                continue
            for source in group:
                try:
                    self._process(source)
                except (EdgeError, OSError) as error:
                    self._reporter.fail(str(error), source.name)

    def _reserve_paths(self, completed: Sequence[Source]) -> None:
        """Keep the annotated copies of completed sources from being overwritten."""
        for source in completed:
            if self._annotated and source.kind in ("image", "video"):
                self._annotated.next(source.name, is_video=source.kind == "video")

    def _process(self, source: Source) -> None:
        if source.kind == "video":
            self._films.process_video(source.name)
        elif source.kind == "camera":
            self._films.process_camera(source.name, source.number)
        elif source.kind == "pi":
            self._films.process_pi_camera(source.name, source.number)
        elif source.kind == "stream":
            self._films.process_stream(source.address)
        elif source.kind == "crops":
            process_crops(self._detect, self._reporter, source.name)
        else:
            raise SourceError(f"{source.name}: {source.reason}")
