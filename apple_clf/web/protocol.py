"""HTTP with a time limit for every request to come in, and a size limit for its head.

uvicorn waits for headers and bodies as long as a client likes to take.
"""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

RECEIVE_SECONDS = 8.0
"""From the connection, or the first byte of a later request, to its last."""

SEND_SECONDS = 30.0
"""From then until the client has got the whole answer."""

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers."""

MAX_CONNECTIONS = 512

_REASONS = {
    400: ("Bad Request", "this is not an HTTP request."),
    408: ("Request Timeout", f"the request was not complete after {RECEIVE_SECONDS:g} s."),
    431: ("Request Header Fields Too Large", f"the head is longer than {MAX_HEAD:,} bytes."),
    503: ("Service Unavailable", "too many connections. Try again in a second."),
}


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._receiving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._head_bytes: int | None = 0  # None while a body comes in

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Starts the clock."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(503)
        else:
            self._start_receiving()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops all clocks."""
        for timer in (self._receiving, self._sending):
            if timer is not None:
                timer.cancel()
        self._receiving = self._sending = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what came, and refuses a head that does not come to an end."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self._start_receiving()
        if self._head_bytes is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes is not None and self._head_bytes > MAX_HEAD:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """A request starts."""
        super().on_message_begin()
        self._start_receiving()

    def on_headers_complete(self) -> None:
        """The head is there; it came with some of the body, perhaps, so it is measured anew."""
        n_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        self._head_bytes = None
        if n_bytes > MAX_HEAD:
            self._refuse(431)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body, unless the request was refused."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has come in."""
        self._head_bytes = 0
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None
        if self.transport.is_closing():
            return
        if self._sending is None:
            self._sending = self.loop.call_later(SEND_SECONDS, self.transport.abort)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is on its way."""
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP gets this."""
        self._refuse(400)

    def timeout_keep_alive_handler(self) -> None:
        """Ends a connection on which nothing more came; one that does not read, at once."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _start_receiving(self) -> None:
        if self._receiving is None:
            self._receiving = self.loop.call_later(RECEIVE_SECONDS, self._too_slow)

    def _too_slow(self) -> None:
        self._receiving = None
        self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Ends the connection, with an answer if none was begun."""
        if self.transport.is_closing():
            return
        begun = self.cycle is not None and self.cycle.response_started
        if not begun or self.cycle.response_complete:
            phrase, message = _REASONS[status]
            body = json.dumps({"error": message})
            head = (
                f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n"
            )
            if status == 503:
                head += "retry-after: 1\r\n"
            self.transport.write(f"{head}\r\n{body}".encode())
        self.transport.close()
