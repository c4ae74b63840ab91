"""A worker's trainings, in this process: no cluster is needed."""

from pathlib import Path

import pytest

from apple_clf.cluster.surroundings import surroundings
from apple_clf.cluster.trainer import Trainer
from apple_clf.config import parse_experiment
from apple_clf.sweeping.orders import Answer, Epoch, Order, Outcome

pytestmark = pytest.mark.slow

SOURCE = b"""
name: tiny
data: {source: noise, train_samples: 20, validation_samples: 10, test_samples: 10}
model: {units: [2]}
training: {epochs: 3}
"""


@pytest.fixture
def order(tmp_path: Path) -> Order:
    experiment = parse_experiment(SOURCE.decode(), filename="tiny")
    return Order(0, 0, experiment, SOURCE, tmp_path, number=1)


def trainer(tmp_path: Path, answer_seconds: float) -> Trainer:
    (tmp_path / "own").touch()
    return Trainer(surroundings(tmp_path, own=tmp_path / "own"), answer_seconds=answer_seconds)


def test_each_epoch_is_told_and_then_the_end(order: Order, tmp_path: Path) -> None:
    worker = trainer(tmp_path, 60)
    events = [worker.begin(order), *(worker.go_on(Answer.GO_ON) for _ in range(3))]
    assert [event.epoch for event in events[:3] if isinstance(event, Epoch)] == [1, 2, 3]
    assert events[3] == Outcome("finished")
    assert worker.begin(order) == Outcome("finished")  # asked again, it is finished already


def test_a_training_that_nobody_answers_stops_so_that_another_can_go_on(
    order: Order, tmp_path: Path
) -> None:
    cut_off = trainer(tmp_path, 0.01)
    assert isinstance(cut_off.begin(order), Epoch)
    # Whoever goes on waits for the lock, which the other gives back with its checkpoint.
    other = trainer(tmp_path, 60)
    event = other.begin(order)
    assert list(order.run.checkpoints.glob("*.checkpoint"))
    assert isinstance(event, Epoch)
    assert event.epoch == 2
    assert isinstance(other.go_on(Answer.GO_ON), Epoch)
    assert other.go_on(Answer.GO_ON) == Outcome("finished")


def test_what_it_raises_it_raises_to_the_sweep(order: Order, tmp_path: Path) -> None:
    (tmp_path / "own").touch()
    worker = trainer(tmp_path, 60)
    with pytest.raises(AttributeError):
        worker.begin(None)  # type: ignore[arg-type]  # a bug
    assert isinstance(worker.begin(order), Epoch)  # and lives on
    worker.go_on(Answer.STOP)
