"""The OpenAPI description: schemas of requests and responses.

Class names are component names in `/openapi.json`, from which clients are generated; records are
built in `edge.records`.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

ERROR_DESCRIPTIONS = {
    400: "the form or the request is malformed",
    401: "the token is missing or wrong",
    408: "the body did not arrive in time",
    413: "a body, an image or their number is too large",
    415: "not an image, or an unsupported format",
    421: "the Host header does not name this computer",
    422: "an image cannot be decoded, or a value is invalid",
    500: "the process that worked on it ended",
    503: "the server is overloaded; see Retry-After",
    504: "the result was not ready in time",
}

_FILE = {"type": "string", "format": "binary"}
IMAGE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/jpeg": {"schema": _FILE},
            "application/octet-stream": {"schema": _FILE},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["pictures"],
                    "properties": {"pictures": {"type": "array", "items": _FILE, "minItems": 1}},
                }
            },
        },
    }
}


class Problem(BaseModel):
    """Why a request failed."""

    error: str


class Point(BaseModel):
    """A keypoint, px, and the radius that contains the true point with probability 0.5, px."""

    x: float
    y: float
    error: float
    error90: float | None = Field(
        default=None, description="the radius of probability 0.9, where the model gives it"
    )


class Measured(BaseModel):
    """A measure and its probable error."""

    value: float
    error: float


class FaceRecord(BaseModel):
    """One face of an image."""

    id: int
    box: list[float] = Field(description="x, y, width, height, px", min_length=4, max_length=4)
    score: float = Field(ge=0, le=1)
    keypoints: dict[str, Point]
    points68: list[list[float]] | None = Field(
        default=None, description="x, y of the 68 points of 300-W, px, where asked for"
    )
    measures: dict[str, Measured]
    quality: dict[str, float] | None = Field(
        default=None, description="of the shot and its parts, 0–1, where asked for"
    )
    state: dict[str, Measured | float | str] | None = Field(
        default=None, description="of eyes, mouth and head, where asked for"
    )
    visible: dict[str, float] | None = Field(
        default=None, description="probability that each keypoint is seen, where asked for"
    )


class PictureRecord(BaseModel):
    """One image; coordinates are px with EXIF orientation applied, pixel centres at integers."""

    image: str
    width: int
    height: int
    faces: list[FaceRecord]


class FrameRecord(PictureRecord):
    """One frame of the live stream, or one of several crops, with its number."""

    frame: int
    time: float | None = Field(default=None, description="seconds")


class Health(BaseModel):
    """The status of a running server."""

    status: str


class About(BaseModel):
    """The networks, the limits, and the settings for inference in the browser."""

    version: str
    keypoints: dict[str, Any]
    detector: dict[str, Any] | None
    limits: dict[str, float]
    live: bool
    in_browser: str | None = Field(
        description="why inference in the browser is unavailable, or null"
    )
    settings: dict[str, Any]


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The description of a route's error responses."""
    return {
        status: {"model": Problem, "description": ERROR_DESCRIPTIONS[status]} for status in statuses
    }
