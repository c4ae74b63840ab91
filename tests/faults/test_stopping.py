"""Trainings that are stopped by signals, meddled with, or short of memory; and then go on."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from apple_clf.config import parse_experiment
from apple_clf.config.schema import Experiment
from apple_clf.errors import ArtifactError, LockedError
from apple_clf.io.interruption import InterruptedTrainingError
from apple_clf.io.progress import Silent
from apple_clf.pipeline.verification import verify
from apple_clf.pipeline.workflow import Manner, resume, train
from apple_clf.runs import Run, list_runs, locked

from .harness import EXPERIMENT, differences

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-m", "apple_clf"]


def parsed(*overrides: str) -> Experiment:
    return parse_experiment(EXPERIMENT, filename="e.yaml", overrides=overrides)


def test_fault_45_network_too_large_for_a_memory_limit_is_told(tmp_path: Path) -> None:
    experiment = tmp_path / "e.yaml"
    experiment.write_text(EXPERIMENT)
    large = "model.layers=[{type: dense, units: 65536}, {type: dense, units: 65536}]"
    result = subprocess.run(
        [*PROGRAM, "train", experiment, "--set", large, "--runs", tmp_path, "-q"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_memory,
    )
    assert (result.returncode, result.stderr.count("\n")) == (8, 1)
    assert "Try half the batch size" in result.stderr


def limit_memory() -> None:
    """Of 17 GB that the network's largest weights need."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


class Signalling(Silent):
    """A reporter that sends its own process a signal after an epoch."""

    def __init__(self, number: int, *, epoch: int) -> None:
        self.number = number
        self.at = epoch

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        if epoch == self.at:
            os.kill(os.getpid(), self.number)
            time.sleep(0.05)  # the watching thread may need its turn


def interrupted_run(folder: Path, *, number: int = signal.SIGTERM, epoch: int = 3) -> Run:
    with pytest.raises(InterruptedTrainingError):
        train(
            parsed(),
            source=EXPERIMENT.encode(),
            folder=folder,
            reporter=Signalling(number, epoch=epoch),
            manner=Manner(checkpoint_seconds=0),
        )
    (run,) = list_runs(folder)
    assert not run.is_finished
    return run


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("reference")
    return train(
        parsed(), source=EXPERIMENT.encode(), folder=folder, manner=Manner(checkpoint_seconds=0)
    )


def state_of(run: Run) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (run.path, *run.path.rglob("*"))
    }


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)], ids=str
)
def test_fault_38_39_signal_ends_with_a_checkpoint_that_is_resumed(
    name: str, code: int, tmp_path: Path, reference: Run
) -> None:
    with pytest.raises(InterruptedTrainingError) as error:
        train(
            parsed(),
            source=EXPERIMENT.encode(),
            folder=tmp_path,
            reporter=Signalling(getattr(signal, name), epoch=2),
        )
    (run,) = list_runs(tmp_path)
    assert error.value.exit_code == code
    assert str(error.value).endswith(f"Go on: apple-clf resume {run.path}")
    assert differences(resume(run, manner=Manner(checkpoint_seconds=0)), reference) == []


@pytest.mark.parametrize("damaged", [1, 2], ids=["newest", "both"])
def test_fault_34_damaged_checkpoints_are_told_and_the_result_is_the_same(
    damaged: int, tmp_path: Path, reference: Run
) -> None:
    run = interrupted_run(tmp_path)
    checkpoints = sorted(run.checkpoints.iterdir(), reverse=True)
    for path in checkpoints[:damaged]:
        path.write_bytes(path.read_bytes()[:-1])
    result = subprocess.run(
        [*PROGRAM, "resume", run.path, "-q", "--checkpoint-seconds", "0"],
        capture_output=True,
        text=True,
        check=True,
    )
    told = [f"{path}: passed over, as it is damaged." for path in checkpoints[:damaged]]
    assert result.stderr.splitlines() == told
    assert differences(run, reference) == []


def test_fault_35_edited_experiment_is_refused_with_the_key(tmp_path: Path) -> None:
    run = interrupted_run(tmp_path)
    text = run.resolved.read_text()
    run.resolved.write_text(text.replace("batch_size: 16", "batch_size: 15"))
    with pytest.raises(ArtifactError, match=r"training\.batch_size was 16 and is now 15"):
        resume(run)
    run.resolved.write_text(text)
    assert resume(run).is_finished


