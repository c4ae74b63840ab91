"""A run: the folder with all that a training leaves behind."""

from apple_clf.runs.folder import Run, create_run, find_run, list_runs, locked

__all__ = ["Run", "create_run", "find_run", "list_runs", "locked"]
