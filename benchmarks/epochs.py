"""Trains as `apple-clf train` does, from FILE.npz to the last epoch; writes seconds and accuracy.

Arguments: FILE.npz EPOCHS RESULT.json [--held-out SHARE] [--checkpoints FOLDER]. The seconds are
those of an epoch, from the end of the first, which traces the graph, until `fit` returns. The
accuracy is that of the final weights on the training images.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from apple_clf.config.schema import Adam, Dense, ModelConfig, NpzData, TrainingConfig
from apple_clf.data import load_dataset
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.runs.checkpoints import Checkpoints

SAMPLE = 10_000
"""Training images of which the accuracy is taken."""


def main() -> None:
    """Trains dense 128-64-2 with Adam in batches of 32."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("epochs", type=int)
    parser.add_argument("result", type=Path)
    parser.add_argument("--held-out", type=float, default=0.0)
    parser.add_argument("--checkpoints", type=Path)
    arguments = parser.parse_args()

    share = arguments.held_out / 2
    data = NpzData(path=arguments.file, validation_split=share, test_split=share)
    contract = Preprocessing(image_size=(28, 28), resize="stretch", polarity="as_is")
    dataset = load_dataset(data, contract, seed=0)

    from apple_clf.model.backend import keras  # TensorFlow, which a training loads after the data
    from apple_clf.model.building import build_model
    from apple_clf.training import fit

    keras.utils.set_random_seed(0)
    layers = (Dense(units=128, activation="relu"), Dense(units=64, activation="relu"))
    model = build_model(ModelConfig(layers=layers), input_shape=contract.shape, n_classes=2)
    ends: list[float] = []
    fit(
        model,
        TrainingConfig(optimizer=Adam(), batch_size=32, epochs=arguments.epochs),
        train=dataset.train,
        validation=dataset.validation,
        class_names=dataset.class_names,
        seed=0,
        on_epoch=lambda epoch, logs: ends.append(time.perf_counter()),
        checkpoints=arguments.checkpoints and Checkpoints(arguments.checkpoints),
    )
    seconds = (time.perf_counter() - ends[0]) / (arguments.epochs - 1)
    images, labels = dataset.train.images[:SAMPLE], dataset.train.labels[:SAMPLE]
    batches = np.array_split(images, 10)  # together they would be the peak of memory
    answers = np.concatenate([model(batch).numpy().argmax(axis=1) for batch in batches])
    accuracy = float((answers == labels).mean())
    arguments.result.write_text(json.dumps({"seconds": seconds, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
