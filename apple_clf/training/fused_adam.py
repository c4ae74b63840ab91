"""Keras's Adam and AdamW with one TensorFlow operation a weight array instead of a dozen.

Where networks are small, most of a step is the cost of starting operations, and Keras writes Adam's
rule in about fifteen of them. TensorFlow has the same rule as one kernel. State, weight decay and
clipping stay Keras's, so checkpoints hold the same variables; sums are taken in another order, so
weights differ from Keras's in the last digits of a float32.
"""

from typing import Any

from apple_clf.model.backend import keras, tf


class _FusedStep:
    """The step of Adam without AMSGrad, to come before a Keras optimizer among the bases."""

    def update_step(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Moves one variable by one step.

        Args:
            gradient: a dense tensor of the variable's shape.
            variable: a TensorFlow variable, float32.
            learning_rate: scalar.

        Source: Kingma and Ba 2015, arXiv:1412.6980, the last paragraph of section 2: the bias is
        corrected in the step size, and epsilon added to the root of the uncorrected mean.
        """
        step = tf.cast(self.iterations + 1, variable.dtype)
        at = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[at].value.handle,
            v=self._velocities[at].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class FusedAdam(_FusedStep, keras.optimizers.Adam):
    """Keras's Adam, stepping with one operation; not for amsgrad."""


class FusedAdamW(_FusedStep, keras.optimizers.AdamW):
    """Keras's AdamW, stepping with one operation; not for amsgrad."""
