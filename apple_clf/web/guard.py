"""What stands around the application: whom it answers, how much it reads, what it forbids pages.

A page of another site must not reach this server through a visitor's browser: not under a name
that was pointed here (Host), not with a request of its own (Origin).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from apple_clf.web.counters import Counters

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 16 * 2**20
"""Bytes of a picture's file: a photo of 50 megapixels."""

LINGER_BYTES, LINGER_SECONDS = 2 * MAX_BODY, 2.0
"""Of a refused body that are read and dropped, so that its sender gets to read the refusal."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: Application, *, host: str, counters: Counters) -> None:
        """Wraps an application.

        Args:
            app: what answers.
            host: the address that is listened on.
            counters: told of each request.
        """
        self._app, self._counters = app, counters
        self._names = {"localhost", "127.0.0.1", "::1", host.lower()}
        self._any_address = host in {"0.0.0.0", "::"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self.refusal(headers)
        try:
            if refusal is None:
                await self._app(scope, receive, watched)
            else:
                await error_response(*refusal)(scope, receive, watched)
        finally:
            path = getattr(scope.get("route"), "path", "other")
            self._counters.count(path, status, seconds=time.perf_counter() - started)

    def refusal(self, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Status and reason for a request that is not answered."""
        host = headers.get("host", "")
        if not self._is_ours(_name(host)):
            return 400, "this server does not go by that name. Ask it by the address it printed."
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return 403, "a page of another site asked. Open this server's own page."
        return None

    def _is_ours(self, name: str) -> bool:
        if name in self._names:
            return True
        if self._any_address:  # a name may point anywhere, an address points here
            with suppress(ValueError):
                return bool(ip_address(name))
        return False


def _name(host: str) -> str:
    """The host of a Host header, without port and brackets."""
    name, _, port = host.rpartition(":")
    if not name or not port.isdecimal():
        name = host
    return name.removeprefix("[").removesuffix("]").lower()


def error_response(status: int, message: str) -> JSONResponse:
    """A refusal as every part of the server words it: {"error": ...}."""
    headers = {"retry-after": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse({"error": message}, status, headers)


class RefusedError(Exception):
    """A request that is answered with an error; not an error of this program."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


async def read_picture(headers: Headers, receive: Receive, *, take: Callable[[int], None]) -> bytes:
    """The body of a request, if it can be a picture.

    Args:
        headers: of the request.
        receive: of ASGI.
        take: called with the size of each part.

    Raises:
        RefusedError: 413, 415 or 400, or 499 where the client has gone.
        BusyError: `take` did.
    """
    kind = headers.get("content-type", "image/").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise RefusedError(
            415, "the body must be a picture: Content-Type image/png, image/jpeg and so on."
        )
    if int(headers.get("content-length", 0)) > MAX_BODY:
        raise _too_large()
    parts, total = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(499, "the client has gone.")
        part = message.get("body", b"")
        total += len(part)
        if total > MAX_BODY:
            raise _too_large()
        take(len(part))
        parts.append(part)
        if not message.get("more_body"):
            break
    if not total:
        raise RefusedError(400, "the body is empty: send the bytes of a picture's file.")
    return b"".join(parts)


def _too_large() -> RefusedError:
    return RefusedError(413, f"the body is larger than {MAX_BODY:,} bytes. Send a smaller picture.")


class LingeringResponse(JSONResponse):
    """A refusal of a body that is still on its way.

    The connection ends after it, and ending it on unread bytes would reset it, often before the
    client has read why. So some more is read and dropped.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends all of the answer, drops what comes, and ends."""
        self.headers["connection"] = "close"
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        dropped = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while dropped <= LINGER_BYTES:
                    message = await receive()
                    if message["type"] == "http.disconnect" or not message.get("more_body"):
                        break
                    dropped += len(message["body"])
        await send({"type": "http.response.body", "body": b""})
