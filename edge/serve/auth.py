"""Who may ask: the token, the names under which a page may reach us, and what a browser is told.

Pure ASGI, around everything else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

from edge.serve.limits import LOOPBACK, Refusal
from edge.serve.request_body import App, Receive, Scope, Send, start_of

OPEN_PATH = "/health"  # answered without a token

# The page takes everything from us; WebAssembly needs a word of its own, and `blob:` pictures are
# those that the page itself has opened.
_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Guard:
    """Lets requests through that may be answered."""

    def __init__(self, app: App, token: str | None, local: bool) -> None:
        """Stand before `app`.

        Args:
            app: what is guarded.
            token: what requests must bring, or None for nothing.
            local: whether the server is for this computer alone. Then it answers only under names
                of this computer: a page from elsewhere whose name was made to lead here (DNS
                rebinding) would bring its own.
        """
        self._app, self._token, self._local = app, token, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, as ASGI says."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        try:
            self._check(scope)
        except Refusal as refusal:
            # Nothing of its body was read.
            await with_headers(start_of(refusal))
            await with_headers({"type": "http.response.body", "body": refusal.body})
            return
        await self._app(scope, receive, with_headers)

    def _check(self, scope: Scope) -> None:
        if scope["path"] == OPEN_PATH:
            return
        headers = dict(scope["headers"])
        if self._local and _host(headers.get(b"host", b"").decode("latin-1")) not in LOOPBACK:
            raise Refusal(421, "this server answers under names of its own computer alone")
        if self._token is not None and not _same(_secret(headers), self._token):
            raise Refusal(
                401,
                "a token is needed: as the password, or as 'Authorization: Bearer TOKEN'",
                {"WWW-Authenticate": 'Basic realm="edge", charset="UTF-8"'},
            )


def _host(value: str) -> str:
    """The name in a Host header, without the port and an IPv6 address's brackets."""
    if value.startswith("["):
        return value[1:].partition("]")[0].lower()
    return value.partition(":")[0].lower()


def _secret(headers: dict[bytes, bytes]) -> bytes:
    """The token that a request brings: as a bearer, or as the password that browsers ask for."""
    scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(value, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _same(given: bytes, expected: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given, expected.encode())
