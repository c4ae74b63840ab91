"""Small untrained networks of each kind, and runs that hold them."""

import hashlib
from pathlib import Path

import numpy as np

from apple_clf.arrays import UInt8Array
from apple_clf.config.schema import BatchNormalization, Dense, Dropout, ModelConfig
from apple_clf.config.schema.augmentation import RandomFlip
from apple_clf.config.schema.layers import Conv2D, GlobalAveragePooling2D, MaxPooling2D, Residual
from apple_clf.config.schema.model import Layer
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.model.adapting import adapt
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.model.files import keras_bytes, litert_bytes
from apple_clf.runs import Run
from apple_clf.runs.model_record import ModelRecord

SHAPE = (7, 6, 1)
NAMES = ("apple", "pear", "plum")
PICTURE: UInt8Array = np.random.default_rng(0).integers(256, size=SHAPE, dtype=np.uint8)


def dense() -> keras.Model:
    return _built(
        Dense(units=9, activation="relu"),
        Dropout(rate=0.5),
        BatchNormalization(),
        Dense(units=5, activation="tanh"),
        Dropout(rate=0.5),
    )


def convolutional() -> keras.Model:
    return _built(
        RandomFlip(),
        Conv2D(filters=4, kernel_size=(3, 2), strides=(2, 1), padding="same", activation="relu"),
        BatchNormalization(),
        MaxPooling2D(),
        Residual(layers=(Conv2D(filters=6, kernel_size=(1, 1), activation="sigmoid"),)),
        Conv2D(filters=3, kernel_size=(2, 2)),
        GlobalAveragePooling2D(),
    )


def softmax_regression() -> keras.Model:
    return _built()


def imported() -> keras.Model:
    """A model inside a model inside a model, one of them with grouped and dilated filters."""
    layers = keras.layers
    inner = keras.Sequential(
        [
            keras.Input((7, 6, 4)),
            layers.Conv2D(6, 2, groups=2, dilation_rate=2, activation="elu"),
            layers.Flatten(),
        ]
    )
    pixels = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, activation="softmax")(pixels)
    x = layers.Add()([x, layers.ReLU()(x)])
    outputs = layers.Dense(3)(inner(x))
    keras.utils.set_random_seed(2)
    return adapt(keras.Model([pixels], [outputs]), n_classes=3).model


MODELS = {
    "dense": dense,
    "convolutional": convolutional,
    "softmax regression": softmax_regression,
    "imported": imported,
}


def write_run(path: Path, model: keras.Model, *, class_names: tuple[str, ...] = NAMES) -> Run:
    """A run that holds what answers and explanations need, but for its training."""
    run = Run(path)
    run.path.mkdir(parents=True)
    files = keras_bytes(model), litert_bytes(model)
    for file, content in zip((run.keras_model, run.litert_model), files, strict=True):
        file.write_bytes(content)
    record = ModelRecord(
        class_names=class_names,
        positive_class=class_names[0],
        preprocessing=Preprocessing(image_size=SHAPE[:2], resize="stretch", polarity="as_is"),
        threshold=0.5 if len(class_names) == 2 else None,
        temperature=1.7,
        keras_version=keras.__version__,
        keras_sha256=hashlib.sha256(files[0]).hexdigest(),
        litert_sha256=hashlib.sha256(files[1]).hexdigest(),
    )
    run.model_record.write_text(record.to_json())
    return run


def _built(*layers: Layer) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = build_model(ModelConfig(layers=layers), input_shape=SHAPE, n_classes=3)
    rng = np.random.default_rng(3)  # so that biases and moving averages are not 0 and 1
    model.set_weights(
        [w + rng.uniform(0.01, 0.2, w.shape).astype(w.dtype) for w in model.get_weights()]
    )
    return model
