"""PNG pictures of a run: learning curves, confusion, ROC, reliability, worst mistakes."""

from apple_clf.plots.figures import (
    confusion_matrix_plot,
    learning_curves,
    mistakes_gallery,
    reliability_plot,
    roc_plot,
)

__all__ = [
    "confusion_matrix_plot",
    "learning_curves",
    "mistakes_gallery",
    "reliability_plot",
    "roc_plot",
]
