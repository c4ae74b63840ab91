import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apple_clf.io import quiet


def test_what_c_writes_to_stderr_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet.quiet_stderr():
        os.write(2, b"greeting")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_it_is_shown_if_the_block_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with quiet.quiet_stderr():
            os.write(2, b"cause")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert capfd.readouterr().err == "cause"


def test_who_asks_for_the_log_sees_it(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "WANTS_LOG", True)
    with quiet.quiet_stderr():
        os.write(2, b"log")
    assert capfd.readouterr().err == "log"


def test_no_file_stays_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with quiet.quiet_stderr():
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_stderr_is_no_error(closed: str, tmp_path: Path) -> None:
    program = (
        "import pathlib, sys; from apple_clf.io import quiet\n"
        "with quiet.quiet_stderr(): pass\n"
        "pathlib.Path(sys.argv[1]).touch()"
    )
    done = tmp_path / "done"
    command = f'"$0" -c "$1" "$2" {closed}'
    result = subprocess.run(["sh", "-c", command, sys.executable, program, done], check=False)
    assert (result.returncode, done.exists()) == (0, True)


@pytest.mark.parametrize(
    ("level", "wanted"), [(None, False), ("0", True), ("1", True), ("2", False), ("3", False)]
)
def test_the_log_is_wanted_by_a_level_that_shows_it(
    level: str | None, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    importlib.reload(quiet)
    assert wanted is quiet.WANTS_LOG
