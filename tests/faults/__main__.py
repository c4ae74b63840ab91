"""`make faults`: hundreds of trainings are killed or refused the disk; prints what became of them.

Exits with 1 if one of them lost a file or came to other bytes than an uninterrupted training.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else NumPy's import starts threads; see harness

from apple_clf.io.parallel import available_cores

from . import harness, trials
from .trials import Home, Result

Trial = Callable[[], Result]

FILE_SIZES = (0, 100, 1_000, 5_000, 10_000, 20_000, 36_000, 37_500)
DISKS = (4, 16, 40, 64, 100, 140, 180, 220, 260)  # kB

ROWS = {
    "random": "random kills of forked processes",
    "real": "random kills of real processes",
    "injected": "kills at a change of files",
    "full": "disk full (ENOSPC) at a change of files",
    "size": "limit of a file's size (EFBIG)",
    "disk": "small tmpfs",
}


def plan(home: Home, wanted: argparse.Namespace) -> Iterator[tuple[str, Trial]]:
    """Every trial with the row that it counts for."""
    for number in range(wanted.random):
        life = home.forked_seconds
        kill = partial(trials.random_kills, home, number, start=harness.fork, life=life)
        yield "random", kill
    for number in range(wanted.real):
        life = home.started_seconds
        kill = partial(trials.random_kills, home, 10_000 + number, start=harness.start, life=life)
        yield "real", kill
    for at in range(wanted.every // 2, len(home.changes), wanted.every):
        again = at % 2 == 1
        yield "injected", partial(trials.injected_kill, home, at, half_way=False, again=again)
        if home.changes[at] == "write":
            yield "injected", partial(trials.injected_kill, home, at, half_way=True, again=again)
    full = [at for at, name in enumerate(home.changes) if name in {"write", "fsync", "mkdir"}]
    for at in full[wanted.every // 2 :: wanted.every]:
        yield "full", partial(trials.disk_full, home, at)
    for n_bytes in FILE_SIZES[:: wanted.every]:
        yield "size", partial(trials.file_size_limit, home, n_bytes)
    for kilobytes in DISKS[:: wanted.every]:
        yield "disk", partial(trials.small_disk, home, kilobytes)


def run_all(home: Home, wanted: argparse.Namespace) -> dict[str, tuple[int, Result]]:
    """By row the number of trials and what became of them."""
    rows = {row: (0, Result()) for row in ROWS}
    context = get_context("fork")
    with ProcessPoolExecutor(available_cores(), context) as pool:
        futures = [(row, pool.submit(trial)) for row, trial in plan(home, wanted)]
        for done, (row, future) in enumerate(futures, start=1):
            n, result = rows[row]
            rows[row] = (n + 1, result + future.result())
            if done % 25 == 0:
                print(f"{done} of {len(futures)} trials", file=sys.stderr, flush=True)
    return rows


def table(rows: dict[str, tuple[int, Result]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| fault | trials | killed | resumed | trained anew | not identical | files lost |"
    yield "|---|---|---|---|---|---|---|"
    for row, (n, result) in rows.items():
        counts = result.counts
        if counts["not_mounted"]:
            yield f"| {ROWS[row]} | none: this user may not mount one | | | | | |"
            continue
        cells = [n, counts["killed"], counts["resumed"], counts["restarted"]]
        cells += [counts["not identical"], counts["lost"]]
        yield f"| {ROWS[row]} | {' | '.join(map(str, cells))} |"


def main() -> int:
    """Runs the trials that the arguments ask for and prints the table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--random", type=int, default=200, help="random kills, forked")
    parser.add_argument("--real", type=int, default=10, help="random kills, real processes")
    parser.add_argument("--every", type=int, default=1, help="take every n-th injected point")
    parser.add_argument("--json", action="store_true", help="print counts and problems as JSON")
    wanted = parser.parse_args()
    started = time.monotonic()
    harness.import_everything()
    folder = Path(tempfile.mkdtemp(prefix="apple-clf-faults-"))
    os.environ["APPLE_CLF_CACHE"] = str(folder / "cache")
    try:
        home = trials.make_home(folder, real=wanted.real > 0)
        rows = run_all(home, wanted)
    finally:
        shutil.rmtree(folder)
    problems = [problem for _, result in rows.values() for problem in result.problems]
    if wanted.json:
        counts = {row: {"trials": n, **result.counts} for row, (n, result) in rows.items()}
        print(json.dumps({"rows": counts, "problems": problems}))
    else:
        print(*table(rows), sep="\n")
        print(f"\n{len(home.changes)} changes of files; {time.monotonic() - started:.0f} s.")
        print(*problems, sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
