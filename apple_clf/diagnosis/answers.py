"""What the answers say: always the same class, no better than a coin, surer than they should be."""

from apple_clf.config.schema import GeneratedData, NoiseData
from apple_clf.diagnosis.edits import Edit, first_valid
from apple_clf.diagnosis.finding import Finding, Severity
from apple_clf.diagnosis.record import Record
from apple_clf.diagnosis.rule import Rule

HARDLY_NAMED = 0.1
"""How often a class is named over how often it is there."""

RARE = 0.5
"""Share of a class over an equal share. A class that is no rarer is ignored for another reason: a
network that only guesses may as well always say the same."""

HIDDEN = 0.1
"""Accuracy minus balanced accuracy."""

ONE_SIDED = 0.75
"""Share of the largest class from which on accuracy alone misleads."""

UNCALIBRATED, SURELY = 0.1, 0.05
"""Expected calibration error, and the low end of its interval. Some hundred images measure up to
0.05 of an ideal model."""

USUAL_SIZE = 28


def class_collapse(record: Record) -> Finding | None:
    """A class that is there and hardly ever named."""
    if record.metrics is None:
        return None
    matrix = record.metrics["confusion_matrix"]
    there = [sum(row) for row in matrix["counts"]]
    named = [sum(column) for column in zip(*matrix["counts"], strict=True)]
    ignored = [i for i, n in enumerate(there) if n and named[i] < HARDLY_NAMED * n]
    if not ignored:
        return None
    rarest = min(ignored, key=lambda i: named[i] / there[i])
    share = record.images["train"][matrix["class_names"][rarest]] / record.n_train
    if share > RARE * record.chance and guesses(record):
        return None
    return Finding(
        "class_collapse",
        Severity.problem,
        {
            "class": matrix["class_names"][rarest],
            "times_it_was_there": there[rarest],
            "times_it_was_named": named[rarest],
            "share_of_it_in_training": share,
        },
        "The network hardly ever predicts this class, whatever the picture. If a class is rare, "
        "ignoring it costs little: give each class the same weight in the loss, and choose the "
        "threshold on the validation images.",
        first_valid(record.experiment, *_count_alike(record)),
    )


def guesses(record: Record) -> bool:
    """Whether the interval of balanced accuracy covers that of guessing, or lies below."""
    new = record.measured("balanced_accuracy")
    return new is not None and new.low <= record.chance


def no_better_than_guessing(record: Record) -> Finding | None:
    """Balanced accuracy whose interval covers that of guessing."""
    new = record.measured("balanced_accuracy")
    if new is None or not guesses(record):
        return None
    return Finding(
        "no_better_than_guessing",
        Severity.problem,
        {
            "balanced_accuracy": new.value,
            "its_interval_from": new.low,
            "of_guessing": record.chance,
            "on_training_images": record.on_training("balanced_accuracy"),
        },
        "On new images the network does no better than guessing: it found nothing that tells the "
        "classes apart. Perhaps the pictures do not show it, are too small, or have wrong labels.",
        first_valid(record.experiment, *_something_to_see(record)),
    )


def imbalance_hidden_in_accuracy(record: Record) -> Finding | None:
    """A high accuracy that comes from a large class."""
    plain, balanced = record.measured("accuracy"), record.measured("balanced_accuracy")
    if plain is None or balanced is None or record.majority < ONE_SIDED:
        return None
    if plain.value - balanced.value < HIDDEN:
        return None
    return Finding(
        "imbalance_hidden_in_accuracy",
        Severity.warning,
        {
            "accuracy": plain.value,
            "balanced_accuracy": balanced.value,
            "share_of_the_largest_class_in_training": record.majority,
        },
        "The accuracy looks good because most images belong to one class; many of the rare class "
        "are missed. Judge by balanced accuracy, and get more images of the rare class, or give "
        "each class the same weight.",
        first_valid(record.experiment, ("data.apple_fraction=0.5",), *_count_alike(record)),
    )


def uncalibrated(record: Record) -> Finding | None:
    """Probabilities that are not as often right as they say."""
    error = record.measured("expected_calibration_error")
    if error is None or not record.has_held_out:
        return None
    if error.value < UNCALIBRATED or error.low < SURELY:
        return None
    return Finding(
        "uncalibrated",
        Severity.hint,
        {
            "expected_calibration_error": error.value,
            "its_interval_from": error.low,
            "loss": record.experiment.training.loss.type,
        },
        "Of the answers with a probability of 80 %, the share that is right is far from 80 %, so "
        "the probabilities cannot be trusted. A temperature fitted to the validation images, and "
        "plain cross-entropy as the loss, fix that.",
        first_valid(record.experiment, *_honest(record)),
    )


def _count_alike(record: Record) -> tuple[Edit, ...]:
    """Classes that weigh the same, and a threshold chosen for that where it can be."""
    weight = ("training.class_weight=balanced",)
    if record.n_classes > 2 or not any(record.images["validation"].values()):
        return (weight,)
    return (*weight, "decision.threshold=balanced_accuracy"), weight


def _something_to_see(record: Record) -> tuple[Edit, ...]:
    experiment = record.experiment
    if isinstance(experiment.data, NoiseData):
        return (("data.source=simulated",),)
    if min(experiment.preprocessing.image_size) < USUAL_SIZE:
        return ((f"preprocessing.image_size=[{USUAL_SIZE}, {USUAL_SIZE}]",),)
    return (("model.units=[64, 32]", "model.activation=relu"),)


def _honest(record: Record) -> tuple[Edit, ...]:
    """A temperature and images to fit it to, where they are missing, or plain cross-entropy."""
    experiment = record.experiment
    generated = isinstance(experiment.data, GeneratedData)
    edit: list[str] = []
    if not any(record.images["validation"].values()):
        images = "data.validation_samples=500" if generated else "data.validation_split=0.15"
        edit.append(images)
    if experiment.decision.calibration is None:
        edit.append("decision.calibration=temperature")
    return tuple(edit), ("training.loss=sparse_categorical_crossentropy",)


ANSWER_RULES = (
    Rule(
        class_collapse,
        seen="a class predicted less than a tenth as often as it occurs",
        explains=("no_better_than_guessing", "underfitting"),
    ),
    Rule(
        no_better_than_guessing,
        seen="an interval that includes guessing, without another finding that explains it",
        explains=("underfitting",),
    ),
    Rule(
        imbalance_hidden_in_accuracy,
        seen="accuracy 0.1 above balanced accuracy, and one large class",
        explains=("underfitting", "overfitting"),
    ),
    Rule(
        uncalibrated,
        seen="a calibration error of 0.1 or more",
    ),
)
