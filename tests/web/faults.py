"""Faults 54 to 60: what a server does under load, slow clients, bad requests and signals."""

import http.client
import io
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apple_clf.web.guard import MAX_BODY
from apple_clf.web.protocol import MAX_HEAD
from apple_clf.web.service import MAX_WAITING_BYTES

from .serving import PROGRAM, Reply, Server, exchange, predicted, read_all, serving

HEAD = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"

HOSTS = (b"evil.example", b"10.1.2.3", b"", b"127.0.0.1.evil.example:80")
ORIGINS = (b"http://evil.example", b"null", b"http://127.0.0.1.evil.example")
PATHS = (
    *(b"/../../etc/passwd", b"/page/../app.py", b"/page/%2e%2e/app.py", b"/page/..%2fapp.py"),
    *(b"/page/", b"/page//etc/passwd", b"/runs"),
)


@dataclass
class Tally:
    """What came of a fault's requests."""

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  # answers that are not as they must be
    before: float = 0.0  # MB
    after: float = 0.0
    note: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def n_requests(self) -> int:
        return sum(self.statuses.values())

    def see(self, reply: Reply, expected: object, *, status: int = 200) -> None:
        """Counts a reply and holds it against what it must be; None for anything in JSON."""
        with self.lock:
            self.statuses[str(reply.status)] += 1
            if reply.status == 503 and status == 200:
                if "retry-after" not in reply.headers:
                    self.wrong.append("503 without Retry-After")
            elif reply.status != status or (expected is not None and reply.json != expected):
                self.wrong.append(f"{reply.status} {reply.body[:200]!r}, not {status} {expected}")
            elif expected is None:
                self.is_told(reply)

    def is_told(self, reply: Reply) -> None:
        """An error is JSON with a reason."""
        if not reply.json["error"]:
            self.wrong.append(f"{reply.status} without a reason")

    def demand(self, holds: bool, otherwise: str) -> None:
        """Notes what does not hold."""
        if not holds:
            self.wrong.append(otherwise)


