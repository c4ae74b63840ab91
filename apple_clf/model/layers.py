"""Layer of an experiment -> Keras layer."""

from apple_clf.backend import keras
from apple_clf.config.schema import Activation, BatchNormalization, Dense, Dropout, Layer


def build_layer(config: Layer, *, name: str) -> keras.Layer:
    """The Keras layer that a layer of the experiment stands for."""
    match config:
        case Dense():
            penalty = config.kernel_regularizer
            return keras.layers.Dense(
                config.units,
                activation=config.activation,
                use_bias=config.use_bias,
                kernel_initializer=config.kernel_initializer,
                kernel_regularizer=penalty and keras.regularizers.L1L2(penalty.l1, penalty.l2),
                name=name,
            )
        case Dropout():
            return keras.layers.Dropout(config.rate, name=name)
        case BatchNormalization():
            return keras.layers.BatchNormalization(
                momentum=config.momentum, epsilon=config.epsilon, name=name
            )
        case Activation():
            return keras.layers.Activation(config.activation, name=name)
