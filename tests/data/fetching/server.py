"""A web server on this machine that fails as it is told to."""

import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer."""

    status: int | None = None  # answered instead of the file
    drop_after: int | None = None  # bytes of the body, then the connection is closed
    stall_after: int | None = None  # bytes of the body, then nothing until the site closes
    ignores_range: bool = False
    flips_byte: int | None = None  # of the file


@dataclass
class Site:
    """Files by path, the faults of the next answers, and what was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    version: str | None = '"1"'
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range
    stalled: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.asked]


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a free port of 127.0.0.1, while the block lasts."""
    site = Site()
    handler = type("_Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site, path = self.site, unquote(self.path)
        asked = self.headers.get("Range")
        site.asked.append((path, asked))
        fault = site.faults.popleft() if site.faults else Fault()
        self.close_connection = True
        if fault.status is not None or path not in site.files:
            self.send_error(fault.status or 404)
            return
        content = bytearray(site.files[path])
        if fault.flips_byte is not None:
            content[fault.flips_byte] ^= 255
        self._answer(bytes(content), None if fault.ignores_range else asked, fault)

    def _answer(self, content: bytes, asked: str | None, fault: Fault) -> None:
        total = len(content)
        is_same = self.headers.get("If-Range") in {None, self.site.version}
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", asked or "")
        if match and is_same:
            start, end = int(match[1]), min(int(match[2]) + 1, total)
            if start >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{total}")
            content = content[start:end]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        if self.site.version:
            self.send_header("ETag", self.site.version)
        self.end_headers()
        self._send(content, fault)

    def _send(self, content: bytes, fault: Fault) -> None:
        stop = fault.stall_after if fault.drop_after is None else fault.drop_after
        with suppress(ConnectionError):  # the client has had enough
            self.wfile.write(content[:stop])
            if fault.stall_after is not None:
                self.wfile.flush()
                self.site.stalled.set()
                self.site.closing.wait()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Says nothing."""
