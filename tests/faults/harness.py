"""Trainings in processes of their own that are killed, and what must be true afterwards.

TensorFlow takes three seconds to import, so hundreds of processes are forked from one that has
imported it and computed nothing with it: there is one thread and no TensorFlow runtime to inherit,
which `import_everything` checks. A few trials start real processes, to prove it no different.
"""

import csv
import gc
import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from apple_clf.config import load_experiment
from apple_clf.errors import AppleClfError
from apple_clf.io.quiet import quiet_stderr
from apple_clf.runs import Run, list_runs
from apple_clf.runs.checkpoints import Checkpoints
from apple_clf.runs.model_record import read_model_record

EXPERIMENT = """\
name: killed
seed: 3
data: {source: simulated, train_samples: 60, validation_samples: 30, test_samples: 30}
preprocessing: {image_size: [12, 12]}
model:
  layers:
    - {type: dense, units: 12, activation: relu}
    - {type: batch_normalization}
    - {type: dropout, rate: 0.3}
training:
  batch_size: 16
  epochs: 12
  learning_rate: 0.005
  early_stopping: {patience: 2}
  reduce_on_plateau: {patience: 1}
"""

KILLED = -signal.SIGKILL
LIMIT_SECONDS = 120.0


@dataclass(frozen=True)
class Outcome:
    """How a process ended."""

    code: int  # negative: the signal that killed it
    err: str
    seconds: float

    @property
    def says_why(self) -> bool:
        """Whether stderr is one line, an error."""
        return self.err.startswith("Error: ") and self.err.count("\n") == 1


Prepare = Callable[[], None]


def import_everything() -> None:
    """Imports what a training needs and starts nothing of it.

    Raises:
        RuntimeError: a thread or TensorFlow's runtime was started, so that forking is unsound.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with quiet_stderr():
        from tensorflow.python.eager import context

    runtime = context._context
    if runtime is not None and runtime._initialized:
        raise RuntimeError("importing TensorFlow has started its runtime")
    if (n_threads := len(os.listdir("/proc/self/task"))) != 1:  # noqa: PTH208
        raise RuntimeError(f"importing has started {n_threads - 1} threads")
    gc.freeze()


def fork(
    arguments: Sequence[str | Path],
    *,
    kill_after: float = LIMIT_SECONDS,
    prepare: Prepare = lambda: None,
) -> Outcome:
    """The outcome of a forked process that runs the command line."""
    started = time.monotonic()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(arguments, writer, prepare)
    os.close(writer)
    status = None
    while time.monotonic() - started < kill_after:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        time.sleep(0.002)
    else:
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    seconds = time.monotonic() - started
    assert status is not None
    with os.fdopen(reader, encoding="utf-8", errors="backslashreplace") as pipe:
        return Outcome(os.waitstatus_to_exitcode(status), pipe.read(), seconds)


def _child(arguments: Sequence[str | Path], err: int, prepare: Prepare) -> None:
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(err, 2)
        # The parent's streams remember whether what they wrote to could seek.
        sys.stdout, sys.stderr = (os.fdopen(n, "w", closefd=False) for n in (1, 2))
        prepare()
        from apple_clf.cli import main

        sys.argv = ["apple-clf", *map(str, arguments)]
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 (the parent reads it and fails)
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def start(
    arguments: Sequence[str | Path],
    *,
    kill_after: float = LIMIT_SECONDS,
    prepare: Prepare = lambda: None,
) -> Outcome:
    """The outcome of a real process, Python's start and TensorFlow's import included."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "apple_clf", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        preexec_fn=prepare,
    )
    try:
        err = process.communicate(timeout=kill_after)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        err = process.communicate()[1]
    return Outcome(process.returncode, err, time.monotonic() - started)


Start = Callable[..., Outcome]


def limited_file_size(n_bytes: int) -> Prepare:
    """Makes writes beyond a size fail with EFBIG."""

    def prepare() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))

    return prepare


def train_arguments(experiment: Path, runs: Path) -> list[str | Path]:
    """A training that keeps a checkpoint of every epoch."""
    return ["train", experiment, "--runs", runs, "-q", "--checkpoint-seconds", "0"]


def resume_arguments(run: Run) -> list[str | Path]:
    """Its continuation."""
    return ["resume", run.path, "-q", "--checkpoint-seconds", "0"]


def newest(runs: Path) -> Run | None:
    """The run that was made last, if any was."""
    return max(list_runs(runs), key=lambda run: run.number, default=None)


def differences(run: Run, reference: Run) -> list[str]:
    """What differs from an uninterrupted run, and files that should not be there."""
    names = ["model.keras", "model.tflite", "model.json", "history.csv", "metrics.json"]
    names += ["predictions.csv", "resolved.yaml", "config.yaml", "dataset.json"]
    names += sorted(f"plots/{path.name}" for path in reference.plots.iterdir())
    found = [
        f"{name} differs"
        for name in names
        if not (run.path / name).exists()
        or (run.path / name).read_bytes() != (reference.path / name).read_bytes()
    ]
    files = {path.relative_to(run.path) for path in run.path.rglob("*")}
    expected = {path.relative_to(reference.path) for path in reference.path.rglob("*")}
    return found + [f"{name} is left over" for name in sorted(files - expected)]


def damage(run: Run) -> list[str]:
    """What is half written in a run: every file that stands must be whole."""
    found = []
    checks: dict[Path, Callable[[], object]] = {
        run.resolved: lambda: load_experiment(run.resolved),
        run.history: lambda: _check_table(run.history),
        run.predictions: lambda: _check_table(run.predictions),
        run.model_record: lambda: _check_hashes(run),
    }
    for picture in run.plots.glob("*.png"):
        checks[picture] = partial(_check_picture, picture)
    for path, check in checks.items():
        try:
            if path.exists():
                check()
        except (AppleClfError, ValueError, OSError, SyntaxError) as error:
            found.append(f"{path.name}: {error}")
    found += [f"{path.name}: damaged" for path in _checkpoints(run) if not _is_intact(path)]
    if _checkpoints(run) and Checkpoints(run.checkpoints).latest() is None:
        found.append("no checkpoint can be read")
    return found


def _check_picture(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


def _check_table(path: Path) -> None:
    header, *rows = csv.reader(path.read_text().splitlines())
    if not path.read_bytes().endswith(b"\n") or any(len(row) != len(header) for row in rows):
        raise ValueError("a row is cut short")


def _check_hashes(run: Run) -> None:
    record = read_model_record(run.model_record)
    for path, sha256 in (
        (run.keras_model, record.keras_sha256),
        (run.litert_model, record.litert_sha256),
    ):
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise ValueError(f"{path.name} is not the one it names")


def _checkpoints(run: Run) -> list[Path]:
    return sorted(run.checkpoints.glob("*.checkpoint"))


def _is_intact(path: Path) -> bool:
    content = path.read_bytes()
    return hashlib.sha256(content[32:]).digest() == content[:32]
