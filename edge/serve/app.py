"""The web application: routes, error handlers, and the middleware around them.

From the outside in: metrics, access control, body limits, FastAPI.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from edge import __version__
from edge.facekeypoints import FaceKeypoints
from edge.serve.auth import AuthMiddleware
from edge.serve.client_config import PAGE
from edge.serve.inference import InferenceService
from edge.serve.limits import Limits
from edge.serve.live.stream import LiveStream
from edge.serve.metrics import Metrics, MetricsMiddleware
from edge.serve.request_body import BodyLimiter
from edge.serve.routes import Routes
from edge.serve.schemas import (
    ERROR_DESCRIPTIONS,
    IMAGE_BODY,
    About,
    FrameRecord,
    Health,
    PictureRecord,
    Problem,
    error_responses,
)
from edge.serve.workers import Workers, WorkerThreads

_ACCESS_ERRORS = error_responses(401, 421)
_UPLOAD_ERRORS = error_responses(*ERROR_DESCRIPTIONS)
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}


def make_app(
    detect: FaceKeypoints,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    token: str | None = None,
    local: bool = True,
    live: LiveStream | None = None,
    workers: Workers | None = None,
) -> ASGIApp:
    """Build the application.

    Args:
        detect: the open models.
        limits: limits on each request.
        token: the token that requests must carry, or None.
        local: whether the server is reachable from this computer only, see `AuthMiddleware`.
        live: the live stream, or None.
        workers: process the images, and are closed with the application; None: threads.
    """
    metrics = Metrics()
    workers = WorkerThreads(detect) if workers is None else workers
    service = InferenceService(detect, limits, metrics, workers)
    app = FastAPI(
        title="edge-keypoints", version=__version__, lifespan=_lifespan(service, live),
        docs_url=None, redoc_url=None,
        description="Faces and 15 facial keypoints in colour photos.",
    )  # fmt: skip
    routes = Routes(service, limits, metrics, live)
    _add_routes(app, routes)
    _add_head_routes(app, routes)
    app.mount("/page", StaticFiles(directory=PAGE))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    limiter = BodyLimiter(app, limits)
    metrics.add_gauge("edge_queue", "Requests in progress or queued.", lambda: limiter.active)
    metrics.add_gauge(
        "edge_viewers",
        "Viewers and followers of the live stream.",
        lambda: live.viewer_count if live else 0,
    )
    if live and live.watcher:
        metrics.add_collector(live.watcher)
    paths = [route.path for route in app.routes if isinstance(route, Route)]
    return MetricsMiddleware(AuthMiddleware(limiter, token, local), metrics, paths)


def _lifespan(
    service: InferenceService, live: LiveStream | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        if live:
            live.start()
        yield
        if live:
            live.join()
        service.close()

    return lifespan


def _add_routes(app: FastAPI, routes: Routes) -> None:
    _add_upload_routes(app, routes)
    add = app.add_api_route
    add("/v1/model", routes.model, responses={**_ACCESS_ERRORS, 200: {"model": About}})
    add("/v1/live", routes.live, responses={
        **error_responses(401, 421, 503), **_NOT_FOUND,
        200: {"content": {"multipart/x-mixed-replace": {}}},
    })  # fmt: skip
    add("/v1/live/faces", routes.live_faces, responses={
        **_ACCESS_ERRORS, **_NOT_FOUND, 200: {"model": FrameRecord},
    })  # fmt: skip
    add("/v1/live/states", routes.live_states, responses={
        **error_responses(401, 421, 422, 503), **_NOT_FOUND,
        200: {"content": {"text/event-stream": {}}},
    })  # fmt: skip
    add("/health", routes.health, responses={200: {"model": Health}})
    add("/metrics", routes.metrics,
        responses={**_ACCESS_ERRORS, 200: {"content": {"text/plain": {}}}})  # fmt: skip
    add("/models/{name}.onnx", routes.network, responses={
        **_ACCESS_ERRORS, **_NOT_FOUND, 200: {"content": {"application/octet-stream": {}}},
    })  # fmt: skip
    add("/", routes.page, include_in_schema=False)
    add("/docs", routes.api_page, include_in_schema=False)


def _add_head_routes(app: FastAPI, routes: Routes) -> None:
    """Answer HEAD wherever GET is answered; the server leaves the body out, as HTTP requires."""
    own = {"/v1/live": routes.live_head, "/v1/live/states": routes.live_states_head}
    for route in [route for route in app.routes if isinstance(route, APIRoute)]:
        if "GET" in (route.methods or ()):
            endpoint = own.get(route.path, route.endpoint)
            app.add_api_route(route.path, endpoint, methods=["HEAD"], include_in_schema=False)


def _add_upload_routes(app: FastAPI, routes: Routes) -> None:
    results: dict[str, Any] = {
        "/v1/keypoints": {
            "model": PictureRecord | list[PictureRecord],
            "content": {"image/jpeg": {}},
        },
        "/v1/crops": {"model": list[FrameRecord]},
    }
    endpoints: dict[str, Callable[..., Any]] = {
        "/v1/keypoints": routes.keypoints,
        "/v1/crops": routes.crops,
    }
    for path, endpoint in endpoints.items():
        app.add_api_route(
            path, endpoint, methods=["POST"], openapi_extra=IMAGE_BODY,
            responses={**_UPLOAD_ERRORS, 200: results[path]},
        )  # fmt: skip


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return JSONResponse({"error": f"{first['loc'][-1]}: {first['msg']}"}, 422)
