"""Run + one picture -> why the network answers what it answers, number by number."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.arrays import UInt8Array
from apple_clf.errors import AppleClfError, ArtifactError, ConfigError, DataError, ImageError
from apple_clf.explanation.attribution import attribute
from apple_clf.explanation.first_layer import first_weights
from apple_clf.explanation.nearest import load_training_data, nearest_images
from apple_clf.explanation.neuron import choose_neuron, weighted_sum
from apple_clf.explanation.record import (
    Decision,
    Explanation,
    Nearest,
    SoftmaxRow,
)
from apple_clf.explanation.units import layer_views
from apple_clf.images import loading
from apple_clf.io.files import portable, printable
from apple_clf.prediction.inference import Outputs, Predictor
from apple_clf.runs import Run

if TYPE_CHECKING:
    from apple_clf.explanation.keras_backend import Network
    from apple_clf.runs.model_record import ModelRecord

__all__ = ["Explanation", "explain"]


def explain(
    run: Run,
    file: str,
    *,
    label: str | None = None,
    layer: str | None = None,
    unit: int | None = None,
) -> Explanation:
    """How a run's network comes to its answer about one picture.

    The answer and its probabilities are those of `predict`, from the LiteRT file. What happens
    inside is computed by the Keras file of the same weights.

    Args:
        run: finished.
        file: the picture.
        label: its true class; if left out, the folder it lies in, should that be named like one.
        layer: the neuron to compute in full: number of its layer from 1, or name.
        unit: its number from 0.

    Raises:
        ConfigError: there is no such class, layer or unit.
        DataError: the file is not a usable picture.
        ArtifactError: the run has no usable model.
    """
    predictor = Predictor.load(run)
    record = predictor.record
    label = _label(label, file, record)
    loaded = _load(file, record)
    pixels = loaded.pixels
    (answer,) = predictor.answer_prepared([portable(file)], [pixels])
    network = _network(run, record)
    forward = network.forward(pixels)
    code = record.class_names.index(str(answer.class_name))
    features = forward.entering(network.output)
    views = layer_views(
        network,
        forward,
        contributions=features * np.asarray(network.output.layer.kernel)[:, code],
    )
    place, chosen = choose_neuron(network, views, layer=layer, unit=unit)
    nearest, notes = _nearest(run, pixels, network)
    return Explanation(
        run=portable(run.path),
        answer=answer.as_dict(),
        pixels=pixels,
        steps=loaded.steps,
        layers=views,
        neuron=weighted_sum(network, forward, step=network.steps[place], unit=chosen),
        output=weighted_sum(network, forward, step=network.output, unit=code),
        decision=_decision(predictor, predictor.outputs(pixels[None])),
        label=label,
        backward=None
        if label is None
        else network.backward(pixels, label=label, code=record.class_names.index(label)),
        attribution=attribute(network, pixels, code=code, class_name=str(answer.class_name)),
        first_weights=first_weights(network, views),
        nearest=nearest,
        notes=((f"{loaded.note}.",) if loaded.note else ()) + notes,
    )


def _label(asked: str | None, file: str, record: "ModelRecord") -> str | None:
    names = record.class_names
    if asked is not None and asked not in names:
        raise ConfigError(
            f"--label {asked!r} is not a class of the model. "
            f"It knows {', '.join(map(printable, names))}."
        )
    folder = portable(Path(file).absolute().parent.name)
    return asked if asked is not None else folder if folder in names else None


def _load(file: str, record: "ModelRecord") -> loading.Loaded:
    """The picture, read once for the answer and for what happens inside."""
    try:
        return loading.load(file, record.preprocessing)
    except ImageError as error:
        raise DataError(f"{printable(file)}: {error}") from error


def _network(run: Run, record: "ModelRecord") -> "Network":
    """The Keras model, which fits what prediction uses."""
    from apple_clf.explanation.keras_backend import Network
    from apple_clf.model.keras_file.loading import load_keras_model

    model = load_keras_model(run)
    shape = tuple(model.input_shape[1:])
    if shape != record.preprocessing.shape:
        raise ArtifactError(
            f"{printable(run.keras_model)}: the model takes images of shape {shape}, but its "
            f"model.json says {record.preprocessing.shape}. Copy the run again, or train again."
        )
    return Network(model, n_classes=len(record.class_names))


def _decision(predictor: Predictor, outputs: Outputs) -> Decision:
    """The softmax of one picture written out."""
    record = predictor.record
    probabilities = predictor.probabilities(outputs.logits)[0]
    scaled = outputs.logits[0].astype(np.float64) / record.temperature
    rows = zip(
        record.class_names,
        outputs.logits[0].tolist(),
        scaled.tolist(),
        np.exp(scaled - scaled.max()).tolist(),
        probabilities.tolist(),
        strict=True,
    )
    return Decision(
        temperature=record.temperature,
        softmax=tuple(SoftmaxRow(*row) for row in rows),
        positive_class=record.positive_class,
        threshold=record.threshold,
        novelty=float(outputs.novelty[0]),
        novelty_threshold=record.novelty_threshold,
        unsure=bool(predictor.unsure(outputs.novelty)[0]),
    )


def _nearest(
    run: Run, pixels: UInt8Array, network: "Network"
) -> tuple[Nearest | None, tuple[str, ...]]:
    """The training images most alike; what keeps them from being shown is not a reason to stop."""
    try:
        dataset = load_training_data(run)
    except AppleClfError as error:
        return None, (f"No training images to compare with: {error}",)
    return nearest_images(pixels, dataset, features=network.features), ()
