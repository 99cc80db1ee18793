"""What one request may take of the server, and how it is told that it took too much."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

LOOPBACK = ("127.0.0.1", "::1", "localhost")  # this computer alone


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep a small computer answering, whatever is sent.

    Attributes:
        body_bytes: of one request's body.
        pixels: of one picture.
        side: of one picture's longer side, px.
        pictures: in one request.
        crops: faces that are cut out already, in one request.
        queue: requests with a body that are in work or wait.
        queue_bytes: of their bodies together.
        room_bytes: of decoded pictures at once; one that is larger is decoded alone.
        body_seconds: within which a body must have come, and a request's head.
        answer_seconds: from a body's end to its answer.
        send_seconds: for which a client may leave its answer unread.
        batch_seconds: for which a picture's faces wait for those of others; 0: they share no run.
        viewers: of the live stream.
    """

    body_bytes: int = 32_000_000
    pixels: int = 50_000_000
    side: int = 16_384
    pictures: int = 16
    crops: int = 1024
    queue: int = 64
    queue_bytes: int = 128_000_000
    room_bytes: int = 200_000_000
    body_seconds: float = 15.0
    answer_seconds: float = 30.0
    send_seconds: float = 30.0
    batch_seconds: float = 0.003
    viewers: int = 16


@dataclass(eq=False)
class Refusal(Exception):
    """A request that is not answered as it asks.

    Attributes:
        status: the HTTP status.
        message: one sentence for whoever sent it.
        headers: further ones of the answer.
    """

    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The answer, JSON."""
        return json.dumps({"error": self.message}, ensure_ascii=False).encode()


def busy(what: str) -> Refusal:
    """The refusal of one who may come again soon."""
    return Refusal(503, f"{what}; try again in a second", {"Retry-After": "1"})
