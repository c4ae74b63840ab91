"""What a comparison needs to know of a finished run, or the error that names what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray, IntArray
from apple_clf.comparison.experiments import Tree, read_experiment
from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.metrics.intervals import Estimate
from apple_clf.runs import Run
from apple_clf.runs.files import (
    Predictions,
    UnreadableFileError,
    read_dataset,
    read_metrics,
    read_predictions,
)


@dataclass(frozen=True)
class Answers:
    """The rows of predictions.csv."""

    files: tuple[str, ...]
    labels: IntArray  # class codes, (n,)
    correct: BoolArray  # (n,)
    probabilities: FloatArray  # (n, n_classes)

    def ordered(self, order: IntArray) -> "Answers":
        """The same in another order."""
        return Answers(
            tuple(self.files[i] for i in order.tolist()),
            self.labels[order],
            self.correct[order],
            self.probabilities[order],
        )


@dataclass(frozen=True)
class Judged:
    """A finished run as a comparison sees it."""

    run: Run
    label: str  # tells it from the others
    metrics: Mapping[str, Estimate]
    split: str
    class_names: tuple[str, ...]
    source: str
    fingerprint: str
    images: Mapping[str, int]  # by split
    answers: Answers
    experiment: Tree | None  # None: trained elsewhere

    @property
    def n_images(self) -> int:
        """Images that it was judged on."""
        return len(self.answers.labels)


def read_judged(run: Run, *, label: str) -> Judged:
    """What a finished run says of itself.

    Args:
        run: trained here or imported.
        label: how messages name it.

    Raises:
        ArtifactError: it is not finished, or a file is missing or damaged.
    """
    where = printable(run.path)
    if not run.is_finished:
        raise ArtifactError(
            f"{where}: its training is not over, so there is nothing to compare. "
            f"Go on with it: apple-clf resume {quote(where)}"
        )
    file = run.metrics
    try:
        content = read_metrics(run)
        names = tuple(content["confusion_matrix"]["class_names"])
        estimates = {name: Estimate(**each) for name, each in content["metrics"].items()}
        split = content["split"]
        file = run.dataset
        data = read_dataset(run)
        images = {name: sum(counts.values()) for name, counts in data["images"].items()}
        source, fingerprint = data["source"], data["fingerprint"]
        file = run.predictions
        answers = _answers(read_predictions(run, names))
        file = run.resolved
        experiment = None if run.imported.exists() else read_experiment(file)
    except UnreadableFileError as error:
        raise _not_compared(where, file.name, error.reason) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _not_compared(where, file.name, "it is damaged") from error
    return Judged(
        *(run, label, estimates, split, names, source, fingerprint, images, answers, experiment)
    )


def _not_compared(where: str, name: str, reason: str) -> ArtifactError:
    return ArtifactError(
        f"{where}: cannot be compared, as {name} cannot be read: {reason}. "
        "Train it again, or leave it out."
    )


def _answers(found: Predictions) -> Answers:
    return Answers(
        files=found.files,
        labels=found.labels,
        correct=found.labels == found.predicted,
        probabilities=found.y_prob,
    )


def on_same_images(runs: list[Judged]) -> list[Answers] | None:
    """The answers of several runs, a row the same image in all; None if they saw different ones.

    Images are the same if the runs' data are, or if their names and labels are and names stand for
    files. Of generated images a name says nothing.
    """
    first = runs[0]
    if any(run.class_names != first.class_names or run.split != first.split for run in runs):
        return None
    if len({run.fingerprint for run in runs}) == 1:
        return [run.answers for run in runs]
    if not all(_names_are_files(run.source) for run in runs):
        return None
    found = [_by_name(run.answers) for run in runs]
    same = all(
        each.files == found[0].files and np.array_equal(each.labels, found[0].labels)
        for each in found
    )
    return found if same and len(set(found[0].files)) == len(found[0].files) else None


def _names_are_files(source: str) -> bool:
    from apple_clf.config.schema.data import SOURCES  # pydantic, which most comparisons can spare

    return source in SOURCES and SOURCES[source].names_are_files


def _by_name(answers: Answers) -> Answers:
    return answers.ordered(
        np.array(sorted(range(len(answers.files)), key=answers.files.__getitem__))
    )
