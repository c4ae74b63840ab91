"""Outputs on images that were not trained on -> temperature and thresholds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.prediction.decision.calibration import fit_temperature, softmax
from apple_clf.prediction.decision.threshold import ThresholdChoice, choose_threshold

if TYPE_CHECKING:
    from apple_clf.config.schema import DecisionConfig


MIN_TO_CALIBRATE = 50
"""Images below which a fitted temperature more often harms than helps: drawn from known
probabilities, 30 of them made the log loss worse by 0.014 where no temperature was needed, and won
0.011 where the logits were 1.5 times too large; 50 lost 0.009 and won 0.014."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How outputs become answers."""

    n_images: int = 0
    """Images that the rest was fitted to."""
    temperature: float = 1.0
    threshold: float | None
    """None for more than two classes."""
    choice: ThresholdChoice | None = None
    """How the threshold was chosen; None if it was given."""
    novelty_threshold: float | None = None
    """None for never unsure."""
    notes: tuple[str, ...] = ()
    """What did not go as the experiment asked, one sentence each."""

    def as_dict(self) -> dict[str, object]:
        """The decision as metrics.json shows it."""
        choice = self.choice
        return {
            "fitted_to_images": self.n_images,
            "temperature": self.temperature,
            "threshold": self.threshold,
            "threshold_goal": choice and choice.goal,
            "threshold_goal_value": choice and choice.value,
            "threshold_goal_reached": choice and choice.reached,
            "novelty_threshold": self.novelty_threshold,
            "notes": list(self.notes),
        }


def given_decision(config: "DecisionConfig", *, n_classes: int) -> Decision:
    """The decision without images to fit it to: no calibration.

    Args:
        config: its threshold is a number.
        n_classes: at least 2.
    """
    note = "Without validation images, probabilities are not calibrated."
    threshold = None if config.goal is not None or n_classes > 2 else float(config.threshold)
    return Decision(threshold=threshold, notes=(note,) if config.calibration else ())


def fit_decision(
    config: "DecisionConfig",
    logits: FloatArray,
    y_true: IntArray,
    *,
    positive: int,
) -> Decision:
    """The decision that fits these images.

    Args:
        config: what is to be fitted, and for which goal.
        logits: float, (n, n_classes), n at least 1, of images not trained on.
        y_true: class codes, int, (n,).
        positive: class code.
    """
    notes: list[str] = []
    temperature = 1.0
    if config.calibration is not None and len(y_true) < MIN_TO_CALIBRATE:
        notes.append(_too_few(len(y_true)))
    elif config.calibration is not None:
        temperature = fit_temperature(logits, y_true)
    choice = None
    threshold = None if logits.shape[1] > 2 or config.goal is not None else float(config.threshold)
    if config.goal is not None:
        # In the precision of the answers, so that none of them comes to lie on the other side.
        probabilities = softmax(logits, temperature=temperature).astype(np.float32)
        choice = choose_threshold(y_true, probabilities, positive=positive, goal=config.goal)
        threshold = choice.threshold
        if not choice.reached:
            notes.append(_out_of_reach(choice))
    return Decision(
        n_images=len(y_true),
        temperature=temperature,
        threshold=threshold,
        choice=choice,
        notes=tuple(notes),
    )


def _too_few(n_images: int) -> str:
    return (
        f"Probabilities are left as the training gave them: {n_images} validation images are too "
        f"few to calibrate on, {MIN_TO_CALIBRATE} are needed."
    )


def _out_of_reach(choice: ThresholdChoice) -> str:
    return (
        f"No threshold reaches {choice.goal} on the validation images; the nearest is taken: "
        f"{choice.value:.3f} from {choice.threshold:.3f} on."
    )
