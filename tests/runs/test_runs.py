import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import InChild

from apple_clf.errors import ArtifactError, FileSystemError, LockedError
from apple_clf.runs import Run, create_run, find_run, list_runs, locked


def finish(run: Run) -> Run:
    run.metrics.write_text("{}")
    return run


def test_runs_are_numbered_upward_over_all_names(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "runs"
    names = [create_run(folder, name).name for name in ("a", "b", "a")]
    assert names == ["a-001", "b-002", "a-003"]
    assert [run.name for run in list_runs(folder)] == names


def test_number_of_a_deleted_run_is_not_used_below_the_newest(tmp_path: Path) -> None:
    (tmp_path / "a-001").mkdir()
    (tmp_path / "b-1041").mkdir()
    assert create_run(tmp_path, "a").name == "a-1042"


@pytest.mark.parametrize(
    ("name", "number"),
    [("a-001", 1), ("a-12-2000", 2000), ("a-01", 0), ("best", 0), ("a-001b", 0), ("-001", 0)],
)
def test_number_is_read_from_the_name(name: str, number: int) -> None:
    assert Run(Path("runs") / name).number == number


def test_artefacts_have_names_of_their_own_in_the_folder() -> None:
    run = Run(Path("runs/a-001"))
    artefacts = {
        name: getattr(run, name)
        for name, member in vars(Run).items()
        if isinstance(member, property) and name not in {"name", "number", "is_finished"}
    } | {"roc": run.plot("roc")}
    assert len(set(artefacts.values())) == len(artefacts)
    assert all(path.is_relative_to(run.path) for path in artefacts.values())
    assert run.metrics == Path("runs/a-001/metrics.json")
    assert run.plot("roc") == Path("runs/a-001/plots/roc.png")


def test_what_is_no_run_is_not_listed(tmp_path: Path) -> None:
    run = create_run(tmp_path, "a")
    (tmp_path / "notes").mkdir()
    (tmp_path / "a-007").touch()
    renamed = Run(tmp_path / "renamed")
    renamed.path.mkdir()
    finish(renamed)
    assert list_runs(tmp_path) == [renamed, run]


def test_folder_without_runs_is_empty(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == []
    assert list_runs(tmp_path / "missing") == []


@pytest.mark.parametrize("now", [0, 10_000_000_000], ids=["1970", "2286"])
def test_fault_47_newest_run_is_told_by_its_number(tmp_path: Path, now: int) -> None:
    runs = [finish(create_run(tmp_path, name)) for name in ("b", "a", "c")]
    for run, age in zip(runs, (2, 3, 1), strict=True):
        for path in (run.metrics, run.path):
            os.utime(path, (now + age, now + age))
    create_run(tmp_path, "unfinished")
    assert find_run(None, folder=tmp_path) == runs[-1]
    assert list_runs(tmp_path)[:3] == runs


def test_run_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    run = create_run(tmp_path, "a")
    create_run(tmp_path, "a")
    assert find_run("a-001", folder=tmp_path) == run
    assert find_run(os.fspath(run.path), folder=tmp_path / "elsewhere") == run


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (None, "no finished run here. Train one: apple-clf train"),
        ("b\n-001", r"^b\\n-001: no such run, as a path or under .*: apple-clf runs"),
        ("file", "file: no such run"),
        ("\0", "no such run"),
    ],
    ids=["newest", "name", "file", "NUL"],
)
def test_missing_run_is_an_error(tmp_path: Path, spec: str | None, message: str) -> None:
    create_run(tmp_path, "unfinished")
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match=message):
        find_run(spec, folder=tmp_path)


def test_fault_31_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(FileSystemError, match="cannot be written"):
            create_run(folder, "a")


def test_fault_31_read_only_folder_is_refused(open_folder: Path, as_nobody: InChild) -> None:
    def create() -> str:
        with pytest.raises(FileSystemError) as raised:
            create_run(open_folder, "a")
        return str(raised.value)

    create_run(open_folder, "root")  # loads what it needs
    assert "cannot be written: Permission denied" in as_nobody(create)
    assert [run.name for run in list_runs(open_folder)] == ["root-001"]


def test_fault_31_locked_folder_is_refused(open_folder: Path, as_nobody: InChild) -> None:
    (open_folder / "runs").mkdir(mode=0)

    def look() -> str:
        with pytest.raises(FileSystemError) as raised:
            find_run(None, folder=open_folder / "runs")
        return str(raised.value)

    assert as_nobody(look).endswith("/runs: cannot be read: Permission denied")


def test_locked_run_of_somebody_else_is_passed_over(open_folder: Path, as_nobody: InChild) -> None:
    mine = finish(create_run(open_folder, "mine"))
    private = finish(create_run(open_folder, "private"))
    private.path.chmod(0)
    assert as_nobody(lambda: find_run(None, folder=open_folder).name) == mine.name
    assert as_nobody(lambda: str(len(list_runs(open_folder)))) == "2"


def try_to_lock(run: Run) -> str:
    try:
        with locked(run):
            return "locked"
    except LockedError as error:
        return str(error)


@pytest.mark.timeout(60)
def test_fault_37_second_process_is_kept_out_at_once(tmp_path: Path, in_child: InChild) -> None:
    run = create_run(tmp_path, "a")
    with locked(run):
        run.config.write_text("mine")
        for answer in (in_child(lambda: try_to_lock(run)), try_to_lock(run)):
            assert "a-001: another process is at work on this run" in answer
        assert run.config.read_text() == "mine"
    assert in_child(lambda: try_to_lock(run)) == "locked"


def test_fault_37_lock_of_a_killed_process_is_free(tmp_path: Path, in_child: InChild) -> None:
    run = create_run(tmp_path, "a")

    def die() -> str:
        with locked(run):
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    assert in_child(die) == ""
    assert run.lock.exists()
    assert try_to_lock(run) == "locked"


def test_fault_37_processes_that_create_runs_at_once_get_their_own(
    tmp_path: Path, in_child: InChild
) -> None:
    def create() -> str:
        return " ".join(create_run(tmp_path, "a").name for _ in range(10))

    with ThreadPoolExecutor(3) as executor:
        answers = list(executor.map(lambda _: in_child(create), range(3)))
    assert sorted(" ".join(answers).split()) == [f"a-{i:03d}" for i in range(1, 31)]


def test_lock_is_free_after_an_error(tmp_path: Path) -> None:
    run = create_run(tmp_path, "a")
    with pytest.raises(ValueError, match="mine"), locked(run):
        raise ValueError("mine")
    assert try_to_lock(run) == "locked"


def test_fault_31_run_folder_that_cannot_be_written_cannot_be_locked(
    open_folder: Path, as_nobody: InChild
) -> None:
    run = create_run(open_folder, "a")

    def lock() -> str:
        with pytest.raises(FileSystemError) as raised, locked(run):
            pass
        return str(raised.value)

    assert "a-001: cannot be written: Permission denied" in as_nobody(lock)
