"""Predictor + labelled images -> metrics with intervals, predictions and pictures."""

import io
from dataclasses import asdict, dataclass
from functools import cached_property

from apple_clf import metrics
from apple_clf.arrays import FloatArray, IntArray
from apple_clf.csv_rows import csv_writer
from apple_clf.datasets import Split
from apple_clf.inference import Predictor
from apple_clf.metrics import Estimate
from apple_clf.metrics.curves import confusion_matrix


@dataclass(frozen=True)
class Evaluation:
    """A model's answers to labelled images, and how good they are."""

    class_names: tuple[str, ...]
    positive_class: str
    split: Split
    probabilities: FloatArray  # (n, n_classes)
    predicted: IntArray  # class codes, (n,)
    estimates: dict[str, Estimate]

    @cached_property
    def confusion(self) -> IntArray:
        """Counts, (n_classes, n_classes): a row per true class, a column per predicted one."""
        return confusion_matrix(self.split.labels, self.predicted, n_classes=len(self.class_names))

    @property
    def verdict(self) -> str:
        """One sentence: better than guessing, or not."""
        return metrics.verdict(self.estimates["balanced_accuracy"], n_classes=self._n_present)

    def memorisation(self, on_training: float) -> str | None:
        """One sentence if the training images are known far better than these, else None.

        Args:
            on_training: balanced accuracy on the training images.
        """
        return metrics.memorisation(
            on_training, self.estimates["balanced_accuracy"], n_classes=self._n_present
        )

    @property
    def _n_present(self) -> int:
        return len(set(self.split.labels.tolist()))

    def describe(self) -> dict[str, object]:
        """The evaluation as JSON shows it."""
        return {
            "n_images": len(self.split),
            "verdict": self.verdict,
            "positive_class": self.positive_class,
            "metrics": {name: asdict(estimate) for name, estimate in self.estimates.items()},
            "confusion_matrix": {
                "class_names": self.class_names,
                "rows_are": "true classes",
                "counts": self.confusion.tolist(),
            },
        }

    def predictions_csv(self) -> str:
        """A row per image: file, label, class, probability and every class's probability."""
        text = io.StringIO()
        writer = csv_writer(text)
        columns = [f"probabilities.{name}" for name in self.class_names]
        writer.writerow(["file", "label", "class", "probability", *columns])
        rows = zip(
            self.split.names,
            self.split.labels.tolist(),
            self.predicted.tolist(),
            self.probabilities,
            strict=True,
        )
        for name, label, predicted, row in rows:
            answer = (self.class_names[label], self.class_names[predicted], row[predicted])
            writer.writerow([name, *answer, *row])
        return text.getvalue()


def evaluate(predictor: Predictor, split: Split) -> Evaluation:
    """The evaluation of a model on labelled images.

    Args:
        predictor: the model.
        split: at least one image, labelled with the model's class codes.
    """
    record = predictor.record
    probabilities = predictor.predict(split.images)
    return Evaluation(
        class_names=record.class_names,
        positive_class=record.positive_class,
        split=split,
        probabilities=probabilities,
        predicted=predictor.decide(probabilities),
        estimates=metrics.evaluate(
            split.labels, probabilities, positive=record.positive, threshold=record.threshold
        ),
    )


def evaluate_briefly(predictor: Predictor, split: Split) -> dict[str, float]:
    """Accuracy, balanced accuracy and log loss on labelled images, without intervals."""
    probabilities = predictor.predict(split.images)
    predicted = predictor.decide(probabilities)
    return {
        "accuracy": metrics.accuracy(split.labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy(split.labels, predicted),
        "log_loss": metrics.log_loss(split.labels, probabilities),
    }


def draw(evaluation: Evaluation) -> dict[str, bytes]:
    """PNG pictures of an evaluation, by name."""
    from apple_clf import plots

    y_true, y_prob = evaluation.split.labels, evaluation.probabilities
    names = evaluation.class_names
    return {
        "confusion_matrix": plots.confusion_matrix_plot(evaluation.confusion, names),
        "roc": plots.roc_plot(
            y_true, y_prob, class_names=names, positive=names.index(evaluation.positive_class)
        ),
        "reliability": plots.reliability_plot(y_true, y_prob),
        "mistakes": plots.mistakes_gallery(
            evaluation.split.images,
            y_true,
            y_prob,
            names=[name.rpartition("/")[2] for name in evaluation.split.names],
            class_names=names,
        ),
    }


def draw_history(history: dict[str, list[float]], *, best_epoch: int | None) -> bytes:
    """A PNG of loss and accuracy through the epochs."""
    from apple_clf import plots

    return plots.learning_curves(history, best_epoch=best_epoch)
