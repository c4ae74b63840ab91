"""Real trainings in real processes, and real kills."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from apple_clf.config.sweep import parse_sweep
from apple_clf.runs import list_runs
from apple_clf.sweeping import sweep
from apple_clf.sweeping.orders import Epoch, Event, Order
from apple_clf.sweeping.processes import Processes

from .made_up import folder_of

pytestmark = pytest.mark.slow

SOURCE = b"""
name: tiny
data: {source: noise, train_samples: 40, validation_samples: 20, test_samples: 20}
model: {units: [4]}
training: {epochs: 4}
sweep: {parameters: {training.learning_rate: [1e-3, 1e-2, 1e-1]}}
"""
SECONDS = 120


class Murderous(Processes):
    """Kills the process of trial 1 at its second epoch."""

    def receive(self, *, timeout: float) -> Sequence[tuple[Order, Event]]:
        received = super().receive(timeout=timeout)
        for order, event in received:
            if order.trial == 1 and isinstance(event, Epoch) and event.epoch == 2:
                (victim,) = (w.process for w in self._workers if w.order is order)
                assert victim.pid is not None
                os.kill(victim.pid, signal.SIGKILL)
        return received


def test_fault_52_a_killed_process_costs_its_trial_only(tmp_path: Path) -> None:
    plan = parse_sweep(SOURCE, filename="tiny.yaml")
    folder = folder_of(tmp_path)
    with closing(Murderous(1)) as executor:
        swept = sweep(plan, folder, executor=executor)

    assert [record["trial"] for record in swept.leaderboard if record["rank"]] in ([0, 2], [2, 0])
    assert swept.leaderboard[-1]["trial"] == 1
    assert "ended by SIGKILL" in swept.leaderboard[-1]["reason"]
    finished = [run.name for run in list_runs(folder.runs) if run.is_finished]
    assert finished == ["tiny-001", "tiny-003"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_bytes(SOURCE.replace(b"epochs: 4", b"epochs: 300"))
    return path


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "apple_clf", "sweep", *map(str, arguments)]


def begin(config: Path, sweeps: Path) -> "subprocess.Popen[str]":
    """A sweep in a process group of its own, whose first training has begun."""
    process = subprocess.Popen(
        command(config, "--sweeps", sweeps, "--workers", "2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    runs = sweeps / "tiny-001" / "runs"
    deadline = time.monotonic() + SECONDS
    while not list(runs.glob("*/dataset.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def go_on(sweeps: Path) -> str:
    finished = subprocess.run(
        command("--resume", "tiny-001", "--sweeps", sweeps, "--quiet"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return (sweeps / "tiny-001" / "leaderboard.csv").read_text()


def test_fault_53_a_killed_sweep_goes_on_in_the_same_runs(config: Path, tmp_path: Path) -> None:
    process = begin(config, tmp_path / "killed")
    process.kill()
    process.communicate()  # its trainings hold its streams as long as they live
    killed = go_on(tmp_path / "killed")
    whole = subprocess.run(
        command(config, "--sweeps", tmp_path / "whole", "--workers", "1"),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )

    assert whole.returncode == 0, whole.stderr
    assert killed == (tmp_path / "whole" / "tiny-001" / "leaderboard.csv").read_text()
    runs = list_runs(tmp_path / "killed" / "tiny-001" / "runs")
    assert [run.name for run in runs if run.is_finished] == ["tiny-001", "tiny-002", "tiny-003"]


def test_ctrl_c_checkpoints_and_tells_how_to_go_on(config: Path, tmp_path: Path) -> None:
    sweeps = tmp_path / "sweeps"
    process = begin(config, sweeps)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=SECONDS)

    assert process.returncode == 130
    assert f"apple-clf sweep --resume {sweeps}/tiny-001" in told
    assert list((sweeps / "tiny-001" / "runs").glob("*/checkpoints/*.checkpoint"))
    assert go_on(sweeps).count("finished") == 3
