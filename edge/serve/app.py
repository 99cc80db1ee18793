"""The web application: its routes and their description, and what stands before them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from edge import __version__
from edge.facekeypoints import FaceKeypoints
from edge.serve.auth import Guard
from edge.serve.client_config import PAGE
from edge.serve.inference import Desk
from edge.serve.limits import Limits, Refusal
from edge.serve.live_stream import Live
from edge.serve.metrics import Counts
from edge.serve.metrics_middleware import Tally
from edge.serve.request_body import App, Intake
from edge.serve.routes import Routes
from edge.serve.schemas import About, FrameRecord, Health, PictureRecord, Problem

_REFUSALS = {
    400: "the form or the request is broken",
    401: "the token is missing or wrong",
    408: "the body came too slowly",
    413: "a body, a picture or a number of them is too large",
    415: "not a picture, or of a kind that is not supported",
    421: "asked under another computer's name",
    422: "a picture cannot be decoded, or a value is wrong",
    503: "too many requests wait; see Retry-After",
    504: "it took too long",
}
_FILES = {"type": "string", "format": "binary"}
_PICTURES = {
    "requestBody": {
        "required": True,
        "content": {
            "image/jpeg": {"schema": _FILES},
            "application/octet-stream": {"schema": _FILES},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["pictures"],
                    "properties": {"pictures": {"type": "array", "items": _FILES, "minItems": 1}},
                }
            },
        },
    }
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's description says of answers other than 200."""
    return {status: {"model": Problem, "description": _REFUSALS[status]} for status in statuses}


_ASKED = refusals(401, 421)
_SENT = refusals(*_REFUSALS)


def make_app(
    detect: FaceKeypoints,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    token: str | None = None,
    local: bool = True,
    live: Live | None = None,
) -> App:
    """The whole application.

    Args:
        detect: the open models.
        limits: what one request may take.
        token: what requests must bring, or None.
        local: whether it is for this computer alone, see `Guard`.
        live: the stream, or None.
    """
    counts = Counts()
    desk = Desk(detect, limits, counts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        if live:
            live.start()
        yield
        if live:
            live.join()
        desk.close()

    app = FastAPI(
        title="edge-keypoints", version=__version__, lifespan=lifespan, docs_url=None,
        redoc_url=None, description="Faces and 15 facial keypoints in colour photos.",
    )  # fmt: skip
    _add_routes(app, Routes(desk, limits, counts, live))
    app.mount("/page", StaticFiles(directory=PAGE))
    for kind in (Refusal, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer)
    intake = Intake(app, limits)
    counts.watch("edge_queue", "Requests in work or waiting.", lambda: intake.held)
    counts.watch("edge_viewers", "Viewers of the live stream.", lambda: live.viewers if live else 0)
    return Tally(
        Guard(intake, token, local),
        counts,
        [route.path for route in app.routes if isinstance(route, Route)],
    )


def _add_routes(app: FastAPI, routes: Routes) -> None:
    post: dict[str, Any] = {"methods": ["POST"], "openapi_extra": _PICTURES, "responses": _SENT}
    add = app.add_api_route
    found: dict[str, Any] = {
        "model": PictureRecord | list[PictureRecord],
        "content": {"image/jpeg": {}},
    }
    add("/v1/keypoints", routes.keypoints, **{**post, "responses": {**_SENT, 200: found}})
    add(
        "/v1/crops",
        routes.crops,
        **{**post, "responses": {**_SENT, 200: {"model": list[FrameRecord]}}},
    )
    add("/v1/model", routes.model, responses={**_ASKED, 200: {"model": About}})
    add("/v1/live", routes.live, responses={
        **refusals(401, 421, 503), 404: {"model": Problem},
        200: {"content": {"multipart/x-mixed-replace": {}}},
    })  # fmt: skip
    add("/v1/live/faces", routes.live_faces, responses={
        **_ASKED, 404: {"model": Problem}, 200: {"model": FrameRecord},
    })  # fmt: skip
    add("/health", routes.health, responses={200: {"model": Health}})
    add("/metrics", routes.metrics, responses={**_ASKED, 200: {"content": {"text/plain": {}}}})
    add("/models/{name}.onnx", routes.network, responses={
        **_ASKED, 404: {"model": Problem}, 200: {"content": {"application/octet-stream": {}}},
    })  # fmt: skip
    add("/", routes.page, include_in_schema=False)
    add("/docs", routes.api_page, include_in_schema=False)


async def _answer(_: Request, error: Exception) -> Response:
    """The answer to what was raised on purpose, by us or by the framework: one form for all."""
    headers: Mapping[str, str] = {}
    if isinstance(error, Refusal):
        status, message, headers = error.status, error.message, error.headers
    elif isinstance(error, HTTPException):
        status, message, headers = error.status_code, str(error.detail), error.headers or {}
    elif isinstance(error, RequestValidationError):
        first = error.errors()[0]
        status, message = 422, f"{first['loc'][-1]}: {first['msg']}"
    else:
        raise error
    return JSONResponse({"error": message}, status, headers)
