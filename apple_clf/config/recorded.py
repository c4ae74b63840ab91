"""The experiment that a run recorded, also by a version that knew fewer keys.

What a run records has every key, so one that is missing is younger than the run. It then means
what that version did, which need not be today's default.
"""

from typing import Any

from apple_clf.config.schema import Experiment
from apple_clf.config.settings import read_settings
from apple_clf.config.validation import validated


def parse_recorded(text: str | bytes, *, filename: str) -> Experiment:
    """The experiment of a run's resolved.yaml, or of a checkpoint.

    Args:
        text: YAML of every value.
        filename: how messages name the text.

    Raises:
        ConfigError: as in `parse_experiment`.
    """
    settings = read_settings(text, filename=filename, overrides=())
    with_younger_keys(settings.data)
    return validated(settings).experiment


def with_younger_keys(data: dict[str, Any]) -> dict[str, Any]:
    """The keys of a recorded experiment, completed as its version meant them.

    Before preprocessing version 2 every picture was read as its pixels, and simulated pictures were
    line drawings in 60 of 100.

    Args:
        data: changed in place.
    """
    preprocessing, source = data.get("preprocessing"), data.get("data")
    if isinstance(preprocessing, dict):
        preprocessing.setdefault("reader", "pixels")
    if isinstance(source, dict) and source.get("source") == "simulated":
        source.setdefault("line_drawings", 0.6)
    return data
