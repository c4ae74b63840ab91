"""TrainingConfig + model + images -> trained model, and how it went."""

from apple_clf.training.loop import Training, fit

__all__ = ["Training", "fit"]
