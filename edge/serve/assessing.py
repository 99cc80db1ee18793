"""What is measured of faces beside their keypoints, where a request asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from edge.analysis.analyzer import Analyzer
from edge.analysis.assessment import Assessment, Assessor
from edge.analysis.eyes import AnyImage
from edge.analysis.visibility import Visibility
from edge.face import Face
from edge.formats.focal import Focal


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for; nothing else is computed.

    Attributes:
        annotated: a copy of the image with its faces drawn.
        points68: the 68 points in the response.
        analyze: the state of eyes, mouth and head.
        quality: of the shot.
        visible: which keypoints are seen.
    """

    annotated: bool = False
    points68: bool = False
    analyze: bool = False
    quality: bool = False
    visible: bool = False

    @property
    def needs_points68(self) -> bool:
        """Whether the 68 points are predicted, as the mouth needs them too."""
        return self.points68 or self.analyze or self.quality

    @property
    def is_assessed(self) -> bool:
        """Whether faces are measured beside their keypoints."""
        return self.analyze or self.quality or self.visible


class FaceAssessor:
    """Measures faces for all requests; a network is opened when it is first needed."""

    @cached_property
    def analyzer(self) -> Analyzer:
        """The open eye network, and the measures of mouth and head."""
        return Analyzer()

    @cached_property
    def visibility(self) -> Visibility:
        """The open visibility network."""
        return Visibility()

    def __call__(
        self,
        grey: AnyImage,
        faces: Sequence[Face],
        wanted: Wanted,
        focal: Focal | None = None,
    ) -> list[Assessment]:
        """Measure the faces of an image.

        Args:
            grey: as `Analyzer.measure` takes it.
            faces: found in it.
            wanted: what is asked for.
            focal: that the EXIF of a photo gives.
        """
        assess = Assessor(
            with_quality=wanted.quality,
            analyze=self.analyzer if wanted.analyze else None,
            visibility=self.visibility if wanted.visible else None,
        )
        return assess(grey, faces, focal=focal)
