"""How gradients become steps, and how large the steps are: one record per kind.

A new optimizer is one class here, named in `Optimizer`; its keys are the arguments of its Keras
class. A new schedule is one class, named in `Schedule`, with its Keras class and arguments.
"""

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from apple_clf.config.schema.base import (
    MAX_LEARNING_RATE,
    BelowOne,
    Epochs,
    Epsilon,
    Limit,
    Rate,
    Record,
    Share,
)


class _Optimizer(Record):
    """What every optimizer has: at most one way to clip gradients."""

    keras_class: ClassVar[str]
    # Keras's default, but for plain descent: networks as small as these take larger steps.
    usual_learning_rate: ClassVar[float] = 1e-3

    clipnorm: Limit | None = None
    """Largest norm of one weight array's gradient, or null."""
    global_clipnorm: Limit | None = None
    """Largest norm of all gradients together, or null."""
    clipvalue: Limit | None = None
    """Largest size of any entry of a gradient, or null."""

    @model_validator(mode="after")
    def _clip_one_way(self) -> Self:
        ways = ("clipnorm", "global_clipnorm", "clipvalue")
        if len(used := [way for way in ways if getattr(self, way) is not None]) > 1:
            message = f"{used[1]} cannot be combined with {used[0]}: keep one of them"
            raise ValueError(message)
        return self

    def keras_arguments(self) -> dict[str, Any]:
        """The arguments of the Keras class, without the learning rate."""
        return self.model_dump(exclude={"type"})


class SGD(_Optimizer):
    """Stochastic gradient descent."""

    keras_class: ClassVar = "SGD"
    usual_learning_rate: ClassVar = 0.05

    type: Literal["sgd"] = "sgd"
    """Kind of optimizer."""
    momentum: Share = 0.0
    """Share of the last update that is added to the next."""
    nesterov: bool = False
    """Whether to use Nesterov momentum."""


class Momentum(_Optimizer):
    """Stochastic gradient descent with momentum."""

    keras_class: ClassVar = "SGD"
    usual_learning_rate: ClassVar = 0.01

    type: Literal["momentum"] = "momentum"
    """Kind of optimizer."""
    momentum: Share = 0.9
    """Share of the last update that is added to the next."""
    nesterov: bool = False
    """Whether to use Nesterov momentum."""


class RMSprop(_Optimizer):
    """Steps divided by a running mean of the gradient's size."""

    keras_class: ClassVar = "RMSprop"

    type: Literal["rmsprop"] = "rmsprop"
    """Kind of optimizer."""
    rho: BelowOne = 0.9
    """Decay rate of the running mean of squared gradients."""
    momentum: Share = 0.0
    """Share of the last update that is added to the next."""
    epsilon: Epsilon = 1e-7
    """Small constant that avoids division by zero."""
    centered: bool = False
    """Whether gradients are divided by their estimated deviation instead of their size."""


class _AdamLike(_Optimizer):
    """What Adam and AdamW share."""

    beta_1: BelowOne = 0.9
    """Decay rate of the running mean of gradients."""
    beta_2: BelowOne = 0.999
    """Decay rate of the running mean of squared gradients."""
    epsilon: Epsilon = 1e-7
    """Small constant that avoids division by zero."""
    amsgrad: bool = False
    """Whether to use the AMSGrad variant, whose divisor never shrinks."""


class Adam(_AdamLike):
    """Momentum, and a step size of its own for every weight."""

    keras_class: ClassVar = "Adam"

    type: Literal["adam"] = "adam"
    """Kind of optimizer."""


class AdamW(_AdamLike):
    """Adam that also shrinks the weights a little at every step."""

    keras_class: ClassVar = "AdamW"

    type: Literal["adamw"] = "adamw"
    """Kind of optimizer."""
    weight_decay: Share = 0.004
    """Share of each weight, times the learning rate, subtracted at every step."""


