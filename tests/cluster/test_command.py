"""What `--ray` refuses before anything is begun."""

import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import Cli

from apple_clf.cluster import installed
from apple_clf.runs import Run

NOWHERE = "127.0.0.1:1"


@pytest.mark.parametrize("package", ["ray", "pyarrow"])
def test_a_missing_extra_is_told_in_one_line(
    cli: Cli,
    run: Run,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda name: None if name == package else True)
    out = tmp_path / "out"
    outcome = cli("predict", pictures, "--run", run.path, "--ray", "auto", "--out", out)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"Error: --ray needs {package}, which is not installed: pip install 'apple-clf[ray]'\n"
    )
    assert not out.exists()


@pytest.mark.parametrize(
    "words",
    [
        "- --ray auto --out {out}",
        "{p} --ray auto",
        "{p} --ray auto --out {out} --format csv",
        "{p} --out {out}",
        "{p} --format parquet",
        "{p} --shard-size 3",
    ],
)
def test_options_that_do_not_go_together_are_refused(
    cli: Cli, run: Run, pictures: Path, tmp_path: Path, words: str
) -> None:
    filled = [word.format(p=pictures, out=tmp_path / "out") for word in words.split()]
    outcome = cli("predict", *filled, "--run", run.path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "--ray" in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", [NOWHERE, "nonsense", "a:b:c", ""])
def test_without_a_cluster_nothing_is_made(
    cli: Cli, run: Run, pictures: Path, tmp_path: Path, address: str
) -> None:
    pytest.importorskip("ray")
    made = tmp_path / "made"
    for command in (
        ["predict", pictures, "--run", run.path, "--out", made],
        ["sweep", "--set", "seed=1,2", "--sweeps", made],
    ):
        outcome = cli(*command, "--ray", address)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"Error: --ray {address}: no Ray cluster answers there")
        assert len(outcome.err.splitlines()) == 1
        assert not made.exists()


def test_no_other_command_imports_ray(run: Run, pictures: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "apple_clf"]
    done = subprocess.run(
        [*command, "predict", pictures, "--run", run.path],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    names = (line.rpartition("|")[2].strip() for line in done.stderr.splitlines())
    imported = {name.partition(".")[0] for name in names}
    assert "numpy" in imported
    assert not imported & {"ray", "pyarrow"}