def test_fault_35_other_threads_are_told_and_recorded(
    tmp_path: Path,
    reference: Run,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("apple_clf.runs.environment.TRAINING_THREADS", 2)
        run = interrupted_run(tmp_path)
    resume(run, manner=Manner(checkpoint_seconds=0))
    change = "threads was 2 and is now 1"
    assert told_by(caplog) == [
        f"{run.path}: {change} since the last checkpoint, so the result may differ from that of a "
        "training that was never stopped."
    ]
    assert differences(run, reference) == []  # they really are the same
    assert json.loads(run.environment.read_bytes())["changed_on_resume"] == [change]
    assert verify(run).inputs == (f"when it was resumed, {change}",)


def told_by(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the package logged; TensorFlow logs too."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("apple_clf")]


def test_fault_35_same_machine_is_no_news(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    resume(interrupted_run(tmp_path))
    assert told_by(caplog) == []


def test_fault_35_changed_data_are_refused(tmp_path: Path) -> None:
    run = interrupted_run(tmp_path)
    record = json.loads(run.dataset.read_bytes())
    run.dataset.write_text(json.dumps(record | {"fingerprint": "0" * 64}))
    with pytest.raises(ArtifactError, match=r"the data have changed since it began: .*0{12}\."):
        resume(run)


def test_fault_36_finished_run_is_left_as_it_is(reference: Run) -> None:
    before = state_of(reference)
    assert resume(reference) == reference
    assert state_of(reference) == before


def test_fault_37_resume_of_a_run_at_work_is_refused_at_once(tmp_path: Path) -> None:
    run = interrupted_run(tmp_path)
    with locked(run):
        before = state_of(run)
        result = subprocess.run(
            [*PROGRAM, "resume", run.path], capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stderr.count("\n")) == (LockedError.exit_code, 1)
        assert "another process is at work on this run" in result.stderr
        assert state_of(run) == before


def test_fault_47_clock_that_jumps_leaves_durations_and_order_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(parsed("training.epochs=1"), source=b"", folder=tmp_path)
    now = time.time()
    jumps = iter(range(1_000_000))
    ten_years = 315_360_000
    monkeypatch.setattr(time, "time", lambda: now + (-3600, ten_years)[next(jumps) % 2])
    second = train(parsed("training.epochs=1"), source=b"", folder=tmp_path)
    durations = json.loads(second.environment.read_bytes())["duration_seconds"]
    assert all(0 <= seconds < 100 for seconds in durations.values())
    os.utime(first.path, (now + ten_years, now + ten_years))
    assert list_runs(tmp_path) == [first, second]


def long_training(
    runs: Path, *, prepare: Callable[[], None] = lambda: None
) -> subprocess.Popen[str]:
    """A real process that has come to its first epoch of many."""
    experiment = runs / "e.yaml"
    experiment.write_text(EXPERIMENT)
    few_stops = ["training.epochs=100000", "training.early_stopping=null"]
    sets = [part for text in few_stops for part in ("--set", text)]
    process = subprocess.Popen(
        [*PROGRAM, "train", experiment, *sets, "--runs", runs],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
    )
    assert process.stderr is not None
    while "Epoch 1 of" not in process.stderr.readline():
        assert process.poll() is None
    return process


def rest_of(process: subprocess.Popen[str], *until: str) -> str:
    """What the process writes to stderr until a line holds a text, or to its end."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if any(text in line for text in until):
            break
    return "".join(lines)


LARGE_BATCH = """\
data: {source: noise, train_samples: 32768, validation_samples: 0, test_samples: 20}
preprocessing: {image_size: [4, 4], resize: stretch, polarity: as_is}
model: {layers: [{type: dense, units: 4096}]}
training: {batch_size: 32768, epochs: 3}
"""
WITH_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
from apple_clf.errors import MemoryLimitError
from apple_clf.io.progress import Silent
from apple_clf.runs import Run
from apple_clf.pipeline.workflow import Manner, resume

class Limiting(Silent):
    def stage(self, text):
        if text.startswith("Training"):  # of 512 MB that an array of a step needs
            status = Path("/proc/self/status").read_text()
            held = 1024 * int(status.partition("VmData:")[2].split()[0])
            resource.setrlimit(resource.RLIMIT_DATA, (held + (200 << 20),) * 2)

try:
    resume(Run(Path(sys.argv[1])), reporter=Limiting(), manner=Manner(checkpoint_seconds=0))
except MemoryLimitError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits private memory")
def test_fault_45_full_memory_in_an_epoch_keeps_the_checkpoint(tmp_path: Path) -> None:
    experiment = parse_experiment(LARGE_BATCH, filename="e.yaml")
    with pytest.raises(InterruptedTrainingError):
        train(experiment, source=b"", folder=tmp_path, reporter=Signalling(signal.SIGTERM, epoch=1))
    (run,) = list_runs(tmp_path)
    (checkpoint,) = run.checkpoints.iterdir()
    before = checkpoint.read_bytes()
    told = subprocess.run(
        [sys.executable, "-c", WITH_LITTLE_MEMORY, run.path],
        capture_output=True,
        text=True,
        check=False,
    )
    # Where C++ does not check an allocation, TensorFlow dies of it.
    is_told = told.stdout.startswith("memory ran out while training. Try half the batch size")
    assert is_told or told.returncode in {-signal.SIGABRT, -signal.SIGSEGV}
    assert checkpoint.read_bytes() == before
    assert resume(run).is_finished


def test_fault_38_39_nohup_ctrl_c_and_the_command_that_it_prints(tmp_path: Path) -> None:
    with long_training(tmp_path, prepare=ignore_hangup) as process, killed_at_last(process):
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        said = rest_of(process)
        assert process.wait(60) == 130
    assert "Stopping after this epoch; once more stops at once." in said
    told = re.search(r"training stopped at epoch \d+ of 100000\. Go on: apple-clf (.*)", said)
    assert told
    with (
        subprocess.Popen(
            [*PROGRAM, *told[1].split()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=ignore_hangup,
        ) as process,
        killed_at_last(process),
    ):
        rest_of(process, "Epoch ")
        process.send_signal(signal.SIGINT)
        rest_of(process, "Stopping after this epoch")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


@contextmanager
def killed_at_last(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()


def ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
