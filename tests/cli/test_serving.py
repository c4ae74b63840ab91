import socket
import subprocess
import sys
from pathlib import Path

import pytest
from explanation.models import dense, write_run

from apple_clf.runs import Run

from .conftest import Cli

pytest.importorskip("fastapi", reason="the extra [serve] is not installed")


def test_run_that_is_not_there_is_told(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("serve", "--runs", tmp_path)
    assert (outcome.code, outcome.out) == (4, "")
    assert "no finished run" in outcome.err


def test_damaged_model_is_told_before_anything_listens(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("[")
    outcome = cli("serve", tmp_path)
    assert outcome.code == 4
    assert "Serving" not in outcome.err


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_address_of_another_machine_is_told(cli: Cli, run: Run, host: str) -> None:
    outcome = cli("serve", run.path, "--host", host, "--port", "0")
    assert outcome.code == 5
    assert "cannot listen" in outcome.err


def test_busy_port_is_told(cli: Cli, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = cli("serve", run.path, "--port", str(port))
    assert outcome.code == 5
    assert f"port {port}" in outcome.err
    assert "--port" in outcome.err


@pytest.mark.parametrize("option", [("--port", "65536"), ("--workers", "0")])
def test_numbers_out_of_range_are_usage_errors(cli: Cli, option: tuple[str, str]) -> None:
    assert cli("serve", *option).code == 2


def test_collecting_by_names_of_no_folder_is_told(cli: Cli, run: Run, tmp_path: Path) -> None:
    outcome = cli("serve", run.path, "--port", "0", "--collect", tmp_path / "new")
    assert outcome.code == 2
    assert "./=pear" in outcome.err
    assert not (tmp_path / "new").exists()


def test_collecting_into_a_file_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    plain = write_run(tmp_path / "plain", dense())
    outcome = cli("serve", plain.path, "--port", "0", "--collect", tmp_path / "file")
    assert outcome.code == 5
    assert "file" in outcome.err


def test_missing_extra_is_one_line_that_says_what_to_install(run: Run) -> None:
    program = (
        "import sys; sys.modules['fastapi'] = None; "
        f"sys.argv = ['apple-clf', 'serve', {str(run.path)!r}]; "
        "from apple_clf.cli import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 2
    assert "pip install 'apple-clf[serve]'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_old_way_to_name_runs_still_works_with_a_note(cli: Cli, tmp_path: Path) -> None:
    new = cli("serve", tmp_path, "--port", "0")
    old = cli("serve", "--run", tmp_path, "--port", "0")
    assert old.code == new.code == 4
    note = f"Note: --run {tmp_path} still works; write apple-clf serve {tmp_path}.\n"
    assert old.err == note + new.err
