"""The notebook was run as it stands, and still runs."""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

pytestmark = pytest.mark.slow

PATH = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def code_cells() -> list[dict[str, Any]]:
    cells = json.loads(PATH.read_bytes())["cells"]
    assert 8 <= len(cells) <= 14
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_cells_were_run_in_order_without_errors_or_warnings(
    code_cells: list[dict[str, Any]],
) -> None:
    assert [cell["execution_count"] for cell in code_cells] == list(range(1, len(code_cells) + 1))
    outputs = [output for cell in code_cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {
        *("stream", "display_data", "execute_result")
    }
    assert {output["name"] for output in outputs if "name" in output} == {"stdout"}


def test_outputs_are_small_and_tell_nothing_of_the_machine(
    code_cells: list[dict[str, Any]],
) -> None:
    assert PATH.stat().st_size < 300_000
    text = json.dumps([cell["outputs"] for cell in code_cells])
    text = re.sub(r'"image/png": "[^"]*"', "", text)
    assert re.findall(r"(?<![\w.])[/\\]\w+[/\\]\w+|\w:\\\\|0x[0-9a-f]{6}", text) == []


def test_cells_still_run(
    code_cells: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    names: dict[str, Any] = {}
    sources = ["".join(cell["source"]) for cell in code_cells]
    assert "epochs = 20\n" in sources[0]
    sources[0] = sources[0].replace("epochs = 20\n", "epochs = 2\n")
    for source in sources:
        exec(compile(source, PATH.name, "exec"), names)
    assert sorted(path.name for path in Path("runs").iterdir() if path.is_dir()) == [
        *("apples-001", "rate-0.0001-003", "rate-0.01-002")
    ]
    assert "drawing.png" in capsys.readouterr().out
    names["plt"].close("all")
