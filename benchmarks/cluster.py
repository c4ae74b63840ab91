"""What a cluster costs and gains: `predict --ray` and `sweep --ray` on one node and on two.

Nodes are processes of this machine with a CPU each, so what is measured is the program and Ray;
network and shared disk are not.

    python -m benchmarks.cluster
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

NODES = Path(__file__).parents[1] / "tests" / "cluster" / "nodes.py"
LOOPBACK = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
PROGRAM = [sys.executable, "-m", "apple_clf"]
N_IMAGES = 200_000
SWEEP = """
name: tiny
data: {source: simulated}
model: {units: [32, 16]}
training: {epochs: 20}
sweep: {parameters: {training.learning_rate: {low: 1e-4, high: 1e-1, log: true}}, trials: 12, sampler: random}
"""  # noqa: E501 (one mapping a line)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sweep.yaml").write_text(SWEEP)
        call(folder, "train", "--set", "training.epochs=2", "-q")
        images = draw(folder / "images")
        print(f"here      predict {call(folder, 'predict', images, '--format', 'jsonl'):6.1f} s")
        for n_nodes in (1, 2):
            measure(folder, images, n_nodes)


def measure(folder: Path, images: Path, n_nodes: int) -> None:
    started = time.perf_counter()
    with cluster(n_nodes) as address:
        ray = ("--ray", address)
        print(f"{n_nodes} node(s) start   {time.perf_counter() - started:6.1f} s")
        for round_ in ("first", "again"):  # when its workers are warm
            out = folder / f"answers-{n_nodes}-{round_}"
            seconds = call(folder, "predict", images, *ray, "--out", out)
            print(
                f"          predict {seconds:6.1f} s {round_}, {N_IMAGES / seconds:,.0f} images/s"
            )
        seconds = call(folder, "predict", images, *ray, "--out", out)
        print(f"          predict {seconds:6.1f} s where all shards stand")
        seconds = call(folder, "sweep", "sweep.yaml", *ray, "-q", "--sweeps", f"sweeps-{n_nodes}")
        print(f"          sweep   {seconds:6.1f} s")


def draw(folder: Path) -> Path:
    """Pictures of 28 x 28 gray pixels, a thousand to a folder, the same thousand in each."""
    rng = np.random.default_rng(0)
    for number in range(N_IMAGES):
        path = folder / f"{number // 1000:03d}" / f"{number % 1000:03d}.png"
        if number < 1000:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (28, 28), np.uint8)).save(path)
        else:
            path.parent.mkdir(exist_ok=True)
            path.hardlink_to(folder / "000" / path.name)
    return folder


def call(folder: Path, *arguments: str | Path) -> float:
    """Seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **LOOPBACK},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


@contextmanager
def cluster(n_nodes: int) -> Iterator[str]:
    """The address of a cluster that lasts as long as the block."""
    process = subprocess.Popen(
        [sys.executable, NODES, str(n_nodes)],
        env={**os.environ, **LOOPBACK},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    main()
