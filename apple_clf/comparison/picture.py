"""The learning curves of several runs, laid over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.plots.curves import overlaid_curves
from apple_clf.runs.files import UnreadableFileError, read_history

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apple_clf.comparison.groups import Group
    from apple_clf.comparison.reading import Judged


def draw_curves(groups: Sequence[Group]) -> bytes:
    """PNG of loss and accuracy by epoch, 800 pixels wide; a colour for each group.

    Models that were trained elsewhere have no curves.

    Args:
        groups: as of a comparison.

    Raises:
        ArtifactError: a history is missing or damaged.
    """
    histories = [[_history(run) for run in group.runs] for group in groups]
    return overlaid_curves([group.label for group in groups], histories)


def _history(run: Judged) -> Mapping[str, Sequence[float]]:
    if run.experiment is None:
        return {}
    try:
        return read_history(run.run)
    except UnreadableFileError as error:
        raise ArtifactError(
            f"{printable(run.run.path)}: its curves cannot be drawn, as history.csv is missing or "
            "damaged. Leave out --plot, or the run."
        ) from error
