"""What a worker checks and takes over."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from apple_clf.cluster.surroundings import Surroundings, surroundings
from apple_clf.errors import ConfigError, FileSystemError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    monkeypatch.chdir(Path.cwd())  # and back at the end
    monkeypatch.setenv("APPLE_CLF_CACHE", "there")
    (tmp_path / "own").write_text("x")
    return surroundings(tmp_path, own=tmp_path / "own", others=[tmp_path])


def test_folder_and_variables_are_taken_over(
    here: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLE_CLF_CACHE", "elsewhere")
    here.take_on()
    assert Path.cwd() == tmp_path
    assert os.environ["APPLE_CLF_CACHE"] == "there"


def test_another_version_is_refused(here: Surroundings) -> None:
    with pytest.raises(ConfigError, match=r"not 0\.0\.1"):
        replace(here, version="0.0.1").take_on()


def test_storage_that_is_not_shared_is_refused(here: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "own").unlink()
    with pytest.raises(FileSystemError, match="does not see it"):
        here.take_on()
    (tmp_path / "own").write_text("x")
    os.utime(tmp_path / "own", ns=(1, 1))  # as a copy from another time has it
    with pytest.raises(FileSystemError, match="does not see it"):
        here.take_on()


@pytest.mark.parametrize("what", ["landmark", "folder"])
def test_what_must_be_there_is_missed(here: Surroundings, tmp_path: Path, what: str) -> None:
    gone = tmp_path / "gone"
    other = (
        replace(here, landmarks={gone: None}) if what == "landmark" else replace(here, folder=gone)
    )
    with pytest.raises(FileSystemError, match=r"gone: .* share"):
        other.take_on()