class Nadam(_Optimizer):
    """Adam whose momentum looks a step ahead."""

    keras_class: ClassVar = "Nadam"

    type: Literal["nadam"] = "nadam"
    """Kind of optimizer."""
    beta_1: BelowOne = 0.9
    """Decay rate of the running mean of gradients."""
    beta_2: BelowOne = 0.999
    """Decay rate of the running mean of squared gradients."""
    epsilon: Epsilon = 1e-7
    """Small constant that avoids division by zero."""


class Adagrad(_Optimizer):
    """Steps that shrink for weights whose gradients were large so far."""

    keras_class: ClassVar = "Adagrad"
    usual_learning_rate: ClassVar = 0.05

    type: Literal["adagrad"] = "adagrad"
    """Kind of optimizer."""
    initial_accumulator_value: Share = 0.1
    """Start of each weight's sum of squared gradients."""
    epsilon: Epsilon = 1e-7
    """Small constant that avoids division by zero."""


class Lion(_Optimizer):
    """Steps of one size for every weight: the sign of a running mean of gradients."""

    keras_class: ClassVar = "Lion"
    usual_learning_rate: ClassVar = 1e-4

    type: Literal["lion"] = "lion"
    """Kind of optimizer."""
    beta_1: BelowOne = 0.9
    """Weight of the running mean in a step; the newest gradient has the rest."""
    beta_2: BelowOne = 0.99
    """Decay rate of the running mean of gradients."""
    weight_decay: Share | None = None
    """Share of each weight, times the learning rate, subtracted at every step, or null."""


class Muon(_Optimizer):
    """Steps of dense layers made orthogonal; AdamW for biases, filters and the output layer.

    Source: Liu et al. 2025, arXiv:2502.16982, equations 1 to 4.
    """

    keras_class: ClassVar = "Muon"

    type: Literal["muon"] = "muon"
    """Kind of optimizer."""
    momentum: Share = 0.95
    """Share of the last update that is added to the next."""
    nesterov: bool = True
    """Whether to use Nesterov momentum."""
    ns_steps: Annotated[int, Field(ge=1, le=100)] = 5
    """Newton-Schulz iterations that make a step orthogonal."""
    weight_decay: Share = 0.004
    """Weight decay, times the learning rate, of the weights with orthogonal steps."""
    adam_weight_decay: Share = 0.004
    """Weight decay, times the learning rate, of the weights that AdamW updates."""
    adam_beta_1: BelowOne = 0.9
    """Decay rate of AdamW's running mean of gradients."""
    adam_beta_2: BelowOne = 0.999
    """Decay rate of AdamW's running mean of squared gradients."""
    epsilon: Epsilon = 1e-7
    """Small constant that avoids division by zero in AdamW."""

    def keras_arguments(self) -> dict[str, Any]:
        """The arguments of the Keras class, with the output layer's name."""
        return super().keras_arguments() | {"exclude_layers": ["^output/"]}


Optimizer = Annotated[
    SGD | Momentum | RMSprop | Adam | AdamW | Nadam | Adagrad | Lion | Muon,
    Field(discriminator="type"),
]


class _Schedule(Record):
    """What every schedule has."""

    keras_class: ClassVar[str]
    # Key of the rate, or rates, that all others follow from.
    scale: ClassVar[str] = "initial"

    @property
    def highest(self) -> float:
        """The highest learning rate."""
        rates: float | tuple[float, ...] = getattr(self, self.scale)
        return max(rates) if isinstance(rates, tuple) else rates

    def keras_arguments(self, *, n_steps: int, per_epoch: int) -> dict[str, Any]:
        """The arguments of the Keras class, which counts in steps.

        Args:
            n_steps: of all epochs.
            per_epoch: steps of one epoch.
        """
        raise NotImplementedError


