"""Sweeps and predictions on the machines of a Ray cluster."""

from apple_clf.cluster.installed import check_installed

__all__ = ["check_installed"]
