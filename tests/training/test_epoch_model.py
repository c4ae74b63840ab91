from collections.abc import Callable

import numpy as np
import pytest

from apple_clf.arrays import UInt8Array, aligned_empty
from apple_clf.config.schema import ModelConfig
from apple_clf.data import Split
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.training.epoch_model import EpochModel

SHAPE = (7, 5, 3, 1)


def with_data(images: UInt8Array) -> EpochModel:
    split = Split(images, np.arange(len(images), dtype=np.int32) % 2, [""] * len(images))
    empty = split.take(np.array([], np.int64))
    model = build_model(ModelConfig(layers=()), input_shape=SHAPE[1:], n_classes=2)
    trainer = EpochModel(inputs=model.inputs, outputs=model.outputs)
    trainer.compile(optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy())
    trainer.attach(split, empty, batch_size=4, class_weights=None, one_hot=False)
    return trainer


def taken() -> UInt8Array:
    everything = Split(np.zeros(SHAPE, np.uint8), np.zeros(7, np.int32), [""] * 7)
    return everything.take(np.arange(7)).images


def prepared() -> UInt8Array:
    images = aligned_empty(SHAPE)
    images[...] = 0
    return images


@pytest.mark.parametrize("make", [taken, prepared])
def test_pixels_of_a_data_set_are_not_copied(make: Callable[[], UInt8Array]) -> None:
    images = make()
    trainer = with_data(images)
    images[3, 2, 1, 0] = 200
    assert trainer.train_pixels[3, 2, 1, 0].numpy() == 200


def test_pixels_of_any_array_are_taken_as_they_are() -> None:
    images = np.random.default_rng(0).integers(256, size=(16, *SHAPE), dtype=np.uint8)
    for unaligned in (images[:7, 0], images[1][::-1], np.asfortranarray(images[2])):
        np.testing.assert_array_equal(with_data(unaligned).train_pixels.numpy(), unaligned)
