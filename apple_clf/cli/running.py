"""`train`, `resume` and `verify`."""

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apple_clf.cli.diagnosis import finding_lines, read_findings
from apple_clf.cli.listing import COLUMNS, summary
from apple_clf.cli.options import (
    DEFAULT_RUNS,
    CheckpointSeconds,
    ConfigFile,
    Format,
    OutputFormat,
    Overrides,
    Quiet,
    RunsFolder,
)
from apple_clf.cli.output import write_object, write_records
from apple_clf.cli.reporting import reporting
from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.pipeline.verification import Verification
    from apple_clf.runs import Run


def train(
    config: ConfigFile = None,
    overrides: Overrides = None,
    runs: RunsFolder = DEFAULT_RUNS,
    format_: OutputFormat = Format.text,
    quiet: Quiet = False,
    checkpoint_seconds: CheckpointSeconds = 10.0,
) -> None:
    """Train the network that an experiment describes."""
    from apple_clf.config import parse_experiment, read_source
    from apple_clf.io.progress import Silent
    from apple_clf.pipeline.workflow import Manner
    from apple_clf.pipeline.workflow import train as train_experiment

    source = read_source(config)
    filename = str(config) if config else "defaults"
    experiment = parse_experiment(source, filename=filename, overrides=overrides or ())
    with reporting(Silent() if quiet else None) as reporter:
        run = train_experiment(
            experiment,
            source=source,
            folder=runs,
            reporter=reporter,
            manner=Manner(checkpoint_seconds=checkpoint_seconds),
        )
    show(run, format_)


def resume(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Path or name of a run.")],
    runs: RunsFolder = DEFAULT_RUNS,
    format_: OutputFormat = Format.text,
    quiet: Quiet = False,
    checkpoint_seconds: CheckpointSeconds = 10.0,
) -> None:
    """Go on with a run that was stopped."""
    from apple_clf.io.progress import Silent
    from apple_clf.pipeline.workflow import Manner
    from apple_clf.pipeline.workflow import resume as resume_run
    from apple_clf.runs import find_run

    with reporting(Silent() if quiet else None) as reporter:
        finished = resume_run(
            find_run(run, folder=runs),
            reporter=reporter,
            manner=Manner(checkpoint_seconds=checkpoint_seconds),
        )
    show(finished, format_)


def verify(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Path or name of a run.")],
    runs: RunsFolder = DEFAULT_RUNS,
    format_: OutputFormat = Format.text,
    quiet: Quiet = False,
) -> None:
    """Train a run again and compare every byte."""
    from apple_clf.io.progress import Silent
    from apple_clf.pipeline.verification import verify as verify_run
    from apple_clf.runs import find_run

    with reporting(Silent() if quiet else None) as reporter:
        outcome = verify_run(find_run(run, folder=runs), reporter=reporter)
    record = outcome.as_dict()
    write_records(
        [record],
        format_,
        columns=list(record),
        as_text=lambda records: _verify_lines(outcome),
    )
    if not outcome.identical:
        raise typer.Exit(ArtifactError.exit_code)


def _verify_lines(outcome: "Verification") -> Iterator[str]:
    name = printable(outcome.run)
    if outcome.identical:
        yield f"{name}: identical. Trained again, it came to the same bytes."
    else:
        yield f"{name}: not identical. The first file that differs: {outcome.artefacts[0]}"
    for difference in outcome.inputs:
        yield f"What went in differs: {printable(difference)}"
    if not outcome.identical and not outcome.inputs:
        yield "What went in is the same, so a file of the run was changed afterwards."


def show(run: "Run", format_: Format) -> None:
    """Prints what a training or an import came to."""
    from apple_clf.runs.files import read_metrics

    if format_ in {Format.json, Format.jsonl}:
        findings = [finding.as_dict() for finding in read_findings(run)]
        content = {"run": str(run.path), **read_metrics(run), "findings": findings}
        write_object(content, indent=2 if format_ is Format.json else None)
    else:
        write_records(
            [summary(run)],
            format_,
            columns=[*COLUMNS, "verdict"],
            as_text=lambda records: _train_lines(run),
        )


def _train_lines(run: "Run") -> Iterator[str]:
    from apple_clf.metrics.catalogue import words_of
    from apple_clf.runs.files import read_metrics

    content = read_metrics(run)
    yield _training_line(content["training"]) if content["training"] else _TRAINED_ELSEWHERE
    positive = printable(content["positive_class"])
    yield f"On {content['n_images']:,} {_SPLIT_WORDS[content['split']]}, positive class {positive}:"
    for name, estimate in content["metrics"].items():
        if estimate["value"] is not None:
            interval = f"95 % interval {estimate['low']:.3f} to {estimate['high']:.3f}"
            yield f"  {words_of(name):27} {estimate['value']:.3f}  {interval}"
    if "decision" in content:  # not in runs of version 0.1
        yield _decision_line(content)
    yield from _judgement(run, content)
    yield f"Run: {printable(run.path)}"
    if run.report.exists():  # not in runs of version 0.1
        yield f"Look at it: {printable(run.report)}"
    yield f"Ask it: apple-clf predict IMAGE --run {quote(printable(run.path))}"


def _judgement(run: "Run", content: Mapping[str, Any]) -> Iterator[str]:
    """What the numbers mean, each thing once: findings say more than the verdict can."""
    findings = read_findings(run)
    if not any(finding.severity == "problem" for finding in findings):
        yield f"The model is {content['verdict']}."
    if content["memorisation"] and not findings:
        yield f"In short, {content['memorisation']}."
    for finding in findings:
        yield from finding_lines(finding, run)


_TRAINED_ELSEWHERE = "Trained elsewhere: if it learnt from these images, the numbers flatter it."


def _training_line(training: Mapping[str, Any]) -> str:
    """How well the training images are known, and after how many epochs."""
    epochs = f"{training['epochs']} epochs"
    if training["stopped_early"]:
        epochs += ", stopped early"
    if training["best_epoch"] != training["epochs"]:
        epochs += f", the weights after epoch {training['best_epoch']} kept"
    return f"Final training accuracy: {training['last_epoch']['accuracy']:.3f} ({epochs})"


def _decision_line(content: Mapping[str, Any]) -> str:
    """How outputs become answers, and what calibration came to."""
    decision, error = content["decision"], content["calibration_error"]
    parts = [f"temperature {decision['temperature']:.2f}"]
    if decision["temperature"] != 1:
        before, after = error["as_trained"], error["calibrated"]
        parts.append(f"calibration error {before:.3f} -> {after:.3f}")
    if decision["threshold"] is not None:
        goal = f" for {decision['threshold_goal']}" if decision["threshold_goal"] else ""
        parts.append(f"threshold {decision['threshold']:.3f}{goal}")
    unsure = content["unsure"]
    if decision["novelty_threshold"] is not None:
        parts.append(f"unsure of {unsure['images']:,} images ({unsure['share']:.1%})")
    return f"Answers: {', '.join(parts)}."


_SPLIT_WORDS = {
    "test": "test images",
    "validation": "validation images (there is no test split)",
    "train": "training images (there is no other split, so this says nothing of new images)",
}
