"""How a report shows a training."""

from pathlib import Path

import numpy as np
import pytest

from apple_clf.report.reading import AbsentError, RunFiles
from apple_clf.report.training import first_weights, learning_curves
from apple_clf.runs.layer_statistics import WeightSnapshots
from report.made_up import make_run


def test_curves_say_by_which_measure_the_kept_epoch_was_best(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", "training.early_stopping={monitor: val_accuracy}")
    labels = {chart.x_label for chart in learning_curves(RunFiles(run))}
    assert labels == {"epoch (dotted: 3, weights kept, best val_accuracy)"}


def test_curves_without_resolved_yaml_still_mark_the_kept_epoch(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    run.resolved.unlink()
    labels = {chart.x_label for chart in learning_curves(RunFiles(run))}
    assert labels == {"epoch (dotted: 3, weights kept)"}


@pytest.mark.parametrize("shape", [(1, 1, 1, 4), (16, 4)], ids=["1 x 1", "behind a pooling"])
def test_weights_that_are_no_pictures_are_not_shown(tmp_path: Path, shape: tuple[int, ...]) -> None:
    run = make_run(tmp_path / "a")
    weights = np.ones(shape, np.float16)
    run.weights.write_bytes(WeightSnapshots("conv2d_1", (0,), [weights]).to_bytes())
    with pytest.raises(AbsentError, match="conv2d_1"):
        first_weights(RunFiles(run))
