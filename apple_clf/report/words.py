"""The result of a run in words: what is told first, before any picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apple_clf.metrics.catalogue import METRICS, words_of
from apple_clf.report.reading import DAMAGES, AbsentError, RunFiles

SPLITS = {
    "test": "test images",
    "validation": "validation images (there is no test split)",
    "train": "training images (there is no other split, so this says nothing of new images)",
}

TILES = ("balanced_accuracy", "accuracy", "roc_auc", "expected_calibration_error")
"""Metrics that are shown first."""


@dataclass(frozen=True)
class Tile:
    """One figure of the summary."""

    name: str
    value: str
    interval: str
    meaning: str


@dataclass(frozen=True)
class Summary:
    """What opens a report."""

    state: str  # good, poor or unknown: the colour of the chip
    chip: str
    lead: str
    sentences: Sequence[str] = ()
    tiles: Sequence[Tile] = ()


def summarise(files: RunFiles) -> Summary:
    """The result in words, for a run of any kind and state."""
    if files.diverged:
        return Summary(
            "poor",
            "diverged",
            "The training diverged: NaN or infinity came out, so nothing was evaluated.",
            ["The last finite weights are kept. The findings below say what to change."],
        )
    try:
        return _summary(files.metrics, files)
    except AbsentError as absent:
        return Summary("unknown", "no result", "There is no result to tell.", [str(absent)])
    except DAMAGES:
        return Summary(
            "unknown", "no result", "There is no result to tell.", ["metrics.json is damaged."]
        )


def _summary(metrics: Mapping[str, Any], files: RunFiles) -> Summary:
    split, total = metrics["split"], metrics["n_images"]
    counts = metrics["confusion_matrix"]["counts"]
    right = sum(row[i] for i, row in enumerate(counts))
    chip, state = _chip(metrics)
    return Summary(
        state=state,
        chip=chip,
        lead=f"{right:,} of {total:,} {SPLITS[split].partition(' (')[0]} answered right.",
        sentences=[*_sentences(metrics, files)],
        tiles=[
            Tile(words_of(name), *_figures(metrics["metrics"][name]), METRICS[name].meaning)
            for name in TILES
            if metrics["metrics"][name]["value"] is not None
        ],
    )


def _chip(metrics: Mapping[str, Any]) -> tuple[str, str]:
    """The verdict in a few words, and whether it is good, poor or unknown."""
    verdict = metrics["verdict"]
    for words, state in (
        ("better than guessing", "good"),
        ("no better than guessing", "poor"),
        ("worse than guessing", "poor"),
        ("cannot be told from guessing", "unknown"),
    ):
        if verdict.startswith(words):
            return words, state if metrics["split"] != "train" else "unknown"
    return "measured", "unknown"


def _figures(estimate: Mapping[str, Any]) -> tuple[str, str]:
    return f"{estimate['value']:.3f}", f"{estimate['low']:.3f} to {estimate['high']:.3f}"


def _sentences(metrics: Mapping[str, Any], files: RunFiles) -> Iterator[str]:
    yield f"The model is {metrics['verdict']}."
    if metrics["split"] != "test":
        yield f"Measured on the {SPLITS[metrics['split']]}."
    if metrics["training"]:
        yield _training(metrics["training"])
    else:
        yield "It was trained elsewhere: if it learnt from these images, the numbers flatter it."
    if metrics["memorisation"] and not _has_findings(files):  # which say more
        yield f"In short, {metrics['memorisation']}."
    unsure = metrics.get("unsure")
    if unsure and unsure["images"]:
        yield (
            f"{unsure['images']:,} of the images ({unsure['share']:.1%}) look unlike anything it "
            "was trained on; it answers them as unsure, and they count above as answered."
        )


def _has_findings(files: RunFiles) -> bool:
    try:
        return bool(files.findings)
    except AbsentError:
        return False


def _training(training: Mapping[str, Any]) -> str:
    epochs, best = training["epochs"], training["best_epoch"]
    text = f"It was trained for {epochs:,} epoch{'s' * (epochs != 1)}"
    if training["stopped_early"]:
        text += ", stopped early"
    if best != epochs:
        text += f", and keeps its weights after epoch {best:,}"
    return f"{text}; of its training images it knows {training['metrics']['accuracy']:.1%}."
