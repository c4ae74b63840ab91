"""`make faults-served`: faults 54 to 60 at their full size; prints a table.

Exits with 1 if an answer was wrong, a limit was passed, or a server did not end as it should.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from apple_clf.api import train
from apple_clf.runs import Run

from . import faults
from .faults import Tally
from .serving import serving

Fault = tuple[str, str, Callable[[], Tally]]

EXPERIMENT = "name: apples\ntraining: {epochs: %d}\n"
HEAD = "| fault | what | requests | statuses | wrong | MB before | after | |\n" + "|---" * 8 + "|"


def plan(run: Path, other: Path, folder: Path, apple: Path) -> Iterator[Fault]:
    """Every fault with a number, words and what brings it about."""
    pictures = faults.write_pictures(folder / "pictures", 10)

    def crowd() -> Tally:
        with serving(run) as server:
            return faults.crowd(server, apple)

    def killed() -> Tally:
        with serving(run, options=["--workers", "2"]) as server:
            return faults.killed_worker(server, apple)

    yield (
        "54",
        "50 clients x 100 requests",
        lambda: faults.load(run, folder / "load", clients=50, requests=100),
    )
    yield "54", "more than there is room for", crowd
    yield "54", "one of two workers killed", killed
    yield (
        "55",
        "200 idle sockets, 20 slow heads, 20 slow bodies",
        lambda: faults.slow_clients(run, apple, idle=200, slow=20),
    )
    yield (
        "56",
        "oversized bodies, announced, sent, chunked",
        lambda: faults.oversized(run, times=10),
    )
    yield (
        "57",
        "wrong type, empty, garbage, truncated, a bad byte",
        lambda: faults.bad_bodies(run, apple),
    )
    yield "58", "foreign Host and Origin, ../, long heads, no HTTP", lambda: faults.bad_heads(run)
    for workers in (1, 2):
        stop = partial(faults.stopped_under_load, run, requests=30, workers=workers)
        yield "59", f"SIGTERM under load, workers: {workers}", partial(stop, folder / str(workers))
    yield (
        "60",
        "busy port; model replaced, emptied, deleted",
        lambda: faults.replaced_and_busy(run, folder, pictures, other=other),
    )


def main() -> int:
    """The exit code, after the table was printed."""
    failed = False
    apple = Path(__file__).parents[2] / "data" / "apple.png"
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="apple-clf-served-") as name:
        folder = Path(name)
        os.environ["APPLE_CLF_CACHE"] = str(folder / "cache")
        run, other = _train(folder, 8), _train(folder, 1)
        for number, what, bring_about in plan(run.path, other.path, folder, apple):
            started = time.monotonic()
            tally = bring_about()
            failed |= bool(tally.wrong)
            print(_row(number, what, tally), flush=True)
            for problem in tally.wrong[:5]:
                print(f"{number}: {problem}", file=sys.stderr)
            print(f"{number} took {time.monotonic() - started:.0f} s", file=sys.stderr)
    return int(failed)


def _train(folder: Path, epochs: int) -> Run:
    path = folder / "experiment.yaml"
    path.write_text(EXPERIMENT % epochs, encoding="utf-8")
    return train(path, folder / "runs")


def _row(number: str, what: str, tally: Tally) -> str:
    statuses = ", ".join(f"{n} x {status}" for status, n in sorted(tally.statuses.items()))
    memory = [f"{value:.0f}" if value else "-" for value in (tally.before, tally.after)]
    cells = [number, what, str(tally.n_requests), statuses, str(len(tally.wrong)), *memory]
    return f"| {' | '.join([*cells, tally.note])} |"


if __name__ == "__main__":
    sys.exit(main())
