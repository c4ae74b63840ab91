"""Keras model + temperature -> one graph from pixels to probabilities, its weights constants."""

from typing import Any

from apple_clf.errors import ArtifactError
from apple_clf.model.backend import keras, tf
from apple_clf.model.files import frozen, logits_of

INPUT, OUTPUT = "pixels", "probabilities"


def probabilities_graph(model: keras.Model, *, temperature: float, batch: int | None = None) -> Any:
    """A frozen pass, uint8 pixels (n, height, width, channels) -> float32 (n, n_classes).

    Args:
        model: as from `build_model`.
        temperature: that its logits are divided by before the softmax.
        batch: images at a time; None for any number.
    """
    pixels = tf.TensorSpec((batch, *model.input_shape[1:]), tf.uint8, name=INPUT)
    logits = logits_of(model)

    def forward(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: tf.nn.softmax(logits(images) / temperature)}

    return frozen(forward, pixels, weights=model.weights)


def as_function_of_floats(graph: Any) -> Any:
    """A graph that takes float32 pixels of 0 to 255, which is what can be quantised.

    Each place where the graph makes floats of bytes is where they come in.

    Args:
        graph: from `probabilities_graph`.

    Raises:
        ArtifactError: it does something else with the bytes.
    """
    pixels = graph.inputs[0]
    if any(use.type != "Cast" for use in pixels.consumers()):
        raise ArtifactError("its network does not begin by making floats of pixels")
    casts = [use.outputs[0].name for use in pixels.consumers()]
    definition = graph.graph.as_graph_def()
    for node in definition.node:
        node.attr.pop("_gradient_op_type", None)

    def forward(images: tf.Tensor) -> dict[str, tf.Tensor]:
        (answer,) = tf.graph_util.import_graph_def(
            definition,
            input_map=dict.fromkeys(casts, images),
            return_elements=[graph.outputs[0].name],
            name="",
        )
        return {OUTPUT: answer}

    return tf.function(forward).get_concrete_function(
        tf.TensorSpec(pixels.shape, tf.float32, name=INPUT)
    )
