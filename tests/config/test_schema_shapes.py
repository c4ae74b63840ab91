"""Shapes worked out without TensorFlow against those of Keras's own layers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from apple_clf.config import parse_experiment
from apple_clf.config.schema import Experiment, ModelConfig
from apple_clf.config.schema.augmentation import RandomFlip
from apple_clf.config.schema.layers import (
    MAX_LAYERS,
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    LayerNormalization,
    MaxPooling2D,
    PReLU,
    Residual,
    SeparableConv2D,
    Shape,
)
from apple_clf.config.schema.model import Layer
from apple_clf.config.schema.shapes import flatten_index, shapes_after
from apple_clf.errors import ConfigError
from apple_clf.images.preprocessing import Preprocessing

CONV = Conv2D(filters=4, kernel_size=3)
DENSE = Dense(units=5)
FLAT = Flatten()
NORM = BatchNormalization()


def keras_shapes(layers: tuple[Layer, ...], input_shape: tuple[int, int, int]) -> list[Shape]:
    """What Keras makes of the layers, which raises where they do not fit."""
    from apple_clf.model.building import build_model

    model = build_model(ModelConfig(layers=layers), input_shape=input_shape, n_classes=2)
    names = [f"{layer.type}_{i}" for i, layer in enumerate(layers, start=1)]
    return [model.get_layer(name).output.shape[1:] for name in names]


sides = st.integers(1, 4)
sizes = sides | st.tuples(sides, sides)
paddings: Any = st.sampled_from(["valid", "same"])
poolings = [
    st.builds(kind, pool_size=sizes, strides=st.none() | sizes, padding=paddings)
    for kind in (MaxPooling2D, AveragePooling2D)
]
convolutions = st.builds(
    Conv2D, filters=st.integers(2, 4), kernel_size=sizes, strides=sizes, padding=paddings
)
depthwise = st.builds(
    DepthwiseConv2D,
    kernel_size=sizes,
    strides=sides,
    padding=paddings,
    depth_multiplier=st.integers(1, 2),
)
separable = st.builds(
    SeparableConv2D, filters=sides, kernel_size=sizes, strides=sides, padding=paddings
)
plain = st.sampled_from([NORM, Dropout(rate=0.5), Activation(activation="relu"), PReLU()])
pictures = st.one_of(convolutions, depthwise, separable, *poolings, plain)
vectors = st.just(DENSE) | plain
residuals: Any = st.lists(pictures, min_size=1, max_size=3) | st.lists(
    vectors, min_size=1, max_size=3
)
layers = st.one_of(
    pictures,
    vectors,
    st.just(FLAT),
    st.just(GlobalAveragePooling2D()),
    residuals.map(lambda inner: Residual(layers=tuple(inner))),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(layers, max_size=4).map(tuple), st.tuples(sides, sides, st.integers(1, 3)))
def test_shapes_are_those_of_keras_and_what_is_refused_cannot_be_built(
    stack: tuple[Layer, ...], input_shape: tuple[int, int, int]
) -> None:
    try:
        shapes = shapes_after(stack, input_shape)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            keras_shapes(stack, input_shape)
    else:
        assert keras_shapes(stack, input_shape) == shapes


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param((CONV,), [(7, 6, 4)], id="conv2d"),
        pytest.param((MaxPooling2D(padding="same"), NORM), [(5, 4, 3)] * 2, id="rounded up"),
        pytest.param((CONV, NORM, DENSE), [(7, 6, 4), (7, 6, 4), (5,)], id="flattened by dense"),
        pytest.param((NORM, DENSE), [(216,), (5,)], id="flattened first"),
        pytest.param((NORM, FLAT), [(9, 8, 3), (216,)], id="flattened where it says so"),
        pytest.param((RandomFlip(), NORM), [(9, 8, 3), (216,)], id="after augmentation"),
        pytest.param((GlobalAveragePooling2D(), DENSE), [(3,), (5,)], id="averaged"),
        pytest.param((Residual(layers=(DENSE,)),), [(5,)], id="residual of vectors"),
        pytest.param((Residual(layers=(CONV, CONV)),), None, id="residual that shrinks"),
    ],
)
def test_shapes_by_hand(stack: tuple[Layer, ...], expected: list[Shape] | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="padding: same"):
            shapes_after(stack, (9, 8, 3))
    else:
        assert shapes_after(stack, (9, 8, 3)) == expected


@pytest.mark.parametrize(
    ("stack", "index"),
    [
        ((), 0),
        ((NORM, DENSE, DENSE), 0),
        ((RandomFlip(), RandomFlip()), 2),
        ((RandomFlip(), NORM, DENSE), 1),
        ((NORM, CONV, NORM), 3),
        ((NORM, CONV, NORM, Residual(layers=(NORM, DENSE)), DENSE), 3),
        ((Residual(layers=(NORM, CONV)), DENSE), 1),
    ],
)
def test_pictures_become_vectors_as_late_as_their_layers_ask(
    stack: tuple[Layer, ...], index: int
) -> None:
    assert flatten_index(stack) == index


WRONG = {
    "conv after dense": (
        "{type: dense, units: 9}, {type: conv2d, filters: 2, kernel_size: 3}",
        "3:31: model.layers.1 (conv2d) needs pictures, but gets vectors of 9: put it before what "
        "makes them vectors (dense, flatten, global_average_pooling2d).",
    ),
    "pooling after flatten": (
        "{type: flatten}, {type: max_pooling2d}",
        "3:23: model.layers.1 (max_pooling2d) needs pictures, but gets vectors of 30: put it "
        "before what makes them vectors (dense, flatten, global_average_pooling2d).",
    ),
    "kernel": (
        "{type: max_pooling2d}, {type: conv2d, filters: 2, kernel_size: [2, 3]}",
        "3:69: model.layers.1.kernel_size 2x3 is larger than the 3x2x1 that conv2d gets: make it "
        "smaller, or set padding: same.",
    ),
    "pool of the default size": (
        "{type: average_pooling2d, pool_size: 3}, {type: max_pooling2d}",
        "3:47: model.layers.1.pool_size 2x2 is larger than the 2x1x1 that max_pooling2d gets: "
        "make it smaller, or set padding: same.",
    ),
    "kernel within a residual layer": (
        "{type: residual, layers: [{type: conv2d, filters: 2, kernel_size: 7}]}",
        "3:72: model.layers.0.layers.0.kernel_size 7x7 is larger than the 6x5x1 that conv2d "
        "gets: make it smaller, or set padding: same.",
    ),
    "residual": (
        "{type: residual, layers: [{type: conv2d, filters: 2, kernel_size: 3}]}",
        "3:6: model.layers.0 (residual) turns 6x5x1 into 4x3x2, which its input cannot be fitted "
        "to: give its layers padding: same.",
    ),
    "dense beside conv": (
        "{type: residual, layers: [{type: conv2d, filters: 2, kernel_size: 1}, "
        "{type: dense, units: 3}]}",
        "3:76: model.layers.0.layers.1 (dense) needs vectors, but gets pictures of 6x5x2: put it "
        "into a residual layer of its own.",
    ),
    "augmentation after others": (
        "{type: random_flip}, {type: dropout, rate: 0.1}, {type: random_invert}",
        "3:55: model.layers.2 (random_invert) changes training images, not what layers make of "
        "them: put it before model.layers.1 (dropout).",
    ),
    "one number normalised": (
        "{type: layer_normalization}, {type: conv2d, filters: 2, kernel_size: 3}",
        "3:6: model.layers.0 (layer_normalization) gets 6x5x1, and a single number is 0 once "
        "normalised: put it after a layer with more units or filters.",
    ),
}


@pytest.mark.parametrize(("stack", "expected"), WRONG.values(), ids=WRONG)
def test_layers_that_do_not_fit_are_named_with_their_place(stack: str, expected: str) -> None:
    text = f"preprocessing: {{image_size: [6, 5]}}\nmodel: {{layers:\n    [{stack}]}}\n"
    with pytest.raises(ConfigError) as caught:
        parse_experiment(text, filename="f.yaml")
    assert str(caught.value) == f"f.yaml:{expected}"


def test_an_override_of_the_size_is_checked_against_the_layers() -> None:
    text = "model: {layers: [{type: conv2d, filters: 2, kernel_size: 5}]}"
    parse_experiment(text, filename="f.yaml", overrides=["preprocessing.image_size=[5,5]"])
    with pytest.raises(ConfigError, match="5x5 is larger than the 4x9x1"):
        parse_experiment(text, filename="f.yaml", overrides=["preprocessing.image_size=[4,9]"])


def test_layer_normalization_needs_more_than_one_number() -> None:
    layer = ModelConfig(layers=(LayerNormalization(),))
    with pytest.raises(ValidationError, match="single number"):
        Experiment(model=layer, preprocessing=Preprocessing(image_size=(1, 1)))
    Experiment(model=layer, preprocessing=Preprocessing(image_size=(1, 2)))


def test_layers_inside_residual_ones_count_towards_the_most() -> None:
    inner = Residual(layers=(Dropout(rate=0.1),) * (MAX_LAYERS - 2))
    ModelConfig(layers=(inner, DENSE))
    with pytest.raises(ValidationError, match=r"layers are at most 256.*not 257"):
        ModelConfig(layers=(inner, DENSE, DENSE))


def test_axes_that_vectors_do_not_have_are_refused() -> None:
    text = "model: {layers: [{type: dense, units: 4}, {type: prelu, shared_axes: [1, 2]}]}"
    with pytest.raises(ConfigError, match=r"layers\.1\.shared_axes goes up to 2, .* axes 1 to 1"):
        parse_experiment(text, filename="e.yaml")
