"""Predictor + labelled images -> metrics with intervals, predictions and pictures."""

import io
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from apple_clf import metrics
from apple_clf.arrays import BoolArray, FloatArray, IntArray
from apple_clf.data import Split
from apple_clf.io.csv_rows import csv_writer
from apple_clf.metrics import Estimate
from apple_clf.metrics.curves import confusion_matrix
from apple_clf.prediction.decision.calibration import softmax
from apple_clf.prediction.inference import Predictor
from apple_clf.runs.gallery import Gallery, choose


@dataclass(frozen=True)
class Evaluation:
    """A model's answers to labelled images, and how good they are."""

    class_names: tuple[str, ...]
    positive_class: str
    split: Split
    probabilities: FloatArray  # (n, n_classes)
    as_trained: FloatArray  # the same before calibration, (n, n_classes)
    predicted: IntArray  # class codes, (n,)
    unsure: BoolArray  # (n,)
    estimates: dict[str, Estimate]  # on all images, the unsure ones too

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

    def as_dict(self) -> dict[str, object]:
        """The evaluation as JSON shows it."""
        return {
            "n_images": len(self.split),
            "verdict": self.verdict,
            "positive_class": self.positive_class,
            "metrics": {name: asdict(estimate) for name, estimate in self.estimates.items()},
            "calibration_error": self.calibration_error,
            "unsure": self.unsure_as_dict(),
            "confusion_matrix": {
                "class_names": self.class_names,
                "rows_are": "true classes",
                "counts": self.confusion.tolist(),
            },
        }

    @property
    def calibration_error(self) -> dict[str, float]:
        """Expected calibration error of the probabilities as trained, and calibrated."""
        return {
            name: metrics.expected_calibration_error(self.split.labels, y_prob)
            for name, y_prob in (
                ("as_trained", self.as_trained),
                ("calibrated", self.probabilities),
            )
        }

    def unsure_as_dict(self) -> dict[str, object]:
        """How many images were answered `unsure`, and the accuracy on the others, as JSON."""
        sure = ~self.unsure
        right = self.predicted[sure] == self.split.labels[sure]
        return {
            "images": int(self.unsure.sum()),
            "share": float(self.unsure.mean()),
            "accuracy_of_the_others": float(right.mean()) if right.size else None,
        }

    def predictions_csv(self) -> str:
        """A row per image: file, label, class, its and all probabilities, and if it is unsure."""
        text = io.StringIO()
        writer = csv_writer(text)
        columns = [f"probabilities.{name}" for name in self.class_names]
        writer.writerow(["file", "label", "class", "probability", *columns, "unsure"])
        rows = zip(
            self.split.names,
            self.split.labels.tolist(),
            self.predicted.tolist(),
            self.probabilities,
            self.unsure.tolist(),
            strict=True,
        )
        for name, label, predicted, row, unsure in rows:
            answer = (self.class_names[label], self.class_names[predicted], row[predicted])
            writer.writerow([name, *answer, *row, str(unsure).lower()])
        return text.getvalue()

    def gallery(self, *, threshold: float | None) -> Gallery:
        """The images worth looking at.

        Args:
            threshold: of the positive class' probability; None for more than two classes.
        """
        return choose(
            self.split.images,
            self.split.labels,
            self.probabilities,
            y_pred=self.predicted,
            unsure=self.unsure,
            positive=self.class_names.index(self.positive_class),
            threshold=threshold,
        )


def evaluate(predictor: Predictor, split: Split) -> Evaluation:
    """The evaluation of a model on labelled images.

    Args:
        predictor: the model.
        split: at least one image, labelled with the model's class codes.
    """
    record = predictor.record
    logits, novelty = predictor.outputs(split.images)
    probabilities = predictor.probabilities(logits)
    return Evaluation(
        class_names=record.class_names,
        positive_class=record.positive_class,
        split=split,
        probabilities=probabilities,
        as_trained=softmax(logits).astype(np.float32),
        predicted=predictor.decide(probabilities),
        unsure=predictor.unsure(novelty),
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
    same = np.array_equal(y_prob, evaluation.as_trained)
    return {
        "confusion_matrix": plots.confusion_matrix_plot(evaluation.confusion, names),
        "roc": plots.roc_plot(
            y_true, y_prob, class_names=names, positive=names.index(evaluation.positive_class)
        ),
        "reliability": plots.reliability_plot(
            y_true, y_prob, as_trained=None if same else evaluation.as_trained
        ),
        "mistakes": plots.mistakes_gallery(
            evaluation.split.images,
            y_true,
            y_prob,
            y_pred=evaluation.predicted,
            names=[name.rpartition("/")[2] for name in evaluation.split.names],
            class_names=names,
        ),
    }
