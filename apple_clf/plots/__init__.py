"""Pictures and charts from names and arrays: as PNG, or as the geometry of an SVG."""

from apple_clf.plots.confusion import confusion_matrix_plot
from apple_clf.plots.curves import KeptEpoch, learning_curves
from apple_clf.plots.gallery import mistakes_gallery
from apple_clf.plots.reliability import reliability_plot
from apple_clf.plots.roc import roc_plot

__all__ = [
    "KeptEpoch",
    "confusion_matrix_plot",
    "learning_curves",
    "mistakes_gallery",
    "reliability_plot",
    "roc_plot",
]
