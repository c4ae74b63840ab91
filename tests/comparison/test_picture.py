import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apple_clf.comparison.compare import compare
from apple_clf.comparison.picture import draw_curves
from apple_clf.errors import ArtifactError
from apple_clf.plots.drawing import COLORS
from apple_clf.runs import Run
from comparison.made_up import make_run

OTHER = "training.batch_size=8"


def colors_in(runs: list[Run]) -> set[str]:
    content = draw_curves(compare(runs).groups)
    assert content == draw_curves(compare(runs).groups)
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert pixels.shape[1] == 800
    curves = pixels[120:]  # below the names
    return {f"#{r:02X}{g:02X}{b:02X}" for r, g, b in np.unique(curves.reshape(-1, 3), axis=0)}


def test_each_group_has_a_line_of_its_own_colour(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b", OTHER)]
    runs[1].history.write_text("epoch,loss,accuracy\n1,0.9,0.4\n2,nan,0.5\n3,1e38,0.6\n")
    assert set(COLORS[:2]) <= colors_in(runs)


def test_model_trained_elsewhere_has_no_line(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b")]
    runs[1].imported.write_text("{}")
    runs[1].history.unlink()
    found = colors_in(runs)
    assert COLORS[0] in found
    assert COLORS[1] not in found


def test_spikes_do_not_flatten_the_rest(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b", OTHER)]
    pictures = []
    for spike in (900, 90_000):
        rows = [f"{i},{spike if i == 3 else 1 / i},0.5\n" for i in range(1, 61)]
        runs[0].history.write_text("epoch,loss,accuracy\n" + "".join(rows))
        content = draw_curves(compare(runs).groups)
        pictures.append(np.asarray(Image.open(io.BytesIO(content)).convert("L")))
    assert np.mean(pictures[0] != pictures[1]) < 0.001


def test_missing_history_is_told(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b", OTHER)]
    runs[1].history.unlink()
    with pytest.raises(ArtifactError, match=r"b: its curves cannot be drawn"):
        draw_curves(compare(runs).groups)
