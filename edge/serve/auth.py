"""ASGI middleware for access control: the token, the accepted host names, and security headers."""

from __future__ import annotations

import base64
import binascii
import hmac

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.serve.http_errors import error_body, error_start
from edge.serve.limits import LOOPBACK

PUBLIC_PATH = "/health"  # answered without a token and under any host name

# The page loads everything from this server. WebAssembly needs 'wasm-unsafe-eval', and `blob:`
# allows the images that the page itself has opened.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY_HEADERS = (
    (b"content-security-policy", _CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class AuthMiddleware:
    """Rejects requests without the token, and adds security headers to every response."""

    def __init__(self, app: ASGIApp, token: str | None, local: bool) -> None:
        """Protect an application.

        Args:
            app: the application.
            token: the token that requests must carry; None for no authentication.
            local: whether the server listens on the loopback interface only. Then the Host header
                must name the loopback interface, which prevents DNS rebinding: a web site whose
                name resolves to 127.0.0.1 would send its own name.
        """
        self._app = app
        self._token = token
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection, as ASGI specifies."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *_SECURITY_HEADERS]
                message = {**message, "headers": headers}
            await send(message)

        try:
            self._check(scope)
        except HTTPException as error:
            # Before any of the body is read: an unauthenticated client occupies no memory.
            await send_with_headers(error_start(error))
            await send_with_headers(error_body(error))
            return
        await self._app(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> None:
        if scope["path"] == PUBLIC_PATH:
            return
        headers = dict(scope["headers"])
        if self._local and _host_name(headers.get(b"host", b"").decode("latin-1")) not in LOOPBACK:
            raise HTTPException(421, "this server accepts only the host names of this computer")
        if self._token is not None and not _tokens_match(_token_of(headers), self._token):
            raise HTTPException(
                401,
                "a token is required: as the password, or as 'Authorization: Bearer TOKEN'",
                {"WWW-Authenticate": 'Basic realm="edge", charset="UTF-8"'},
            )


def _host_name(host: str) -> str:
    """The name in a Host header, without the port and the brackets of an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _token_of(headers: dict[bytes, bytes]) -> bytes:
    """The token of a request: a bearer token, or the password of basic authentication."""
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer":
        return credentials.strip()
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _tokens_match(received: bytes, expected: str) -> bool:
    """Constant-time comparison: its duration does not reveal how many bytes are right."""
    return hmac.compare_digest(received, expected.encode())
