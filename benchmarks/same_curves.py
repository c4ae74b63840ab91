"""Draws docs/pictures/same_curves.png: our epochs and Keras's `fit` on the same batches.

    python -m benchmarks.same_curves

Both start from the same weights and see the same images in the same order; the embedded
experiment, with dropout and batch normalisation added, by stochastic gradient descent. Adam's steps
are TensorFlow's own here, so it would be compared with another order of sums.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from apple_clf.config import parse_experiment
from apple_clf.config.schema import Experiment
from apple_clf.data import Dataset, load_dataset
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.training import fit

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "same_curves.png"
EXPERIMENT = """
model:
  layers:
    - {type: dense, units: 64, activation: relu}
    - {type: batch_normalization}
    - {type: dropout, rate: 0.3}
    - {type: dense, units: 32, activation: relu}
training: {epochs: 12, optimizer: momentum, learning_rate: 0.01, class_weight: {apple: 2.0}}
"""


def new_model(experiment: Experiment) -> Any:
    keras.utils.set_random_seed(experiment.seed)
    shape = experiment.preprocessing.shape
    return build_model(experiment.model, input_shape=shape, n_classes=2)


def our_history(experiment: Experiment, dataset: Dataset) -> dict[str, list[float]]:
    return fit(
        new_model(experiment),
        experiment.training,
        train=dataset.train,
        validation=dataset.validation,
        class_names=dataset.class_names,
        seed=experiment.seed,
    ).history


def keras_history(experiment: Experiment, dataset: Dataset) -> dict[str, list[float]]:
    model = new_model(experiment)
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history: dict[str, list[float]] = {}
    for epoch in range(experiment.training.epochs):
        order = np.random.default_rng([experiment.seed, epoch]).permutation(len(dataset.train))
        values = model.fit(
            dataset.train.images[order],
            dataset.train.labels[order],
            batch_size=experiment.training.batch_size,
            validation_data=(dataset.validation.images, dataset.validation.labels),
            class_weight={0: 2.0, 1: 1.0},
            shuffle=False,
            verbose=0,
        ).history
        for name, (value,) in values.items():
            history.setdefault(name, []).append(value)
    return history


def main() -> None:
    experiment = parse_experiment(EXPERIMENT, filename="same_curves")
    dataset = load_dataset(experiment.data, experiment.preprocessing, seed=experiment.seed)
    ours, theirs = our_history(experiment, dataset), keras_history(experiment, dataset)
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for prefix, colour in (("", "#0072B2"), ("val_", "#D55E00")):
            key = prefix + name
            gap = np.max(np.abs(np.subtract(ours[key], theirs[key])))
            print(f"{key}: largest gap {gap:.2g}")
            epochs = range(1, len(ours[key]) + 1)
            axes.plot(epochs, theirs[key], color=colour, linewidth=5, alpha=0.3)
            axes.plot(epochs, ours[key], color=colour, linewidth=1.2)
        axes.set_title(name.capitalize(), loc="left")
        axes.set_xlabel("Epoch (broad: Keras fit, thin: ours)")
    figure.savefig(PICTURE, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
