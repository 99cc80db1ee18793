"""The endpoints of the server."""

from __future__ import annotations

from fastapi import Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from edge.serve.assessing import Wanted
from edge.serve.client_config import PAGE, describe_server
from edge.serve.image_processor import ImageResult
from edge.serve.inference import InferenceService
from edge.serve.limits import Limits
from edge.serve.live.stream import BOUNDARY, LiveStream
from edge.serve.metrics import CONTENT_TYPE, Metrics
from edge.serve.uploads import is_multipart, read_uploads

_POINTS68 = "predict the 68 points of 300-W and dlib, too"
_ANALYZE = "measure eyes, mouth, distance and attention, too: `state` of each face"
_QUALITY = "judge each face as a shot, too"
_VISIBLE = "tell which keypoints are seen and which are hidden, too"

_LIVE_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
_STATES_TYPE = "text/event-stream"
_NO_STORE = {"Cache-Control": "no-store"}


class Routes:
    """The endpoints; their names and docstrings appear in the OpenAPI description."""

    def __init__(
        self, service: InferenceService, limits: Limits, metrics: Metrics, live: LiveStream | None
    ) -> None:
        """Answer with the results of `service`; `live` is the live stream, or None."""
        self._service = service
        self._limits = limits
        self._metrics = metrics
        self._live = live
        self._description = describe_server(service.detect, limits, live is not None)

    async def keypoints(
        self,
        request: Request,
        annotated: bool = Query(False, description="return the image with its faces drawn, JPEG"),
        points68: bool = Query(False, description=_POINTS68),
        analyze: bool = Query(False, description=_ANALYZE),
        quality: bool = Query(False, description=_QUALITY),
        visible: bool = Query(False, description=_VISIBLE),
    ) -> Response:
        """Find the faces of an image, or of each image of a form, and their 15 keypoints.

        A raw body gives one object, a form a list of objects.
        """
        self._check_points68(points68)
        uploads = await read_uploads(request, self._limits)
        if annotated and len(uploads) > 1:
            raise HTTPException(
                400, f"{len(uploads)} images; annotated=1 supports one image per request"
            )
        wanted = Wanted(annotated, points68, analyze, quality, visible)
        results = await self._service.process(uploads, wanted)
        headers = {"Server-Timing": _server_timing(results)}
        if annotated:
            return Response(results[0].annotated_jpeg, media_type="image/jpeg", headers=headers)
        records = [result.record for result in results]
        return JSONResponse(records if is_multipart(request) else records[0], headers=headers)

    async def crops(
        self, request: Request, points68: bool = Query(False, description=_POINTS68)
    ) -> Response:
        """Predict the keypoints of face crops, grey, 96×96 px, sent as .npy or image files.

        Coordinates are px of the crop.
        """
        self._check_points68(points68)
        uploads = await read_uploads(request, self._limits)
        return JSONResponse(await self._service.predict_crops(uploads, points68))

    async def model(self) -> Response:
        """The networks and their metadata, the limits, and the settings for the page."""
        return JSONResponse(self._description)

    async def health(self) -> Response:
        """Whether the server is running; needs no token."""
        return JSONResponse({"status": "ok"})

    async def metrics(self) -> Response:
        """Requests, latency, queue and faces, for Prometheus."""
        return Response(self._metrics.render(), media_type=CONTENT_TYPE)

    async def live(self) -> Response:
        """The annotated camera or video, as a stream of JPEG images (MJPEG)."""
        stream = self._stream()
        stream.check_capacity()
        return StreamingResponse(stream.watch(), media_type=_LIVE_TYPE, headers=_NO_STORE)

    async def live_head(self) -> Response:
        """The headers of `live`, without a viewer of the stream."""
        self._stream().check_capacity()
        return Response(media_type=_LIVE_TYPE, headers=_NO_STORE)

    async def live_faces(self) -> Response:
        """The faces of the stream's latest frame."""
        latest = self._stream().latest
        if latest is None:
            raise HTTPException(404, "no frame has been processed yet; open /v1/live first")
        return JSONResponse(latest.record, headers=_NO_STORE)

    async def live_states(self, quality: bool = Query(False, description=_QUALITY)) -> Response:
        """The state of each face of each frame, and events, as server-sent events.

        They are measured while someone follows them; each message is a JSON object.
        """
        stream = self._stream()
        stream.check_capacity()
        return StreamingResponse(stream.follow(quality), media_type=_STATES_TYPE, headers=_NO_STORE)

    async def live_states_head(self) -> Response:
        """The headers of `live_states`, without a follower."""
        self._stream().check_capacity()
        return Response(media_type=_STATES_TYPE, headers=_NO_STORE)

    async def page(self) -> Response:
        """The page."""
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def api_page(self) -> Response:
        """The API documentation, rendered from the OpenAPI description."""
        return FileResponse(PAGE / "api.html", headers={"Cache-Control": "no-cache"})

    async def network(self, name: str) -> Response:
        """The .onnx file of a network in use: `keypoints` or `face`."""
        detect = self._service.detect
        paths = {"keypoints": detect.model.path, "face": detect.face_detector.path}
        path = paths.get(name)
        if path is None:
            raise HTTPException(404, f"no network {name!r}; expected keypoints or face")
        headers = {"Cache-Control": "no-cache"}
        return FileResponse(path, media_type="application/octet-stream", headers=headers)

    def _check_points68(self, requested: bool) -> None:
        if requested and not self._service.detect.model.has_points68:
            raise HTTPException(422, "the server's keypoint model predicts no 68 points")

    def _stream(self) -> LiveStream:
        if self._live is None:
            raise HTTPException(404, "no live stream; start the server with --camera or --video")
        return self._live


def _server_timing(results: list[ImageResult]) -> str:
    """The longest duration of each stage, as the value of the Server-Timing header."""
    stages: dict[str, float] = {}
    for result in results:
        for stage, ms in result.timings_ms.items():
            stages[stage] = max(ms, stages.get(stage, 0.0))
    return ", ".join(f"{stage};dur={ms:.1f}" for stage, ms in stages.items())
