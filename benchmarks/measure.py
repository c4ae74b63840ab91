"""Whole processes, timed and weighed from outside, two in turn.

Wall time runs from the start of a process to its end, so it holds what a user waits for: the
interpreter, the imports, the work and the exit.

Memory is the peak of the whole process tree: the larger of two numbers, since neither is enough.
The kernel's high-water mark (`ru_maxrss`) misses nothing, but knows only the largest single
process. The sum over all processes is sampled, and only while there is more than one; it adds up
PSS, which shares a page among those that map it, because adding up RSS would count what forked
workers share once for each. Between samples a peak may hide, which is why the figure is only
trusted for work that takes a second or more. Linux counts the launching process into `ru_maxrss`
of what it launches, so this module and its callers stay small: no NumPy here.

The machine may be busy. So the two sides run in turn, A B A B, and only ratios within a pair are
compared; what disturbs one side most likely disturbs the other.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

SAMPLING_INTERVAL = 0.05

Command = Sequence[str | Path]


class CommandFailedError(Exception):
    """A measured command did not exit with 0; str() shows the end of its stderr."""


class Usage(NamedTuple):
    """What one run of a command took."""

    seconds: float
    megabytes: float  # of 10^6 bytes, at the peak


@dataclass(frozen=True)
class Pairs:
    """Two commands measured in turn, as often the one as the other."""

    ours: Sequence[Usage]
    peer: Sequence[Usage]

    def time_ratios(self) -> list[float]:
        """Our time over the peer's, pair by pair."""
        return [a.seconds / b.seconds for a, b in zip(self.ours, self.peer, strict=True)]

    def memory_ratios(self) -> list[float]:
        """Our peak memory over the peer's, pair by pair."""
        return [a.megabytes / b.megabytes for a, b in zip(self.ours, self.peer, strict=True)]


def typical(runs: Sequence[Usage]) -> Usage:
    """Median seconds and median megabytes, each by itself."""
    return Usage(median(run.seconds for run in runs), median(run.megabytes for run in runs))


def in_pairs(
    ours: Command, peer: Command, *, pairs: int, warm_up: int = 1, env: Mapping[str, str]
) -> Pairs:
    """Measurements of two commands in turn.

    Args:
        ours: a program and its arguments.
        peer: likewise.
        pairs: times that each runs, 1 or more.
        warm_up: unmeasured runs of each before, which fill the page cache.
        env: the environment of both.

    Raises:
        CommandFailedError: one did not exit with 0.
    """
    for _ in range(warm_up):
        measure(ours, env=env)
        measure(peer, env=env)
    runs = [(measure(ours, env=env), measure(peer, env=env)) for _ in range(pairs)]
    return Pairs([run[0] for run in runs], [run[1] for run in runs])


def measure(command: Command, *, env: Mapping[str, str]) -> Usage:
    """Wall time and peak memory of a command, from its start to its end; its output is dropped.

    Raises:
        CommandFailedError: it did not exit with 0.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=dict(env),
        )
        with _watched(process.pid) as watch:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-500:].strip()
            raise CommandFailedError(f"exit code {process.returncode}: {tail}")
    return Usage(seconds, max(usage.ru_maxrss * 1024, watch.peak) / 1e6)


class _Watch:
    """The largest sum of memory seen so far, in bytes."""

    peak = 0


@contextmanager
def _watched(root: int) -> Iterator[_Watch]:
    """Samples the memory of a process tree in a thread while the block lasts."""
    watch, done = _Watch(), threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLING_INTERVAL):
            watch.peak = max(watch.peak, memory_of_tree(root))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join()


def memory_of_tree(root: int) -> int:
    """Bytes that a process and its descendants hold now; 0 if it has none, or without /proc."""
    processes = _family(root)
    return sum(map(_proportional_set_size, processes)) if len(processes) > 1 else 0


def _family(root: int) -> list[int]:
    """A process and its descendants."""
    found = [root]
    for pid in found:  # grows as it goes
        try:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                found.extend(map(int, (thread / "children").read_text().split()))
        except OSError:  # it has ended
            continue
    return found


def _proportional_set_size(pid: int) -> int:
    """Bytes of memory, each page divided by the number of processes that map it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