def write_pictures(folder: Path, n: int) -> list[Path]:
    """Different pictures: noise, light and dark, of many sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, files = np.random.default_rng(5), []
    for i in range(n):
        size = tuple(rng.integers(20, 80, 2))
        pixels = rng.integers(0, 256, size, np.uint8) // int(rng.integers(1, 9))
        files.append(folder / f"{i}.png")
        Image.fromarray(pixels).save(files[-1])
    return files


def load(run: Path, folder: Path, *, clients: int, requests: int) -> Tally:
    """54: many clients at once."""
    tally, files = Tally(), write_pictures(folder, 40)
    expected = predicted(run, files)
    bodies = [file.read_bytes() for file in files]

    def client(number: int) -> None:
        connection = server.connect()
        for i in range(requests):
            chosen = (number * 7 + i) % len(files)
            tally.see(exchange(connection, "/predict", bodies[chosen]), expected[chosen])
        connection.close()

    with serving(run) as server:
        for body in bodies:
            server.ask("/predict", body)
        _all_at_once(client, range(clients))  # what grows once, has
        tally.statuses.clear()
        tally.before = server.megabytes()
        _all_at_once(client, range(clients))
        tally.after = server.megabytes()
    tally.demand(set(tally.statuses) <= {"200", "503"}, f"statuses {dict(tally.statuses)}")
    tally.demand(tally.after < tally.before * 1.1 + 5, "memory grows")
    return tally


def slow_clients(run: Path, picture: Path, *, idle: int, slow: int) -> Tally:
    """55: sockets that never finish a request."""
    tally, closed = Tally(), list[float]()
    body = picture.read_bytes()
    (expected,) = predicted(run, [picture])
    starts = {"head": HEAD, "body": HEAD + b"Content-Length: 1000\r\n\r\n"}

    def drip(kind: str) -> None:
        started = time.monotonic()
        with server.socket() as connection:
            connection.sendall(starts.get(kind, b""))
            connection.settimeout(0.5)
            while time.monotonic() - started < 20:
                try:
                    if kind != "idle":
                        connection.sendall(b"a")
                    if not connection.recv(4096):
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
        with tally.lock:
            closed.append(time.monotonic() - started)
            tally.statuses["closed"] += 1

    with serving(run) as server:
        tally.before = server.megabytes()
        kinds = ["idle"] * idle + ["head"] * slow + ["body"] * slow
        threads = [threading.Thread(target=drip, args=(kind,)) for kind in kinds]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            tally.see(server.ask("/predict", body), expected)
            time.sleep(0.1)
        tally.after = server.megabytes()
    tally.demand(max(closed) <= 10, f"closed after {max(closed):.1f} s")
    tally.note = f"closed after {min(closed):.1f} to {max(closed):.1f} s"
    return tally


def oversized(run: Path, *, times: int) -> Tally:
    """56: bodies larger than are read, whether they say so or not."""
    tally, chunk = Tally(), b"a" * 65_536

    def announced() -> None:
        content = HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)
        _see_raw(tally, server.send(content), 413)  # nothing of the body was sent

    def announced_and_sent() -> None:
        reply = server.ask("/predict", b"a" * (MAX_BODY + 1))
        tally.see(reply, None, status=413)

    def chunked() -> None:
        with server.socket() as connection:
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            try:
                for _ in range(4 * MAX_BODY // len(chunk)):
                    connection.sendall(b"10000\r\n" + chunk + b"\r\n")
            except ConnectionError:
                pass
            _see_raw(tally, read_all(connection), 413)

    with serving(run) as server:
        server.ask("/health")
        tally.before = server.megabytes()
        server.forget_peak()
        for _ in range(times):
            for send in (announced, announced_and_sent, chunked):
                send()
        tally.after = server.megabytes("VmHWM")
        tally.note = "memory after is the peak"
    tally.demand(tally.after < tally.before + 3 * MAX_BODY / 2**20, "memory beyond the cap")
    return tally


def bad_bodies(run: Path, picture: Path) -> Tally:
    """57: what is not a picture."""
    tally, good = Tally(), picture.read_bytes()
    (expected,) = predicted(run, [picture])
    jpeg = io.BytesIO()
    Image.open(picture).convert("L").resize((300, 300)).save(jpeg, "JPEG")
    cases: list[tuple[bytes, str, int]] = [
        (good, "text/plain", 415),
        (good, "application/x-www-form-urlencoded", 415),
        (good, "multipart/form-data; boundary=x", 415),
        (good, "", 415),
        (b"", "image/png", 400),
        (b"garbage" * 99, "image/png", 422),
        (b"\x89PNG\r\n\x1a\n", "image/png", 422),
        (good[: len(good) // 2], "image/png", 422),
        (good[:-1], "application/octet-stream", 422),
        (jpeg.getvalue()[:-100], "image/jpeg", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 422),
    ]
    with serving(run) as server:
        tally.before = server.megabytes()
        for path in ("/predict", "/explain"):
            for body, kind, status in cases:
                tally.see(server.ask(path, body, {"Content-Type": kind}), None, status=status)
        for number in range(1, 100):  # garbage of every length, and good pictures with a bad byte
            spoilt = bytearray(good)
            spoilt[number % len(good)] ^= 0xFF
            reply = server.ask("/predict", bytes(spoilt))
            tally.statuses[str(reply.status)] += 1
            tally.demand(reply.status in {200, 422} and "error" in reply.json, str(reply))
        tally.see(server.ask("/predict", good), expected)
        tally.after = server.megabytes()
    return tally


def bad_heads(run: Path) -> Tally:
    """58: other sites, other names, ways out of the folder, long headers, no HTTP."""
    tally = Tally()
    get = b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n%b\r\n"
    own = b"127.0.0.1"
    cases: list[tuple[bytes, int]] = [
        *((get % (b"/", host, b""), 400) for host in HOSTS),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        *((get % (b"/model", own, b"Origin: %b\r\n" % origin), 403) for origin in ORIGINS),
        *((get % (path, own, b""), 404) for path in PATHS),
        (get % (b"/", own, b"X: " + b"a" * MAX_HEAD + b"\r\n"), 431),
        (get % (b"/", own, b"X: a\r\n" * MAX_HEAD), 431),
        (get % (b"/" + b"a" * MAX_HEAD, own, b""), 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 4 * MAX_HEAD, 431),  # and no end
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (b"DELETE /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 405),
    ]  # fmt: skip
    with serving(run) as server:
        tally.before = server.megabytes()
        for content, status in cases:
            _see_raw(tally, server.send(content), status)
        reply = server.ask("/health")
        tally.statuses[str(reply.status)] += 1
        tally.demand(reply.status == 200, "the server is gone")
        tally.after = server.megabytes()
    return tally


def stopped_under_load(run: Path, folder: Path, *, requests: int, workers: int = 1) -> Tally:
    """59: SIGTERM while requests wait."""
    tally = Tally()
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / "large.png"
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1200), np.uint8)
    Image.fromarray(noise).save(picture, compress_level=1)
    (expected,) = predicted(run, [picture])
    body = picture.read_bytes()
    with serving(run, options=["--workers", str(workers)]) as server:
        _ready(server)
        with ThreadPoolExecutor(requests) as pool:
            replies = [pool.submit(server.ask, "/predict", body) for _ in range(requests)]
            if workers == 1:
                while server.gauge("waiting_requests") < min(4, requests):
                    time.sleep(0.005)
            accepted = requests - sum(reply.done() for reply in replies)
            time.sleep(0.3)  # until all have been sent
            server.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            while not (refused := _is_refused(server)) and time.monotonic() - started < 2:
                time.sleep(0.02)
            for reply in replies:
                tally.see(reply.result(), expected)
        code = server.process.wait(20)
        seconds = time.monotonic() - started
    tally.demand(refused, "a new connection was accepted")
    tally.demand(seconds <= 5, f"it took {seconds:.1f} s")
    tally.demand(code == 143, f"exit code {code}")
    tally.note = f"{accepted} waited; ended after {seconds:.1f} s with {code}"
    return tally


def _ready(server: Server) -> None:
    """Workers need a while before they listen."""
    server.ask("/health")


def _is_refused(server: Server) -> bool:
    try:
        server.ask("/health")
    except (ConnectionError, http.client.HTTPException, TimeoutError):
        return True
    return False


def replaced_and_busy(run: Path, folder: Path, pictures: Sequence[Path], *, other: Path) -> Tally:
    """60: a port that is taken; a model that is replaced, damaged, deleted under the server."""
    tally, copy = Tally(), folder / "copy"
    shutil.copytree(run, copy)
    expected = predicted(copy, pictures)

    def all_as_before() -> None:
        for picture, answer in zip(pictures, expected, strict=True):
            tally.see(server.ask("/predict", picture.read_bytes()), answer)

    with serving(copy) as server:
        tally.before = server.megabytes()
        all_as_before()
        busy = subprocess.run(
            [*PROGRAM, "serve", str(copy), "--port", str(server.port)],
            capture_output=True,
            text=True,
            check=False,
        )
        tally.demand(busy.returncode == 5, f"busy port: exit code {busy.returncode}")
        tally.demand("--port" in busy.stderr and busy.stderr[-1] == "\n", busy.stderr)
        for name in ("model.json", "model.tflite", "model.keras"):
            shutil.copyfile(other / name, copy / name)
        all_as_before()
        (copy / "model.tflite").write_bytes(b"")
        all_as_before()
        shutil.rmtree(copy)
        all_as_before()
        tally.after = server.megabytes()
    tally.note = f"busy port: exit code {busy.returncode}"
    return tally


def crowd(server: Server, picture: Path) -> Tally:
    """More bodies under way than there is room for."""
    tally, n = Tally(), MAX_WAITING_BYTES // MAX_BODY
    expected = server.ask("/predict", picture.read_bytes())
    part = b"a" * (MAX_BODY - 1)
    sockets = [server.socket() for _ in range(n)]
    for connection in sockets:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % MAX_BODY + part)
    _wait(lambda: server.gauge("waiting_bytes") >= n * len(part))
    for _ in range(3):
        tally.see(server.ask("/predict", picture.read_bytes()), expected.json)
    tally.demand(tally.statuses == {"503": 3}, f"in a crowd: {dict(tally.statuses)}")
    for connection in sockets:
        connection.close()
    _wait(lambda: server.gauge("waiting_bytes") == 0)
    tally.see(server.ask("/predict", picture.read_bytes()), expected.json)
    tally.demand(tally.statuses["200"] == 1, "no answer after the crowd")
    return tally


def killed_worker(server: Server, picture: Path) -> Tally:
    """One of two workers is killed; another takes its place."""
    tally = Tally()
    _wait(lambda: len(_workers(server)) == 2)
    expected = server.ask("/predict", picture.read_bytes()).json
    victim = _workers(server)[0]
    os.kill(victim, signal.SIGKILL)
    _wait(lambda: len(_workers(server)) == 2 and victim not in _workers(server))
    for _ in range(20):
        tally.see(server.ask("/predict", picture.read_bytes()), expected)
    return tally


def _workers(server: Server) -> list[int]:
    """Processes that answer; multiprocessing has one more, for its own needs."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid for pid in map(int, children) if b"spawn_main" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return b""


def _wait(condition: Callable[[], bool]) -> None:
    while not condition():  # pytest's own time limit ends it
        time.sleep(0.02)


def _see_raw(tally: Tally, answer: bytes, status: int) -> None:
    """Counts an answer as it came over the wire."""
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    found = words[1].decode() if len(words) > 1 else "none"
    tally.statuses[found] += 1
    right = found == str(status) and b"application/json" in head and b'"error"' in body
    tally.demand(right, f"{answer[:200]!r}, not {status}")


def _all_at_once(work: Callable[[int], Any], items: Iterable[int]) -> None:
    numbers = list(items)
    with ThreadPoolExecutor(len(numbers)) as pool:
        list(pool.map(work, numbers))
