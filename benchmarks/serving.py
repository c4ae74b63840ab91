"""S11: the server under 16 clients, against the same predictor in a loop."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.table import Row
from benchmarks.workshop import HERE, PYTHON, ROOT, Workshop

SECONDS = 5
IMAGE = ROOT / "data" / "apple.png"
AT_HALF_THE_THROUGHPUT = 2.0
LONGEST_SECONDS = 0.05


def serving(at: Workshop) -> Iterator[Row]:
    """S11: throughput by one process and by two, and the 99th percentile at half of it."""
    for workers in (1, 2):
        with server(at.run, "--workers", str(workers), env=at.env) as port:
            _flood(at, port)
            pairs = [(_flood(at, port)["rate"], _loop(at)) for _ in range(at.pairs)]
            served = median(rate for rate, _ in pairs)
            half = served / 2
            late = [_flood(at, port, "--rate", f"{half:.0f}")["p99"] for _ in range(at.pairs)]
        processes = f"{workers} process{'es' if workers > 1 else ''}"
        yield Row(
            "S11",
            f"serve, 16 clients, one image a request, {processes}: throughput",
            "the same predictor in a loop",
            f"{served:.0f} a second",
            f"{median(rate for _, rate in pairs):.0f} a second",
            [loop / rate for rate, loop in pairs],
            AT_HALF_THE_THROUGHPUT,
        )
        yield _latency(f"serve, {half:.0f} requests a second, {processes}: p99", late)


def _latency(work: str, seconds: Sequence[float]) -> Row:
    ratios = [value / LONGEST_SECONDS for value in seconds]
    return Row("S11", work, "50 ms", f"{1000 * median(seconds):.1f} ms", "50 ms", ratios, 1.0)


def _flood(at: Workshop, port: int, *options: str) -> dict[str, Any]:
    command = [PYTHON, str(HERE / "flood.py"), str(port), str(IMAGE), "--seconds", str(SECONDS)]
    found: dict[str, Any] = json.loads(at.make([*command, *options]))
    return found


def _loop(at: Workshop) -> float:
    return float(at.make([PYTHON, HERE / "peers" / "answer_loop.py", at.run, IMAGE, str(SECONDS)]))


@contextmanager
def server(run: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """The port of a server that lives while the block lasts.

    Args:
        run: a finished run, or a bundle.
        options: more of `apple-clf serve`.
        env: of the process; this one's if left out.

    Raises:
        RuntimeError: it did not start; the message is what it said.
    """
    command = [PYTHON, "-m", "apple_clf", "serve", str(run), "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if found is None:
            raise RuntimeError(f"the server did not start: {line}{process.stderr.read()}".rstrip())
        yield int(found[1])
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
