"""A training told to MLflow and TensorBoard as well; the run's own files stay the truth."""

from apple_clf.tracking.tracker import MLFLOW_PACKAGES, Tracker, check_installed, tracked

__all__ = ["MLFLOW_PACKAGES", "Tracker", "check_installed", "tracked"]
