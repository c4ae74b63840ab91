"""What kind the pictures are, and whether the network fits it: photos are no drawings."""

from apple_clf.config.photo_network import photo_layers, photo_size
from apple_clf.config.schema.layers import Residual
from apple_clf.config.schema.model import Layer
from apple_clf.diagnosis.answers import guesses
from apple_clf.diagnosis.edits import Edit, first_valid, layers_edit
from apple_clf.diagnosis.finding import Finding, Severity
from apple_clf.diagnosis.record import Record
from apple_clf.diagnosis.rule import STUCK, Rule

MOSTLY = 0.5
"""Share of the pictures from which on they are photos, or in colour."""

GOOD = 0.8
"""Skill on new images, 0.9 right of two classes, from which on the network fits all the same."""

EPOCHS = 60


def network_for_drawings(record: Record) -> Finding | None:
    """Photos in colour that a network without convolutions sees in gray."""
    new, appearance = record.measured("balanced_accuracy"), record.appearance
    if new is None or appearance is None:
        return None
    if appearance["photos"] < MOSTLY or appearance["in_colour"] < MOSTLY:
        return None
    experiment = record.experiment
    if experiment.preprocessing.color_mode == "rgb" or any(map(_slides, experiment.model.layers)):
        return None
    if (new.value - record.chance) / (1 - record.chance) >= GOOD:
        return None
    return Finding(
        "network_for_drawings",
        Severity.problem if guesses(record) else Severity.warning,
        {
            "share_of_photos": appearance["photos"],
            "share_with_colour": appearance["in_colour"],
            "balanced_accuracy": new.value,
            "of_guessing": record.chance,
        },
        "The images are colour photos, but the network gets them in gray, and its dense layers "
        "treat each pixel separately. Use colour, and convolutions, which find a pattern anywhere "
        "in the picture.",
        first_valid(experiment, _for_photos(record)),
    )


def _slides(layer: Layer) -> bool:
    """Whether a layer is a convolution or holds one."""
    if isinstance(layer, Residual):
        return any(map(_slides, layer.layers))
    return layer.takes == "pictures" and bool(layer.initializers)


def _for_photos(record: Record) -> Edit:
    """Colour, convolutions and a training long enough for them, as configs/photos.yaml."""
    assert record.appearance is not None, "there are no photos"
    training = record.experiment.training
    size = photo_size(record.appearance["side"])
    edit = [
        f"preprocessing={{image_size: [{size}, {size}], color_mode: rgb, resize: crop, "
        "polarity: as_is}",
        *layers_edit(photo_layers(size)),
        "training.optimizer={type: adamw, weight_decay: 0.02}",
        "training.learning_rate={type: cosine, initial: 0.002, warmup_epochs: 3}",
        "training.batch_size=16",
        f"training.epochs={max(EPOCHS, training.epochs)}",
    ]
    if training.early_stopping is not None:
        edit.append("training.early_stopping=null")
    if training.reduce_on_plateau is not None:
        edit.append("training.reduce_on_plateau=null")
    return tuple(edit)


PICTURE_RULES = (
    Rule(
        network_for_drawings,
        seen="colour photos, converted to gray for a network without convolutions, and accuracy "
        "below 0.9 (two classes)",
        explains=("random_labels", "overfitting", "dead_relus", *STUCK),
    ),
)
