"""A real sweep on a real cluster, stopped and robbed of a node."""

import subprocess
from pathlib import Path

import pytest
from cli.conftest import PROGRAM

from apple_clf.runs import list_runs

from .conftest import SECONDS, Cluster, wait_until

pytestmark = pytest.mark.slow

EPOCHS = 400
CONFIG = f"""
name: tiny
data: {{source: noise, train_samples: 40, validation_samples: 20, test_samples: 20}}
model: {{units: [4]}}
training: {{epochs: {EPOCHS}}}
sweep: {{parameters: {{training.learning_rate: [1e-3, 1e-2, 1e-1, 1]}}}}
"""


def test_a_sweep_stopped_and_robbed_of_a_node_is_that_of_local_processes(
    cluster: Cluster, tmp_path: Path
) -> None:
    config = tmp_path / "tiny.yaml"
    config.write_text(CONFIG)
    sweeps = tmp_path / "sweeps"
    runs = sweeps / "tiny-001" / "runs"

    def n_with(pattern: str) -> int:
        return len(list(runs.glob(pattern)))

    stopped = cluster.begin("sweep", config, "--sweeps", sweeps)
    wait_until(lambda: n_with("*/dataset.json") == 2, stopped)  # a training on each node
    stopped.send_signal(2)
    _, told = stopped.communicate(timeout=SECONDS)
    assert stopped.returncode == 130
    assert f"apple-clf sweep --resume {sweeps}/tiny-001" in told
    assert n_with("*/checkpoints/*.checkpoint") == 2

    robbed = cluster.begin("sweep", "--resume", "tiny-001", "--sweeps", sweeps)
    wait_until(lambda: n_with("*/dataset.json") == 4, robbed)  # the last two, one on each node
    cluster.lose_a_node()
    out, told = robbed.communicate(timeout=SECONDS)
    assert robbed.returncode == 0, told
    assert out.startswith("rank")  # what Ray says of the node does not get among the answer
    assert "died. It goes on elsewhere." in told

    subprocess.run(
        [*PROGRAM, "sweep", config, "--sweeps", tmp_path / "local", "--quiet"],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    board = (tmp_path / "local" / "tiny-001" / "leaderboard.csv").read_text()
    assert (sweeps / "tiny-001" / "leaderboard.csv").read_text() == board
    assert [run.name for run in list_runs(runs) if run.is_finished] == [
        f"tiny-{number:03d}" for number in range(1, 5)
    ]
    for run in list_runs(runs):
        assert len(run.history.read_text().splitlines()) == EPOCHS + 1
