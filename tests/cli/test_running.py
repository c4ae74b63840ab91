import csv
import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apple_clf.runs import find_run, list_runs
from cli.conftest import PROGRAM, Cli

pytestmark = pytest.mark.slow

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def test_train_tells_how_it_goes_and_what_came_of_it(
    cli: Cli, experiment: Path, tmp_path: Path
) -> None:
    outcome = cli("train", experiment, "--runs", tmp_path)
    (run,) = list_runs(tmp_path)
    assert outcome.code == 0
    assert not CONTROL.search(outcome.out + outcome.err)
    assert "Data: 16 train, 4 validation, 4 test images of " in outcome.err
    assert "Epoch 2 of 2: loss " in outcome.err
    answer = outcome.out.splitlines()
    assert re.fullmatch(r"Final training accuracy: [01]\.\d{3} \(2 epochs\)", answer[0])
    assert answer[1] == "On 4 test images, positive class äpfel:"
    assert re.search(r"^(The model is |Problem: )", outcome.out, re.MULTILINE)
    assert "4 validation images are too few to calibrate on" in outcome.err
    (line,) = [line for line in answer if line.startswith("Answers: ")]
    assert line == "Answers: temperature 1.00, threshold 0.500."
    assert "No picture is answered 'unsure': 20 images are too few" in outcome.err
    assert answer[-3:] == [
        f"Run: {run.path}",
        f"Look at it: {run.report}",
        f"Ask it: apple-clf predict IMAGE --run {run.path}",
    ]
    assert run.config.read_bytes() == experiment.read_bytes()


def test_quiet_train_in_json_writes_one_object_and_no_narration(
    cli: Cli, experiment: Path, tmp_path: Path
) -> None:
    outcome = cli("train", experiment, "--runs", tmp_path, "-q", "--format", "json")
    assert (outcome.code, outcome.err) == (0, "")
    content = json.loads(outcome.out)
    run = find_run(None, folder=tmp_path)
    assert content.pop("run") == str(run.path)
    assert content.pop("findings") == json.loads(run.findings.read_bytes())["findings"]
    assert content == json.loads(run.metrics.read_bytes())


def test_train_names_the_epoch_whose_weights_are_kept(
    cli: Cli, experiment: Path, tmp_path: Path
) -> None:
    overrides = ["--set", "training.early_stopping={monitor: loss, patience: 1}"]
    overrides += ["--set", "training.learning_rate=10.0", "--set", "training.epochs=9"]
    outcome = cli("train", experiment, *overrides, "--runs", tmp_path, "-q")
    training = json.loads(find_run(None, folder=tmp_path).metrics.read_bytes())["training"]
    assert training["best_epoch"] < training["epochs"] < 9
    assert (
        f"({training['epochs']} epochs, stopped early, "
        f"the weights after epoch {training['best_epoch']} kept)"
    ) in outcome.out


FEW = (
    *("--set", "data.train_samples=20", "--set", "data.validation_samples=50"),
    *("--set", "data.test_samples=10", "--set", "training.epochs=1"),
)


def test_train_tells_what_calibration_came_to(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("train", *FEW, "--runs", tmp_path, "-q")
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("Answers: ")]
    assert re.search(r"calibration error 0\.\d{3} -> 0\.\d{3}, threshold 0\.500\.$", line)


def test_embedded_experiment_is_trained_without_a_file(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("train", *FEW, "--runs", tmp_path, "-q", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(outcome.out))
    assert (row["run"], row["status"], row["images"]) == ("apples-001", "finished", "10")


def test_fault_46_divergence_is_7_and_tells_the_next_step(
    cli: Cli, experiment: Path, tmp_path: Path
) -> None:
    overrides = ["--set", "training.optimizer=sgd", "--set", "training.learning_rate=1e10"]
    outcome = cli("train", experiment, *overrides, "--runs", tmp_path, "-q")
    (run,) = list_runs(tmp_path)
    assert (outcome.code, outcome.out) == (7, "")
    assert outcome.err.startswith(f"Error: {run.path}: training diverged (NaN or infinity)")
    assert "--set training.learning_rate=1e+09" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("cure", ["training.learning_rate=0.01", "training.optimizer.clipnorm=1"])
def test_fault_46_cures_are_overrides_that_work(
    cli: Cli, experiment: Path, tmp_path: Path, cure: str
) -> None:
    overrides = ["--set", "training.optimizer=sgd", "--set", cure]
    assert cli("config", "check", experiment, *overrides).code == 0


@pytest.mark.parametrize("left", [["a"], ["a", "b"]], ids=["one_class_only", "an_empty_class"])
def test_fault_20_too_few_classes_are_3_before_tensorflow_is_imported(
    pictures: Path, tmp_path: Path, left: list[str]
) -> None:
    for name in left:
        (tmp_path / "data" / name).mkdir(parents=True)
    shutil.copy(next(pictures.rglob("*.png")), tmp_path / "data" / "a")
    (tmp_path / "e.yaml").write_text("data: {source: folder, path: data}")
    program = (
        "import sys; from apple_clf.cli import main\n"
        "sys.argv = ['apple-clf', 'train', 'e.yaml']\n"
        "try: main()\n"
        "finally: print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (3, "[]\n")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def on_terminal(arguments: list[str | Path], **variables: str) -> str:
    """What a command writes to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm", **variables}
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how Linux tells that the other end is closed
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    assert process.wait() == 0
    return text.decode()


def test_terminal_shows_a_bar_with_loss_accuracy_and_time_left(
    experiment: Path, tmp_path: Path
) -> None:
    text = on_terminal(["train", experiment, "--runs", tmp_path])
    assert "\x1b[2K" in text  # a line that is drawn again
    bar = next(line for line in re.split(r"[\r\n]", text) if "2/2" in line)
    assert re.search(r"2/2 +loss \d\.\d{3} +accuracy \d\.\d{3}.* --:--|\d\d:\d\d", bar)
    assert "Final training accuracy" in text


def test_dumb_terminal_gets_plain_lines(experiment: Path, tmp_path: Path) -> None:
    text = on_terminal(["train", experiment, "--runs", tmp_path], TERM="dumb", NO_COLOR="1")
    assert not CONTROL.search(text.replace("\r\n", "\n"))
    assert "Epoch 2 of 2: loss " in text


def test_fault_38_ctrl_c_says_how_to_go_on(experiment: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "train", experiment, "--runs", tmp_path, "--set", "training.epochs=100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Epoch"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    told = [line for line in err.splitlines() if line and not line.startswith("Epoch ")]
    assert (process.returncode, out, len(told)) == (130, "", 2)
    assert told[0] == "Stopping after this epoch; once more stops at once."
    (run,) = list_runs(tmp_path)
    assert told[1].endswith(f"Go on: apple-clf resume {run.path}")
    assert list(run.checkpoints.iterdir())
