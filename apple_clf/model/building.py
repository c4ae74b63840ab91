"""ModelConfig -> keras.Model."""

from apple_clf.config.schema import ModelConfig
from apple_clf.config.schema.shapes import flatten_index
from apple_clf.model.backend import keras, memory_told
from apple_clf.model.layers import Tensor, connect

OUTPUT_LAYER = "output"


@memory_told()
def build_model(
    config: ModelConfig, *, input_shape: tuple[int, int, int], n_classes: int
) -> keras.Model:
    """An untrained model from raw pixels to class probabilities.

    Scaling to [0, 1] and flattening are layers of the model, so its files need nothing else:
    input (n, height, width, channels) uint8, output (n, n_classes) float32, rows sum to 1.
    Weights and random states start from `keras.utils.set_random_seed`.

    Args:
        config: the layers, which fit each other and the input as `shapes_after` would have it.
        input_shape: height, width and channels.
        n_classes: units of the softmax layer.

    Raises:
        MemoryLimitError: the weights do not fit into memory.
    """
    inputs = keras.Input(input_shape, dtype="uint8", name="pixels")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(inputs)
    flat_from = flatten_index(config.layers)
    for i, layer in enumerate(config.layers):
        if i == flat_from:
            x = _flat(x)
        x = connect(layer, x, name=f"{layer.type}_{i + 1}")
    outputs = keras.layers.Dense(n_classes, activation="softmax", name=OUTPUT_LAYER)(_flat(x))
    return keras.Model(inputs, outputs, name="apple_clf")


def _flat(x: Tensor) -> Tensor:
    """Pictures as vectors; vectors as they are."""
    return x if len(x.shape) == 2 else keras.layers.Flatten(name="flatten")(x)
