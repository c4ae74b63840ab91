"""A real Ray cluster of two nodes on 127.0.0.1, a CPU each."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
from cli.conftest import PROGRAM, cli, experiment, pictures, run

__all__ = ["cli", "experiment", "pictures", "run"]  # fixtures of tests/cli that serve here too

SECONDS = 120
# Ray would otherwise take the address of the network for that of a node on 127.0.0.1.
LOOPBACK = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@dataclass
class Cluster:
    address: str
    nodes: list[int]  # processes: the head, and the other
    processes: list[int]
    begun: list["subprocess.Popen[str]"] = field(default_factory=list)

    def begin(self, *arguments: str | Path) -> "subprocess.Popen[str]":
        """A command on the cluster."""
        process = subprocess.Popen(
            [*PROGRAM, *map(str, arguments), "--ray", self.address],
            env={**os.environ, **LOOPBACK},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.begun.append(process)
        return process

    def lose_a_node(self) -> None:
        os.kill(self.nodes[1], signal.SIGKILL)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'apple-clf[ray]'")
    holder = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("nodes.py"), "2"],
        env={**os.environ, **LOOPBACK},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    cluster = Cluster(**json.loads(holder.stdout.readline()))
    try:
        yield cluster
    finally:
        for process in cluster.begun:
            process.kill()
            process.communicate()
        holder.stdin.close()
        try:
            holder.wait(timeout=30)
        except subprocess.TimeoutExpired:
            for pid in cluster.processes:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            holder.kill()
            holder.wait()
        holder.stdout.close()


def wait_until(condition: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    """Comes back when the condition holds, while a command is at work."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