class CosineSchedule(_Schedule):
    """Falls along half a cosine wave over all epochs, after a linear warm-up from zero."""

    keras_class: ClassVar = "CosineDecay"

    type: Literal["cosine"] = "cosine"
    """Kind of schedule."""
    initial: Rate = 1e-3
    """Learning rate at the top."""
    final_fraction: Share = 0.0
    """Share of the initial rate left at the end."""
    warmup_epochs: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Epochs in which the rate rises to the top."""

    def keras_arguments(self, *, n_steps: int, per_epoch: int) -> dict[str, Any]:
        """The arguments of the Keras class, which counts in steps."""
        arguments = {"decay_steps": n_steps, "alpha": self.final_fraction}
        if not self.warmup_epochs:
            return arguments | {"initial_learning_rate": self.initial}
        warmup = self.warmup_epochs * per_epoch
        return arguments | {
            "initial_learning_rate": 0.0,
            "decay_steps": max(1, n_steps - warmup),
            "warmup_target": self.initial,
            "warmup_steps": warmup,
        }


class ExponentialSchedule(_Schedule):
    """Shrinks by the same factor in every stretch of epochs."""

    keras_class: ClassVar = "ExponentialDecay"

    type: Literal["exponential"] = "exponential"
    """Kind of schedule."""
    initial: Rate = 1e-3
    """Learning rate at the start."""
    decay_rate: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Factor by which the rate shrinks."""
    decay_epochs: Epochs = 1
    """Epochs after which the factor has been applied once."""

    def keras_arguments(self, *, n_steps: int, per_epoch: int) -> dict[str, Any]:
        """The arguments of the Keras class, which counts in steps."""
        return {
            "initial_learning_rate": self.initial,
            "decay_steps": self.decay_epochs * per_epoch,
            "decay_rate": self.decay_rate,
        }


class PiecewiseConstantSchedule(_Schedule):
    """Constant between the given epochs."""

    keras_class: ClassVar = "PiecewiseConstantDecay"
    scale: ClassVar = "values"

    type: Literal["piecewise_constant"] = "piecewise_constant"
    """Kind of schedule."""
    boundaries: Annotated[tuple[Epochs, ...], Field(min_length=1, max_length=1000)]
    """Epochs after which the next value holds, ascending."""
    values: Annotated[tuple[Rate, ...], Field(min_length=2, max_length=1001)]
    """Learning rates: one more than boundaries."""

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.boundaries)):
            message = f"boundaries must ascend, not {list(self.boundaries)}"
            raise ValueError(message)
        if len(self.values) != len(self.boundaries) + 1:
            message = (
                f"values must be one more than boundaries ({len(self.boundaries)}), "
                f"not {len(self.values)}"
            )
            raise ValueError(message)
        return self

    def keras_arguments(self, *, n_steps: int, per_epoch: int) -> dict[str, Any]:
        """The arguments of the Keras class, which changes the rate one step past a boundary."""
        boundaries = [epochs * per_epoch - 1 for epochs in self.boundaries]
        return {"boundaries": boundaries, "values": list(self.values)}


class PolynomialSchedule(_Schedule):
    """Falls from the initial to the final rate over all epochs."""

    keras_class: ClassVar = "PolynomialDecay"

    type: Literal["polynomial"] = "polynomial"
    """Kind of schedule."""
    initial: Rate = 1e-3
    """Learning rate at the start."""
    final: Annotated[float, Field(ge=0, le=MAX_LEARNING_RATE)] = 1e-4
    """Learning rate at the end."""
    power: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Exponent; 1 falls along a straight line."""

    def keras_arguments(self, *, n_steps: int, per_epoch: int) -> dict[str, Any]:
        """The arguments of the Keras class, which counts in steps."""
        return {
            "initial_learning_rate": self.initial,
            "decay_steps": n_steps,
            "end_learning_rate": self.final,
            "power": self.power,
        }


Schedule = Annotated[
    CosineSchedule | ExponentialSchedule | PiecewiseConstantSchedule | PolynomialSchedule,
    Field(discriminator="type"),
]
