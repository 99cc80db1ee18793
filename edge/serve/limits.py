"""Limits on what one request may use of the server's memory and time."""

from __future__ import annotations

from dataclasses import dataclass

LOOPBACK = ("127.0.0.1", "::1", "localhost")  # hosts that only this computer can reach


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that keep a small computer responsive under any load.

    Attributes:
        body_bytes: size of one request body.
        pixels: width × height of one image.
        side: longer side of one image, px.
        images: images in one request.
        crops: face crops in one request.
        queue: requests with a body that are being read or handled.
        queue_bytes: total size of their bodies.
        decoded_bytes: total size of decoded images; a single larger image is decoded alone.
        body_seconds: time to receive the head of a request, and again to receive its body.
        answer_seconds: time from the end of the body to the response.
        send_seconds: time for which a client may leave a message of the response unread.
        viewers: viewers of the live stream.
    """

    body_bytes: int = 32_000_000
    pixels: int = 50_000_000
    side: int = 16_384
    images: int = 16
    crops: int = 1024
    queue: int = 64
    queue_bytes: int = 128_000_000
    decoded_bytes: int = 200_000_000
    body_seconds: float = 15.0
    answer_seconds: float = 30.0
    send_seconds: float = 30.0
    viewers: int = 16
