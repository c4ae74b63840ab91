"""Actors that die as often as a script says; Ray itself is played."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("ray")

from ray.exceptions import ActorDiedError, RayTaskError

from apple_clf.cluster import actors
from apple_clf.cluster.actors import ATTEMPTS, Actors
from apple_clf.config import parse_experiment
from apple_clf.errors import ConfigError, FileSystemError
from apple_clf.sweeping.orders import Answer, Epoch, Event, Order, Outcome

EXPERIMENT = parse_experiment("{}", filename="tiny")


def order(trial: int) -> Order:
    return Order(trial, 0, EXPERIMENT, b"", Path("runs"), number=trial + 1)


class Played:
    """Ray, whose tasks come to what the script says; a task is its result."""

    def __init__(self, script: Iterator[Any]) -> None:
        self.script = script
        self.killed = 0

    def remote(self, **_: object) -> Any:
        call = SimpleNamespace(remote=lambda *_: Ref([next(self.script)]))
        handle = SimpleNamespace(start=call, begin=call, go_on=call)
        return lambda _: SimpleNamespace(remote=lambda *_: handle)

    def wait(self, refs: list[Any], **_: object) -> tuple[list[Any], list[Any]]:
        return refs, []

    def get(self, ref: list[Any]) -> Any:
        if isinstance(ref[0], Exception):
            raise ref[0]
        return ref[0]

    def kill(self, _: object) -> None:
        self.killed += 1


class Ref(list[Any]):
    """A result that can stand in a dictionary, as Ray's can."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # by identity


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def made(*script: Any, capacity: int = 1) -> tuple[Actors, Played]:
        played = Played(iter(script))
        monkeypatch.setattr(actors, "ray", played)
        (tmp_path / "own").touch()
        return Actors(capacity, own=tmp_path / "own"), played

    return made


def heard(executor: Actors, n: int) -> list[tuple[int, Event]]:
    """Events of so many looks."""
    return [(o.trial, event) for _ in range(n) for o, event in executor.receive(timeout=0)]


DEAD, FINE = ActorDiedError(), Outcome("finished")


def test_an_order_goes_on_with_another_worker(play: Any) -> None:
    executor, played = play(None, Epoch(1, {}), DEAD, None, FINE)
    executor.submit(order(0))
    assert heard(executor, 2) == [(0, Epoch(1, {}))]
    executor.answer(order(0), Answer.GO_ON)
    assert heard(executor, 3) == [(0, FINE)]
    assert played.killed == 1


def test_an_order_that_kills_its_workers_fails_and_the_next_is_taken(play: Any) -> None:
    executor, _ = play(*[None, DEAD] * ATTEMPTS, None, FINE)
    executor.submit(order(0))
    ((_, event),) = heard(executor, 2 * ATTEMPTS)
    assert event == Outcome("failed", "3 workers died of it; did memory run out?")
    executor.submit(order(1))
    assert heard(executor, 2) == [(1, FINE)]


def test_the_order_of_a_dead_worker_goes_to_an_idle_one_where_there_is_no_room(play: Any) -> None:
    executor, _ = play(None, None, FINE, DEAD, FINE, capacity=2)
    executor.submit(order(0))
    executor.submit(order(1))
    assert heard(executor, 3) == [(0, FINE), (1, FINE)]


def test_one_that_stopped_for_want_of_an_answer_goes_on(play: Any) -> None:
    executor, _ = play(None, Epoch(1, {}), Outcome("stopped"), FINE)
    executor.submit(order(0))
    heard(executor, 2)
    executor.answer(order(0), Answer.GO_ON)
    assert heard(executor, 2) == [(0, FINE)]


def test_one_that_was_told_to_stop_has_stopped(play: Any) -> None:
    executor, _ = play(None, Epoch(1, {}), Outcome("stopped"))
    executor.submit(order(0))
    heard(executor, 2)
    executor.answer(order(0), Answer.STOP)
    assert heard(executor, 1) == [(0, Outcome("stopped"))]


def test_workers_that_cannot_start_end_the_sweep(play: Any) -> None:
    cause = RayTaskError("__init__", "No module named 'apple_clf'", ModuleNotFoundError())
    executor, _ = play(*[ActorDiedError(cause)] * ATTEMPTS)
    executor.submit(order(0))
    with pytest.raises(ConfigError, match=r"No module named.* installed on every machine"):
        heard(executor, ATTEMPTS)


def test_a_worker_that_sees_other_files_ends_the_sweep(play: Any) -> None:
    error = RayTaskError("start", "", FileSystemError("does not see it"))
    executor, _ = play(error)
    executor.submit(order(0))
    with pytest.raises(FileSystemError, match="does not see it"):
        heard(executor, 1)


def test_a_bug_fails_its_trial_only(play: Any) -> None:
    executor, _ = play(None, RayTaskError("begin", "", KeyError("x")), FINE)
    executor.submit(order(0))
    ((_, event),) = heard(executor, 2)
    assert event == Outcome("failed", "its worker failed: KeyError('x')")
    executor.submit(order(1))
    assert heard(executor, 1) == [(1, FINE)]
