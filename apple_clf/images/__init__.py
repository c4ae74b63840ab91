"""Any picture -> the pixels a network sees: the one preprocessing of this package."""

from apple_clf.images.preparing import NO_DRAWING, Loaded, load, prepare, read

__all__ = ["NO_DRAWING", "Loaded", "load", "prepare", "read"]
