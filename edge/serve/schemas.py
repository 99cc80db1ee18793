"""The forms of answers, for the OpenAPI page; `edge.records` is where pictures' are written."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """Why a request was not answered as it asked."""

    error: str


class Point(BaseModel):
    """A keypoint: its place, px, and the radius that holds the true point half of the time."""

    x: float
    y: float
    error: float


class Measured(BaseModel):
    """A measure and its probable error."""

    value: float
    error: float


class FaceRecord(BaseModel):
    """One face of a picture."""

    id: int
    box: list[float] = Field(description="x, y, width, height, px", min_length=4, max_length=4)
    score: float = Field(ge=0, le=1)
    keypoints: dict[str, Point]
    measures: dict[str, Measured]


class PictureRecord(BaseModel):
    """One picture; coordinates are px with EXIF orientation applied, pixel centres at integers."""

    image: str
    width: int
    height: int
    faces: list[FaceRecord]


class FrameRecord(PictureRecord):
    """One frame of the live stream, or one crop of several, under its number."""

    frame: int
    time: float | None = Field(default=None, description="seconds")


class Health(BaseModel):
    """That the server answers."""

    status: str


class About(BaseModel):
    """The networks, the limits, and what a page needs to run the networks itself."""

    version: str
    keypoints: dict[str, Any]
    detector: dict[str, Any] | None
    limits: dict[str, float]
    live: bool
    in_browser: str | None = Field(description="why the page cannot, or null")
    settings: dict[str, Any]
