"""A few of what `python -m tests.web` does many of."""

from pathlib import Path

import pytest
from explanation.models import dense, write_run

from apple_clf.runs import Run
from web import faults
from web.serving import Server, serving

pytestmark = pytest.mark.slow


def test_fault_54_many_clients_get_the_answers_of_the_command_line(
    run: Run, tmp_path: Path
) -> None:
    tally = faults.load(run.path, tmp_path, clients=20, requests=10)
    assert (tally.wrong, tally.n_requests) == ([], 200)


def test_fault_55_slow_and_idle_clients_are_cut_off_and_others_answered(
    run: Run, apple: Path
) -> None:
    tally = faults.slow_clients(run.path, apple, idle=40, slow=5)
    assert (tally.wrong, tally.statuses["closed"]) == ([], 50)


def test_fault_56_oversized_bodies_are_refused_early_in_flat_memory(run: Run) -> None:
    tally = faults.oversized(run.path, times=1)
    assert (tally.wrong, tally.n_requests) == ([], 3)


def test_fault_57_bodies_that_are_no_picture_are_told_so(run: Run, apple: Path) -> None:
    assert faults.bad_bodies(run.path, apple).wrong == []


def test_fault_58_foreign_and_malformed_requests_are_refused(run: Run) -> None:
    assert faults.bad_heads(run.path).wrong == []


@pytest.mark.parametrize("workers", [1, 2])
def test_fault_59_accepted_requests_finish_after_sigterm(
    run: Run, tmp_path: Path, workers: int
) -> None:
    tally = faults.stopped_under_load(run.path, tmp_path, requests=8, workers=workers)
    assert (tally.wrong, tally.statuses["200"]) == ([], 8)


def test_fault_60_loaded_model_serves_on_and_a_busy_port_is_told(
    run: Run, tmp_path: Path, apple: Path
) -> None:
    pictures = faults.write_pictures(tmp_path / "pictures", 3)
    other = write_run(tmp_path / "other", dense())
    tally = faults.replaced_and_busy(run.path, tmp_path, [apple, *pictures], other=other.path)
    assert (tally.wrong, tally.n_requests) == ([], 16)


def test_full_room_answers_503_and_when_to_come_again(server: Server, apple: Path) -> None:
    assert faults.crowd(server, apple).wrong == []


def test_killed_worker_is_replaced(run: Run, apple: Path) -> None:
    with serving(run.path, options=["--workers", "2"]) as server:
        tally = faults.killed_worker(server, apple)
    assert tally.wrong == []
