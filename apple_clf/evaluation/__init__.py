"""How good a model is on images that it was not trained on."""

from apple_clf.evaluation.scoring import (
    Evaluation,
    draw,
    evaluate,
    evaluate_briefly,
)

__all__ = ["Evaluation", "draw", "evaluate", "evaluate_briefly"]
