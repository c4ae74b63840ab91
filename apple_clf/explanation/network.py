"""What an explanation needs of a network, whichever backend computes it."""

from collections.abc import Sequence
from typing import Protocol

from apple_clf.arrays import FloatArray

PIXELS = -1
"""Stands for the picture where a step says which steps it takes its input from."""

TRAINING_ONLY = frozenset(
    {
        *("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout"),
        *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation"),
        *("RandomContrast", "RandomBrightness", "RandomInvert"),
    }
)
"""Keras classes that change their input in training only, and pass it on otherwise."""


class Step(Protocol):
    """One layer at work."""

    @property
    def name(self) -> str:
        """The layer's name."""
        ...

    @property
    def kind(self) -> str:
        """The name of its Keras class."""
        ...

    @property
    def sources(self) -> tuple[int, ...]:
        """Places of the steps whose outputs it takes, or `PIXELS`."""
        ...


class Network(Protocol):
    """The steps from the pixels to the logits, and the logits' gradients."""

    @property
    def steps(self) -> Sequence[Step]:
        """Each after its sources."""
        ...

    def logits(self, images: FloatArray, *, code: int) -> FloatArray:
        """One class's logit, float64, (n,).

        Args:
            images: 0 to 255, (n, height, width, channels).
            code: of the class.
        """
        ...

    def logit_gradients(self, images: FloatArray, *, code: int) -> FloatArray:
        """Gradient of one class's logit by the pixels, float32, (n, height, width, channels).

        Args:
            images: 0 to 255, (n, height, width, channels).
            code: of the class.
        """
        ...
