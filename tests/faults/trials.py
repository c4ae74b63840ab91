"""Single trials: a training is broken in one way, and comes to the reference's bytes or not."""

import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from apple_clf.runs import Run, create_run

from . import harness, injection
from .harness import KILLED, Outcome, Prepare, Start

SEED = 20
MAX_KILLS = 4  # of one training


@dataclass(frozen=True)
class Home:
    """What all trials share."""

    experiment: Path
    reference: Run  # finished, never stopped
    picture: Path
    changes: tuple[str, ...]  # names of the changes to files that a training makes, in order
    forked_seconds: float
    started_seconds: float


@dataclass
class Result:
    """What became of one trial, or of many."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def __add__(self, other: "Result") -> "Result":
        return Result(self.counts + other.counts, self.problems + other.problems)


def make_home(folder: Path, *, real: bool) -> Home:
    """Trains the reference twice, forked, and compares; counts changes, measures a life."""
    experiment = folder / "experiment.yaml"
    experiment.write_text(harness.EXPERIMENT)
    runs, log = folder / "runs", folder / "changes"
    command = harness.train_arguments(experiment, runs)

    def count() -> None:
        injection.Injector(runs, injection.recorder(log)).install()

    outcomes = [harness.fork(command, prepare=count), harness.fork(command)]
    if any(outcome.code for outcome in outcomes):
        raise RuntimeError(f"a training fails without any fault: {outcomes}")
    first, second = (Run(runs / f"killed-{number:03d}") for number in (1, 2))
    started_seconds = harness.start(command).seconds if real else 0.0
    others = [second, Run(runs / "killed-003")] if real else [second]
    found = [difference for other in others for difference in harness.differences(other, first)]
    if found:
        raise RuntimeError(f"trainings differ without any fault: {found}")
    drawings: list[str | Path] = ["data", "simulate", folder / "drawings", "--samples", "2"]
    harness.fork(drawings)
    return Home(
        experiment=experiment,
        reference=first,
        picture=next((folder / "drawings").rglob("*.png")),
        changes=tuple(log.read_text().split()),
        forked_seconds=outcomes[1].seconds,
        started_seconds=started_seconds,
    )


@contextmanager
def _folder(home: Home) -> Iterator[Path]:
    """A folder with an older finished run in it."""
    with tempfile.TemporaryDirectory(prefix="apple-clf-faults-") as name:
        folder = Path(name)
        older = create_run(folder / "runs", "older")
        shutil.copytree(home.reference.path, older.path, dirs_exist_ok=True)
        yield folder


def random_kills(home: Home, number: int, *, start: Start, life: float) -> Result:
    """A training killed at a random instant, and sometimes again while it goes on."""
    rng = np.random.default_rng([SEED, number])
    with _folder(home) as folder:
        result = _train(home, folder, start=start, kill_after=rng.uniform(0, life))
        for _ in range(MAX_KILLS - 1):
            if result.counts["killed"] and rng.random() < 0.3:
                result += _resume_once(folder, start=start, kill_after=rng.uniform(0, life))
        return result + _finish(home, folder, f"kill {number}", start=start)


def injected_kill(home: Home, at: int, *, half_way: bool, again: bool) -> Result:
    """A training killed at its n-th change of files; again: its continuation at its n-th too."""
    fault = injection.kill_half_way_at(at) if half_way else injection.kill_at(at)
    with _folder(home) as folder:

        def prepare() -> None:
            injection.Injector(folder / "runs", fault).install()

        result = _train(home, folder, prepare=prepare)
        if again:
            result += _resume_once(folder, prepare=prepare)
        label = f"{home.changes[at]} {at}"
        result += _older_run_works(home, folder, label)
        return result + _finish(home, folder, label)


def disk_full(home: Home, at: int) -> Result:
    """A training whose disk is full from its n-th change of files on."""
    with _folder(home) as folder:

        def prepare() -> None:
            injection.Injector(folder / "runs", injection.disk_full_from(at)).install()

        return _refused(home, folder, f"full at {home.changes[at]} {at}", prepare)


def file_size_limit(home: Home, n_bytes: int) -> Result:
    """A training that may write no file beyond a size: the kernel says EFBIG."""
    with _folder(home) as folder:
        label = f"files of {n_bytes} bytes at most"
        return _refused(home, folder, label, harness.limited_file_size(n_bytes))


def small_disk(home: Home, kilobytes: int) -> Result:
    """A training on a real file system that is too small, which then grows."""
    with _folder(home) as folder:
        disk = folder / "runs"
        shutil.rmtree(disk)
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            return Result(Counter(not_mounted=1))
        try:
            grow = ["mount", "-o", "remount,size=16m", str(disk)]
            return _refused(
                home,
                folder,
                f"a disk of {kilobytes} kB",
                lambda: None,
                then=lambda: subprocess.run(grow, check=True),
            )
        finally:
            subprocess.run(["umount", str(disk)], check=True)


def _refused(
    home: Home,
    folder: Path,
    label: str,
    prepare: Prepare,
    *,
    then: Callable[[], object] = lambda: None,
) -> Result:
    result = _train(home, folder, prepare=prepare, code=5)
    then()
    result += _older_run_works(home, folder, label)
    return result + _finish(home, folder, label)


def _train(
    home: Home,
    folder: Path,
    *,
    start: Start = harness.fork,
    kill_after: float = harness.LIMIT_SECONDS,
    prepare: Prepare = lambda: None,
    code: int = KILLED,
) -> Result:
    command = harness.train_arguments(home.experiment, folder / "runs")
    outcome = start(command, kill_after=kill_after, prepare=prepare)
    return _judged(outcome, folder, code)


def _resume_once(
    folder: Path,
    *,
    start: Start = harness.fork,
    kill_after: float = harness.LIMIT_SECONDS,
    prepare: Prepare = lambda: None,
) -> Result:
    run = _new_run(folder)
    if run is None:
        return Result()
    command = harness.resume_arguments(run)
    outcome = start(command, kill_after=kill_after, prepare=prepare)
    return _judged(outcome, folder, KILLED)


def _judged(outcome: Outcome, folder: Path, code: int) -> Result:
    """Killed or ended before; whatever stands must be whole."""
    expected = {0, code, 4} if code == KILLED else {code}
    problems = [] if outcome.code in expected else [f"code {outcome.code}: {outcome.err[-400:]}"]
    if outcome.code == 5 and not outcome.says_why:
        problems.append(f"not one line: {outcome.err[-400:]}")
    run = _new_run(folder)
    lost = harness.damage(run) if run else []
    return Result(Counter(killed=int(outcome.code == KILLED), lost=len(lost)), problems + lost)


def _finish(home: Home, folder: Path, label: str, *, start: Start = harness.fork) -> Result:
    """Resumes until the end, or trains anew where there is nothing to resume, and compares."""
    run, kind = _new_run(folder), "resumed"
    outcome = start(harness.resume_arguments(run)) if run else None
    if outcome is None or (outcome.code == 4 and "nothing to resume" in outcome.err):
        kind = "restarted"
        command = harness.train_arguments(home.experiment, folder / "runs")
        outcome = start(command)
        run = _new_run(folder)
    problems = [] if outcome.code == 0 else [f"code {outcome.code}: {outcome.err[-400:]}"]
    problems += harness.differences(run, home.reference) if run else ["no run"]
    identical = Counter({kind: 1, "not identical": int(bool(problems))})
    return Result(identical, [f"{label}: {problem}" for problem in problems])


def _older_run_works(home: Home, folder: Path, label: str) -> Result:
    older = folder / "runs" / "older-001"
    commands: list[list[str | Path]] = [["runs", "--runs", folder / "runs"]]
    if older.exists():
        commands.append(["predict", home.picture, "--run", older])
    outcomes = [harness.fork(command) for command in commands]
    return Result(problems=[f"{label}: {o.code} {o.err}" for o in outcomes if o.code])


def _new_run(folder: Path) -> Run | None:
    run = harness.newest(folder / "runs")
    return run if run and run.name.startswith("killed") else None
