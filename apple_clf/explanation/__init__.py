"""Run + one picture -> why the network answers what it answers, number by number."""

from apple_clf.explanation.explaining import Explanation, explain

__all__ = ["Explanation", "explain"]
