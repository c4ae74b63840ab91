"""Many trainings of one experiment with other values, compared on the validation images."""

from apple_clf.sweeping.conducting import Sweep, sweep

__all__ = ["Sweep", "sweep"]
