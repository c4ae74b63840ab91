"""`apple-clf serve` as a process of its own, and ways to ask it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

PROGRAM = [sys.executable, "-m", "apple_clf"]
PNG = {"Content-Type": "image/png"}


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def ask(self, path: str, body: bytes | None = None, headers: Mapping[str, str] = PNG) -> Reply:
        """A GET or, with a body, a POST."""
        connection = self.connect()
        try:
            return exchange(connection, path, body, headers)
        finally:
            connection.close()

    def send(self, content: bytes) -> bytes:
        """What comes back for some bytes, until the server ends the connection."""
        with self.socket() as connection:
            connection.sendall(content)
            return read_all(connection)

    def gauge(self, name: str) -> float:
        """A number of /metrics."""
        found = re.search(rf"^apple_clf_{name} (\S+)$", self.ask("/metrics").body.decode(), re.M)
        assert found is not None
        return float(found[1])

    def megabytes(self, name: str = "VmRSS") -> float:
        """Memory of the process, now or (VmHWM) at its peak."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    def forget_peak(self) -> None:
        """Lets VmHWM start anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")


def exchange(
    connection: http.client.HTTPConnection,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = PNG,
) -> Reply:
    """A request on a connection that may be used before and after."""
    method = "GET" if body is None else "POST"
    connection.request(method, path, body, dict(headers) if body is not None else {})
    response = connection.getresponse()
    return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


def read_all(connection: socket.socket) -> bytes:
    """All that comes until the other side ends; a reset is an end too."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


@contextmanager
def serving(*runs: Path, options: Sequence[str | Path] = ()) -> Iterator[Server]:
    """A server of some runs at a free port, ended with the block."""
    command = [*PROGRAM, "serve", "--port", "0", *map(str, options)]
    for run in runs:
        command += [str(run)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found is not None, line + process.stderr.read()
        yield Server(process, int(found[1]))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            process.kill()
            process.stderr.close()


def predicted(run: Path, files: Sequence[Path]) -> list[dict[str, Any]]:
    """What the command line answers, without the files' names."""
    command = [*PROGRAM, "predict", *map(str, files), "--run", str(run), "--format", "jsonl"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) | {"file": None} for line in result.stdout.splitlines()]
