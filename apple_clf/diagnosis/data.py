"""What the numbers say of the data: labels that mean nothing, a test that is too easy."""

from apple_clf.config.schema import NoiseData
from apple_clf.diagnosis.edits import first_valid
from apple_clf.diagnosis.finding import Finding, Severity
from apple_clf.diagnosis.record import Record
from apple_clf.diagnosis.rule import POOR_ANSWERS, Rule

MEMORISED = 0.1
"""Balanced accuracy lost on new images from which on a network has learnt by heart; metrics.json
draws the line there too."""

WELL_KNOWN_CHANCE = 0.15
"""An interval that reaches further than this above guessing leaves open whether anything was
learnt: then a small test set is the trouble, not the labels."""

TOO_GOOD = 0.02
"""How far the whole interval on new images lies above the training images. Chance alone puts it
there once in forty runs; this margin makes that rare."""


def memorised(record: Record) -> bool:
    """Whether the training images are known far better than new ones."""
    new = record.measured("balanced_accuracy")
    if new is None or not record.has_held_out:
        return False
    return record.on_training("balanced_accuracy") > max(new.high, new.value + MEMORISED)


def random_labels(record: Record) -> Finding | None:
    """Learnt by heart, and worth nothing on new images."""
    new = record.measured("balanced_accuracy")
    if new is None or not memorised(record):
        return None
    if new.low > record.chance or new.high > record.chance + WELL_KNOWN_CHANCE:
        return None
    noise = isinstance(record.experiment.data, NoiseData)
    return Finding(
        "random_labels",
        Severity.problem,
        {
            "balanced_accuracy_on_training_images": record.on_training("balanced_accuracy"),
            "on_new_images": new.value,
            "of_guessing": record.chance,
        },
        "On its training images the network reaches a balanced accuracy of "
        f"{100 * record.on_training('balanced_accuracy'):.0f} %, on new ones it only guesses: the "
        "labels have nothing to do with the pictures, as if they were random or shuffled. "
        + (
            "That is how this data source is made: noise with random labels, to show just this."
            if noise
            else "Look at the labels first (apple-clf data check); no setting can make up for them."
        ),
        first_valid(record.experiment, ("data.source=simulated",)) if noise else (),
    )


def leak_suspected(record: Record) -> Finding | None:
    """New images answered better than those it was trained on."""
    new = record.measured("balanced_accuracy")
    if new is None or not record.has_held_out:
        return None
    known = record.on_training("balanced_accuracy")
    if new.low <= known + TOO_GOOD:
        return None
    return Finding(
        "leak_suspected",
        Severity.warning,
        {"balanced_accuracy_on_new_images": new.value, "on_training_images": known},
        "It does better on new images than on its training images, and chance does not explain "
        "that. The new images may be copies of a few easy pictures, or some training labels wrong. "
        "Look for copies and wrong labels (apple-clf data check) before you trust the result.",
    )


DATA_RULES = (
    Rule(
        random_labels,
        seen="training images memorised, new images only guessed",
        explains=("overfitting", "stopped_too_early", *POOR_ANSWERS),
    ),
    Rule(
        leak_suspected,
        seen="new images answered better than the training images",
        explains=("underfitting", "stopped_too_early"),
    ),
)
