"""Prints the table of this project against its peers; `--only S1,S3` measures a part of it.

Everything is made in a temporary folder and removed at the end. A target that is missed is shown
as missed; a comparison that could not be run is shown as failed, and only then the exit code is 1.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.comparisons import COMPARISONS
from benchmarks.measure import CommandFailedError
from benchmarks.table import HEAD, Unmeasured
from benchmarks.workshop import Workshop


def main() -> int:
    """The exit code, after the table was printed."""
    arguments = _arguments()
    failed = False
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {sys.version}", file=sys.stderr)
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="apple-clf-bench-") as folder:
        workshop = Workshop(Path(folder), pairs=arguments.pairs)
        for number in arguments.only:
            started = time.monotonic()
            try:
                for row in COMPARISONS[number](workshop):
                    print(row, flush=True)
            except CommandFailedError as error:
                failed = True
                print(Unmeasured(number, "failed", "", " ".join(str(error).split())), flush=True)
            print(f"{number} took {time.monotonic() - started:.0f} s", file=sys.stderr)
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=_numbers, default=list(COMPARISONS), metavar="S1,S3")
    parser.add_argument("--pairs", type=_positive, default=5, help="runs of each side (default 5)")
    return parser.parse_args()


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _numbers(text: str) -> list[str]:
    numbers = text.upper().split(",")
    if unknown := set(numbers) - set(COMPARISONS):
        raise argparse.ArgumentTypeError(
            f"{', '.join(sorted(unknown))}: not one of {', '.join(COMPARISONS)}"
        )
    return numbers


if __name__ == "__main__":
    sys.exit(main())
