from pathlib import Path

from apple_clf.runs import Run
from cli.conftest import CLASSES, Cli


def test_report_is_written_into_the_run_and_named(cli: Cli, run: Run) -> None:
    before = run.report.read_bytes()
    run.report.unlink()
    outcome = cli("report", run.name, "--runs", run.path.parent)
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{run.report}\n", "")
    assert run.report.read_bytes() == before  # what the training wrote at its end
    assert all(name in before.decode() for name in CLASSES)


def test_newest_finished_run_is_the_default(cli: Cli, run: Run) -> None:
    outcome = cli("report", "--runs", run.path.parent)
    assert outcome.out == f"{run.report}\n"


def test_run_that_is_not_there_is_told(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("report", "nothing", "--runs", tmp_path)
    assert (outcome.code, outcome.out) == (4, "")
    assert "no such run" in outcome.err


def test_imported_model_gets_a_report(cli: Cli, pictures: Path, tmp_path: Path) -> None:
    from apple_clf.model.backend import keras

    file = tmp_path / "theirs.keras"
    layers = [keras.Input((64,)), keras.layers.Dense(1, activation="sigmoid")]
    keras.Sequential(layers).save(file)
    runs = tmp_path / "runs"
    assert cli("import", file, "--data", pictures, "--trust", "--runs", runs).code == 0
    (report,) = runs.glob("*/report.html")
    assert "theirs.keras" in report.read_text(encoding="utf-8")
