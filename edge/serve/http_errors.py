"""HTTP errors: each is answered with its status and a JSON body, `{"error": message}`.

Starlette's `HTTPException` carries them. Inside the application a handler turns them into
responses; the middleware around it, which reads no routes, sends the ASGI messages made here.
"""

from __future__ import annotations

import json

from starlette.exceptions import HTTPException
from starlette.types import Message

RETRY_AFTER_S = 1


def service_unavailable(reason: str) -> HTTPException:
    """A 503 with Retry-After, for a request that the server can accept once its load has fallen."""
    return HTTPException(
        503, f"{reason}; retry after {RETRY_AFTER_S} s", {"Retry-After": str(RETRY_AFTER_S)}
    )


def error_start(error: HTTPException) -> Message:
    """The ASGI message with an error's status and headers; the connection is closed afterwards."""
    headers = {
        "Content-Type": "application/json",
        "Connection": "close",
        **(error.headers or {}),
    }
    return {
        "type": "http.response.start",
        "status": error.status_code,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }


def error_body(error: HTTPException, more_body: bool = False) -> Message:
    """The ASGI message with an error's body."""
    body = json.dumps({"error": error.detail}, ensure_ascii=False).encode()
    return {"type": "http.response.body", "body": body, "more_body": more_body}
