"""Listening, one process or several, and stopping when told to."""

import asyncio
import gc
import logging
import multiprocessing
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType

import uvicorn

from apple_clf.errors import FileSystemError
from apple_clf.web.app import create_app
from apple_clf.web.guard import Application
from apple_clf.web.models import ServedRun
from apple_clf.web.protocol import LimitedProtocol

FINISH_SECONDS = 4
"""That accepted requests have to finish once the server is told to stop."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Serving:
    """What a process needs to serve; it travels to workers."""

    runs: Sequence[ServedRun]
    host: str
    collect: Path | None

    def application(self) -> Application:
        """What answers.

        Raises:
            ArtifactError: a model cannot be used.
            ConfigError, FileSystemError: the folder cannot be used.
        """
        return create_app(self.runs, host=self.host, collect=self.collect)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        FileSystemError: the address is taken, or none of this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Where the protocol is not named, asyncio leaves small packets to wait, 40 ms an answer.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> FileSystemError:
    return FileSystemError(
        f"{host} port {port}: cannot listen there: {error.strerror or error}. "
        "Choose another: --port N, or 0 for any that is free."
    )


class _Server(uvicorn.Server):
    """A server that ends in order and leaves it to others to end the process."""

    signal_number = signal.SIGTERM

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn would raise the signal again once it is done."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Notes which signal it was."""
        if not self.should_exit:
            self.signal_number = signal.Signals(sig)
        super().handle_exit(sig, frame)


def serve_here(app: Application, listener: socket.socket) -> int:
    """The number of the signal that ended the serving, all of it in this process.

    Args:
        app: as from `Serving.application`.
        listener: closed at the end.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    config = uvicorn.Config(
        app,
        http=LimitedProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    server = _Server(config)
    gc.collect()
    gc.freeze()  # what was imported and loaded stays: no garbage is looked for among it
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel, server), daemon=True).start()
    asyncio.run(server.serve(sockets=[listener]))
    return server.signal_number


def _work(serving: Serving, listener: socket.socket) -> None:
    serve_here(serving.application(), listener)


def _follow(sentinel: int, server: _Server) -> None:
    """Ends a worker whose parent is gone, killed perhaps."""
    wait([sentinel])
    server.should_exit = True


def supervise(serving: Serving, listener: socket.socket, *, workers: int) -> int:
    """The number of the signal that ended the serving, in processes that are kept alive.

    Args:
        serving: what; that it can be served has been seen.
        listener: closed at the end.
        workers: processes that answer.
    """
    context = multiprocessing.get_context("spawn")
    processes: list[multiprocessing.process.BaseProcess] = []
    caught: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        caught.append(number)
        for process in processes:
            process.terminate()

    before = {number: signal.signal(number, stop) for number in SIGNALS}

    def start() -> multiprocessing.process.BaseProcess:
        process = context.Process(target=_work, args=(serving, listener))
        process.start()
        return process

    try:
        while not caught:
            processes[:] = [process for process in processes if process.is_alive()]
            while len(processes) < workers and not caught:  # at first, and where one was killed
                processes.append(start())
            wait([process.sentinel for process in processes], timeout=0.2)
    finally:
        listener.close()
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(FINISH_SECONDS + 1)
            process.kill()  # of one that has ended, nothing
        for number, handler in before.items():
            signal.signal(number, handler)
    return caught[0]
