"""The connection of a command to a Ray cluster."""

import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import ray

from apple_clf.errors import ConfigError
from apple_clf.io.files import printable


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A block in which this process is connected to a cluster; its tasks end with the block.

    Signals do what they did before: Ray would exit at SIGTERM as if all were well. What is printed
    to standard output in the block is lost.

    Args:
        address: HOST:PORT of the head node, or `auto` for the cluster that this machine is part of.

    Raises:
        ConfigError: there is no cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told of anything
    on_terminate = signal.getsignal(signal.SIGTERM)
    try:
        _check_listens(_current() if address == "auto" else address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, ValueError, RuntimeError) as error:
        cause = str(getattr(error, "strerror", None) or error).partition("\n")[0].rstrip(".")[:200]
        raise ConfigError(
            f"--ray {printable(address)}: no Ray cluster answers there: {printable(cause)}. "
            "Start one on this machine: ray start --head"
        ) from error
    # Ray tells of nodes that died on standard output, which is for answers.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            signal.signal(signal.SIGTERM, on_terminate)
            yield
        finally:
            ray.shutdown()


def _current() -> str | None:
    """The cluster that Ray takes `auto` for, unless it has to look for one."""
    folder = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray"
    try:
        return os.environ.get("RAY_ADDRESS") or (folder / "ray_current_cluster").read_text()
    except OSError:
        return None


def _check_listens(address: str | None) -> None:
    """Nothing, if something listens there; Ray itself would try for ten minutes.

    Raises:
        OSError, ValueError: it does not, or the address is none.
    """
    if address is not None:
        host, _, port = address.strip().rpartition("://")[2].rpartition(":")
        socket.create_connection((host, int(port)), timeout=5).close()


def n_cpus() -> int:
    """CPUs of all machines that are in the cluster now, at least 1."""
    return max(1, int(ray.cluster_resources().get("CPU", 0)))
