"""Real predictions on a real cluster, whose command is killed, and then a node."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import PROGRAM
from PIL import Image

from apple_clf.runs import Run

from .conftest import SECONDS, Cluster, wait_until

pytestmark = pytest.mark.slow

N, SHARD_SIZE = 96, 2


@pytest.fixture
def slow_pictures(tmp_path: Path) -> Path:
    """Pictures that take a tenth of a second each, and one that is none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (2500, 2500), np.uint8)
    Image.fromarray(pixels).save(folder / "0000.png")
    for number in range(1, N - 1):
        os.link(folder / "0000.png", folder / f"{number:04d}.png")
    (folder / "zzzz.png").write_bytes(b"no picture")
    return folder


def test_killed_commands_and_lost_nodes_leave_one_answer_for_each_image(
    cluster: Cluster, slow_pictures: Path, run: Run, tmp_path: Path
) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out"
    command: list[str | Path] = ["predict", slow_pictures, "--run", run.path, "--out", out]
    command += ["--shard-size", str(SHARD_SIZE)]

    def standing() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}

    killed = cluster.begin(*command)
    wait_until(lambda: len(standing()) >= 4, killed)
    killed.kill()
    killed.wait()
    robbed = cluster.begin(*command)
    before = standing()
    wait_until(lambda: len(standing()) >= len(before) + 4, robbed)
    assert len(standing()) < N // SHARD_SIZE
    cluster.lose_a_node()
    _, told = robbed.communicate(timeout=SECONDS)
    assert robbed.returncode == 3, told
    assert f"1 of {N} files could not be answered" in told

    local = subprocess.run(
        [*PROGRAM, "predict", slow_pictures, "--run", run.path, "--format", "jsonl"],
        check=False,
        capture_output=True,
        timeout=SECONDS,
    )
    answers = [
        answer for path in sorted(out.glob("part-*")) for answer in pq.read_table(path).to_pylist()
    ]
    assert answers == [json.loads(line) for line in local.stdout.splitlines()]
    assert len({answer["file"] for answer in answers}) == N
    after = standing()
    assert {name: after[name] for name in before} == before
    assert not list(out.glob(".part-*"))
