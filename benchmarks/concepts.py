"""Draws docs/pictures/concepts: what docs/concepts.md speaks of, from real trainings.

    python -m benchmarks.concepts

The pictures of lessons are those that `apple-clf lesson run` draws. The others look into one small
network, that of the lesson learning-rate with the right rate.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apple_clf.config import load_experiment
from apple_clf.data import Dataset, load_dataset
from apple_clf.lessons import list_lessons, teach
from apple_clf.model.backend import keras, tf
from apple_clf.model.building import build_model
from apple_clf.plots.drawing import COLORS, FAINT, house_style, new_figure, png
from apple_clf.training import fit

FOLDER = Path(__file__).parents[1] / "docs" / "pictures" / "concepts"
LESSONS = FOLDER.parents[2] / "configs" / "lessons"
NETWORK = LESSONS / "learning-rate" / "right.yaml"
ACTIVATIONS = ("relu", "sigmoid", "tanh")


def trained(*overrides: str) -> tuple[Any, Any, Dataset]:
    """The network before and after its training, and its data."""
    experiment = load_experiment(NETWORK, overrides)
    dataset = load_dataset(experiment.data, experiment.preprocessing, seed=experiment.seed)
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(experiment.seed)
        shape = experiment.preprocessing.shape
        models.append(build_model(experiment.model, input_shape=shape, n_classes=2))
    fit(
        models[1],
        experiment.training,
        train=dataset.train,
        validation=dataset.validation,
        class_names=dataset.class_names,
        seed=experiment.seed,
    )
    return models[0], models[1], dataset


def hidden_outputs(model: Any, images: Any) -> Any:
    """Outputs of the hidden layer, (n, units)."""
    layer = next(layer for layer in model.layers if hasattr(layer, "kernel"))
    return keras.Model(model.inputs[0], layer.output)(images).numpy()


def draw_weights(before: Any, after: Any) -> bytes:
    """The 144 weights of 16 hidden neurons as pictures, at the start and at the end."""
    kernels = [
        next(layer for layer in model.layers if hasattr(layer, "kernel")).kernel.numpy()
        for model in (before, after)
    ]
    limit = np.quantile(np.abs(kernels[1]), 0.995)
    with house_style():
        figure = new_figure(height=160)
        for row, (kernel, words) in enumerate(zip(kernels, ("before", "after"), strict=True)):
            figure.text(0.01, 0.7 - 0.46 * row, words)
            for unit in range(16):
                axes = figure.add_axes((0.075 + unit * 0.0575, 0.53 - 0.46 * row, 0.053, 0.4))
                picture = kernel[:, unit].reshape(12, 12)
                axes.imshow(picture, cmap="RdBu_r", vmin=-limit, vmax=limit)
                axes.set_axis_off()
        return png(figure)


def draw_activations() -> bytes:
    """What the hidden neurons of a trained network give for 1,000 pictures, by activation."""
    with house_style():
        figure = new_figure(height=260)
        for i, activation in enumerate(ACTIVATIONS):
            override = f"model.layers.0.activation={activation}"
            _, model, dataset = trained(override)
            outputs = hidden_outputs(model, dataset.test.images).ravel()
            axes = figure.add_axes((0.07 + i * 0.325, 0.2, 0.265, 0.65), title=activation)
            counts, edges = np.histogram(outputs, bins=60)
            axes.stairs(100 * counts / outputs.size, edges, fill=True, color=COLORS[i])
            axes.set(xlabel="Output of a hidden neuron", yscale="log", ylim=(0.03, 100))
            axes.set_yticks([0.1, 1, 10, 100], ["0.1 %", "1 %", "10 %", "100 %"], fontsize=8)
            print(f"{activation}: {np.mean(outputs == 0):.2f} of the outputs are exactly 0")
        return png(figure)


def draw_forward_pass(model: Any, dataset: Dataset) -> bytes:
    """One apple on its way: pixels, hidden outputs, probabilities."""
    probabilities = tf.nn.softmax(logits_of(model, dataset.test.images)).numpy()
    apples = np.flatnonzero(dataset.test.labels == 0)
    at = int(apples[np.argsort(probabilities[apples, 0])[len(apples) // 2]])  # an ordinary one
    hidden = hidden_outputs(model, dataset.test.images[at : at + 1])[0]
    with house_style():
        figure = new_figure(height=240)
        left = figure.add_axes((0.03, 0.15, 0.22, 0.7), title="144 pixels")
        left.imshow(dataset.test.images[at, ..., 0], cmap="gray", vmin=0, vmax=255)
        left.set_axis_off()
        middle = figure.add_axes((0.33, 0.15, 0.36, 0.7), title="32 hidden neurons")
        middle.bar(range(len(hidden)), hidden, color=COLORS[0])
        middle.set_xticks([])
        right = figure.add_axes((0.77, 0.15, 0.2, 0.7), title="2 probabilities")
        bars = right.bar(dataset.class_names, probabilities[at], color=COLORS[1])
        right.bar_label(bars, fmt="%.3f")
        right.set(ylim=(0, 1.1), yticks=[])
        return png(figure)


def logits_of(model: Any, images: Any) -> Any:
    """Logarithms of a model's softmax, which differ from its logits by a constant."""
    return tf.math.log(model(images) + 1e-12)


