"""ModelConfig -> keras.Model."""

from apple_clf.backend import keras, memory_told
from apple_clf.config.schema import ModelConfig
from apple_clf.model.layers import build_layer

OUTPUT_LAYER = "output"


@memory_told()
def build_model(
    config: ModelConfig, *, input_shape: tuple[int, int, int], n_classes: int
) -> keras.Model:
    """An untrained model from raw pixels to class probabilities.

    Scaling to [0, 1] and flattening are layers of the model, so its files need nothing else:
    input (n, height, width, channels) uint8, output (n, n_classes) float32, rows sum to 1.

    Args:
        config: the hidden layers.
        input_shape: height, width and channels.
        n_classes: units of the softmax layer.

    Raises:
        MemoryLimitError: the weights do not fit into memory.
    """
    inputs = keras.Input(input_shape, dtype="uint8", name="pixels")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(inputs)
    x = keras.layers.Flatten(name="flatten")(x)
    for i, layer in enumerate(config.layers, start=1):
        x = build_layer(layer, name=f"{layer.type}_{i}")(x)
    outputs = keras.layers.Dense(n_classes, activation="softmax", name=OUTPUT_LAYER)(x)
    return keras.Model(inputs, outputs, name="apple_clf")
