"""What each route of the server does with a request."""

from __future__ import annotations

from typing import Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from edge.records import crop_records
from edge.serve.client_config import PAGE, describe_server
from edge.serve.inference import Answer, Desk
from edge.serve.limits import Limits, Refusal
from edge.serve.live_stream import BOUNDARY, Live
from edge.serve.metrics import CONTENT_TYPE, Counts
from edge.serve.uploads import is_form, read_crops, read_uploads


class Routes:
    """What each route does."""

    def __init__(self, desk: Desk, limits: Limits, counts: Counts, live: Live | None) -> None:
        """Answer with the desk; `live` is the stream, or None."""
        self._desk, self._limits, self._counts, self._live = desk, limits, counts, live
        self._about = describe_server(desk.detect, limits, live is not None)

    async def keypoints(
        self,
        request: Request,
        annotated: bool = Query(False, description="answer with the picture, faces marked on it"),
    ) -> Response:
        """Find the faces of a picture, or of each picture of a form, and their 15 keypoints.

        A raw body gives one object, a form a list of them.
        """
        uploads = await read_uploads(request, self._limits)
        if annotated and len(uploads) > 1:
            raise Refusal(400, f"{len(uploads)} pictures; annotated=1 takes one at a time")
        answers = await self._desk.look(uploads, annotated)
        timings = _server_timing(answers)
        if annotated:
            return Response(answers[0].picture, media_type="image/jpeg", headers=timings)
        records = [answer.record for answer in answers]
        return JSONResponse(records if is_form(request) else records[0], headers=timings)

    async def crops(self, request: Request) -> Response:
        """Find the keypoints of faces that are cut out already, grey, 96×96 px: .npy or pictures.

        Coordinates are px of the crop.
        """
        uploads = await read_uploads(request, self._limits)
        detect = self._desk.detect

        def work() -> list[dict[str, Any]]:
            size = detect.model.size
            crops = read_crops(uploads, size, self._limits)
            return crop_records(uploads[0].name, size, detect.crops(crops), detect.keypoint_names)

        return JSONResponse(await self._desk.call(work))

    async def model(self) -> Response:
        """The networks and where they come from, the limits, and the settings of the page."""
        return JSONResponse(self._about)

    async def health(self) -> Response:
        """That the server answers; needs no token."""
        return JSONResponse({"status": "ok"})

    async def metrics(self) -> Response:
        """Requests, latency, queue and faces, for Prometheus."""
        return Response(self._counts.text(), media_type=CONTENT_TYPE)

    async def live(self) -> Response:
        """The annotated camera or video, as a stream of JPEG pictures."""
        source = self._source()
        source.check_room()
        return StreamingResponse(
            source.watch(),
            media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}",
            headers={"Cache-Control": "no-store"},
        )

    async def live_faces(self) -> Response:
        """The faces of the stream's newest frame."""
        newest = self._source().newest
        if newest is None:
            raise Refusal(404, "nobody watches the stream yet; open /v1/live")
        return JSONResponse(newest.record, headers={"Cache-Control": "no-store"})

    async def page(self) -> Response:
        """The page."""
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def api_page(self) -> Response:
        """A page that shows this description."""
        return FileResponse(PAGE / "api.html", headers={"Cache-Control": "no-cache"})

    async def network(self, name: str) -> Response:
        """The file of a network, `keypoints` or `face`: the very one that the server runs."""
        detect = self._desk.detect
        path = {"keypoints": detect.model.path, "face": detect.face_detector.path}.get(name)
        if path is None:
            raise Refusal(404, f"no network {name!r} here; expected keypoints or face")
        headers = {"Cache-Control": "no-cache"}
        return FileResponse(path, media_type="application/octet-stream", headers=headers)

    def _source(self) -> Live:
        if self._live is None:
            raise Refusal(404, "no stream; start the server with --camera or --video")
        return self._live


def _server_timing(answers: list[Answer]) -> dict[str, str]:
    """The longest of each stage, in the header that browsers show too."""
    stages: dict[str, float] = {}
    for answer in answers:
        for stage, ms in answer.timings_ms.items():
            stages[stage] = max(ms, stages.get(stage, 0.0))
    return {"Server-Timing": ", ".join(f"{stage};dur={ms:.1f}" for stage, ms in stages.items())}