def draw_gradient(model: Any, dataset: Dataset) -> bytes:
    """The loss as one weight moves, and the slope that backpropagation gives at its place."""
    output = model.layers[-1] if hasattr(model.layers[-1], "kernel") else model.layers[-2]
    images, labels = dataset.train.images[:256], dataset.train.labels[:256]

    def loss() -> Any:
        return tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(labels, model(images, training=False))
        )

    with tf.GradientTape() as tape:
        value = loss()
    slopes = tape.gradient(value, output.kernel.value).numpy()
    at = np.unravel_index(np.argmax(np.abs(slopes)), slopes.shape)
    start = output.kernel.numpy()
    places = start[at] + np.linspace(-2, 2, 41)
    losses = []
    for place in places:
        moved = start.copy()
        moved[at] = place
        output.kernel.assign(moved)
        losses.append(float(loss()))
    output.kernel.assign(start)
    tangent = float(value) + slopes[at] * (places - start[at])
    with house_style():
        figure = new_figure(height=260)
        axes = figure.add_axes((0.1, 0.2, 0.54, 0.72))
        axes.plot(places, losses, color=COLORS[0])
        near = np.abs(places - start[at]) < 0.8
        axes.plot(places[near], tangent[near], "--", color=COLORS[1])
        axes.plot(start[at], float(value), "o", color=COLORS[1], markersize=9)
        axes.set(xlabel="One weight of the output layer", ylabel="Loss of 256 pictures")
        figure.text(0.67, 0.75, "tried one by one", color=COLORS[0])
        figure.text(0.67, 0.62, f"backpropagation: slope {slopes[at]:.3f}", color=COLORS[1])
        tried = (losses[21] - losses[19]) / (places[21] - places[19])
        figure.text(0.67, 0.54, f"between two tries: {tried:.3f}", color=FAINT)
        return png(figure)


def save(name: str, picture: bytes) -> None:
    """Writes a picture in 128 colours, which takes a third of the room and looks the same."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(128)
    image.save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    before, after, dataset = trained()
    save("weights", draw_weights(before, after))
    save("forward_pass", draw_forward_pass(after, dataset))
    save("gradient", draw_gradient(before, dataset))
    save("activations", draw_activations())
    with tempfile.TemporaryDirectory() as runs:
        for lesson in list_lessons():
            if sys.argv[1:] and lesson.name not in sys.argv[1:]:
                continue
            outcome = teach(lesson, folder=Path(runs))
            save(lesson.name, outcome.picture.read_bytes())
            print(f"{lesson.name}: {'held' if outcome.held else 'not held'}")


if __name__ == "__main__":
    main()
