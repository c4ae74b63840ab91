"""Whole sweeps, whose trainings are made up."""

import math
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from apple_clf.config import parse_experiment
from apple_clf.errors import ConfigError, LockedError
from apple_clf.io.interruption import InterruptedTrainingError
from apple_clf.runs import Run, locked
from apple_clf.sweeping import sweep
from apple_clf.sweeping.orders import Event, Order, Outcome

from .made_up import EPOCHS, MadeUp, folder_of, log_rate_curve, plan_of

pytestmark = pytest.mark.slow

RATES = "training.learning_rate=1e-4,1e-3,1e-2,1e-1"


def test_a_grid_ranks_all_combinations(tmp_path: Path) -> None:
    swept = sweep(plan_of(RATES, "model.units=[8],[4]"), folder_of(tmp_path), executor=MadeUp())

    assert [record["rank"] for record in swept.leaderboard] == list(range(1, 9))
    tried = Counter(repr(record["parameters"]) for record in swept.leaderboard)
    assert len(tried) == 8
    assert swept.best is not None
    assert swept.best["parameters"]["training.learning_rate"] == 1e-2
    assert swept.best["value"] == 1.0


@pytest.mark.parametrize("sampler", ["grid", "random"])
def test_the_leaderboard_is_the_same_whatever_the_number_of_workers(
    tmp_path: Path, sampler: str
) -> None:
    plan = plan_of(RATES, "model.units=[8],[4]", f"sweep.sampler={sampler}", "sweep.trials=8")
    texts = []
    for capacity in (1, 2, 5):
        folder = folder_of(tmp_path / str(capacity))
        sweep(plan, folder, executor=MadeUp(capacity))
        texts.append(folder.leaderboard.read_text())

    assert texts[0] == texts[1] == texts[2]
    assert texts[0].count("\n") == 9


def test_another_seed_gives_other_random_trials(tmp_path: Path) -> None:
    wide = ("sweep.sampler=random", "sweep.trials=5")
    source = b"sweep: {parameters: {training.learning_rate: {low: 1e-5, high: 1.0, log: true}}}"
    from apple_clf.config.sweep import parse_sweep

    found = []
    for seed in (1, 2):
        plan = parse_sweep(source, filename="f", overrides=[*wide, f"seed={seed}"])
        executor = MadeUp()
        sweep(plan, folder_of(tmp_path / str(seed)), executor=executor)
        found.append([order.experiment.training.learning_rate for order in executor.orders])

    assert not set(found[0]) & set(found[1])


def test_best_yaml_is_an_experiment_with_the_best_values(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    sweep(plan_of(RATES), folder, executor=MadeUp())

    text = folder.best.read_text()
    assert parse_experiment(text, filename="best").training.learning_rate == 1e-2
    assert "# val_accuracy 1.0000. It was chosen by that number, which flatters it" in text


def test_seeds_are_repeated_and_their_mean_counts(tmp_path: Path) -> None:
    def curve(order: Order) -> list[float]:
        return [0.5 + 0.1 * order.repeat]

    executor = MadeUp(2, curve=curve)
    swept = sweep(plan_of(RATES, "sweep.seeds=3"), folder_of(tmp_path), executor=executor)

    record = swept.leaderboard[0]
    assert record["values"] == pytest.approx([0.5, 0.6, 0.7])
    assert record["value"] == pytest.approx(0.6)
    assert record["spread"] == pytest.approx(0.1)
    assert record["runs"] == ["tiny-001", "tiny-002", "tiny-003"]
    assert sorted(order.experiment.seed for order in executor.orders) == sorted([42, 43, 44] * 4)


def test_the_value_is_that_of_the_epoch_whose_weights_are_kept(tmp_path: Path) -> None:
    class StoppedEarly(MadeUp):
        @staticmethod
        def _write(order: Order, curve: object) -> None:
            MadeUp._write(order, [0.2, 0.9, 0.1])
            order.run.metrics.write_text('{"training": {"best_epoch": 2}}')

    swept = sweep(plan_of(RATES), folder_of(tmp_path), executor=StoppedEarly())

    assert swept.leaderboard[0]["value"] == 0.9


def test_the_least_loss_wins(tmp_path: Path) -> None:
    class Losses(MadeUp):
        @staticmethod
        def _write(order: Order, curve: object) -> None:
            MadeUp._write(order, [0.3])
            loss = order.number / 10
            order.run.history.write_text(f"epoch,val_loss\n1,{loss}\n")

    plan = plan_of(RATES, "sweep.metric=val_loss")
    swept = sweep(plan, folder_of(tmp_path), executor=Losses())

    assert [record["value"] for record in swept.leaderboard] == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_hopeless_trials_are_pruned(tmp_path: Path, pruner: str) -> None:
    rates = ",".join(f"1e-{n}" for n in (2, 2, 2, 2, 2, 2, 12, 12, 12, 12))
    plan = plan_of(f"training.learning_rate={rates}", f"sweep.pruner={pruner}")
    swept = sweep(plan, folder_of(tmp_path), executor=MadeUp())

    pruned = [record for record in swept.leaderboard if record["status"] == "pruned"]
    assert pruned
    assert all(record["rank"] is None for record in pruned)
    assert all(record["parameters"]["training.learning_rate"] == 1e-12 for record in pruned)
    assert all(record["pruned_after"] <= EPOCHS for record in pruned)


def test_fault_52_a_failed_trial_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    class Fails(MadeUp):
        def receive(self, *, timeout: float) -> list[tuple[Order, Event]]:
            [(order, event)] = super().receive(timeout=timeout)
            if order.trial == 1 and isinstance(event, Outcome):
                return [(order, Outcome("failed", "diverged"))]
            return [(order, event)]

    folder = folder_of(tmp_path)
    swept = sweep(plan_of(RATES), folder, executor=Fails())

    assert swept.n_failed == 1
    assert swept.leaderboard[-1]["reason"] == "diverged"
    assert [record["status"] for record in swept.leaderboard] == ["finished"] * 3 + ["failed"]
    assert "failed" in folder.leaderboard.read_text()


def test_values_that_do_not_go_together_fail_by_themselves(tmp_path: Path) -> None:
    plan = plan_of("data.validation_samples=0,50", "training.early_stopping=null,{patience: 2}")
    swept = sweep(plan, folder_of(tmp_path), executor=MadeUp(curve=lambda order: [0.5]))

    assert swept.n_failed == 1
    assert "do not go together" in swept.leaderboard[-1]["reason"]


class _Stop(BaseException):
    """As a SIGKILL: nothing is tidied up."""


class Killed(MadeUp):
    """An executor under which the whole sweep dies after some events."""

    def receive(self, *, timeout: float) -> list[tuple[Order, Event]]:
        self.stop_after -= 1
        if self.stop_after < 0:
            raise _Stop
        return list(super().receive(timeout=timeout))


@pytest.mark.parametrize("sampler", ["grid", "random", "tpe"])
def test_fault_53_a_sweep_that_dies_anywhere_loses_and_doubles_nothing(
    tmp_path: Path, sampler: str
) -> None:
    plan = plan_of(RATES, f"sweep.sampler={sampler}", "sweep.trials=4", "sweep.seeds=2")
    whole = folder_of(tmp_path / "whole")
    sweep(plan, whole, executor=MadeUp(2))
    n_events = 4 * 2 * (EPOCHS + 1)
    for dies_after in range(0, n_events, 9):
        folder = folder_of(tmp_path / str(dies_after))
        dying = Killed(2)
        dying.stop_after = dies_after
        with pytest.raises(_Stop):
            sweep(plan, folder, executor=dying)
        sweep(plan, folder, executor=MadeUp(2))

        runs = sorted(path.name for path in folder.runs.glob("tiny-*"))
        assert runs == [f"tiny-{number:03d}" for number in range(1, 9)]
        if sampler != "tpe":  # whose choice rests on the order of what it was told
            assert folder.leaderboard.read_text() == whole.leaderboard.read_text()


def test_a_finished_sweep_is_not_trained_again(tmp_path: Path) -> None:
    folder, executor = folder_of(tmp_path), MadeUp()
    sweep(plan_of(RATES), folder, executor=MadeUp())
    before = folder.leaderboard.read_text()

    sweep(plan_of(RATES), folder, executor=executor)

    assert not executor.orders
    assert folder.leaderboard.read_text() == before


def test_more_trials_go_on_where_the_sweep_ended(tmp_path: Path) -> None:
    folder, executor = folder_of(tmp_path), MadeUp()
    random = (RATES, "sweep.sampler=random")
    sweep(plan_of(*random, "sweep.trials=3"), folder, executor=MadeUp())

    swept = sweep(plan_of(*random, "sweep.trials=5"), folder, executor=executor)

    assert [order.trial for order in executor.orders] == [3, 4]
    assert len(swept.leaderboard) == 5


def test_a_line_that_a_power_cut_left_half_written_is_cut_off(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    sweep(plan_of(RATES), folder, executor=MadeUp())
    whole = folder.leaderboard.read_text()
    with folder.journal.open("ab") as file:
        file.write(b'{"op_code":4,"worker')

    sweep(plan_of(RATES), folder, executor=MadeUp())

    assert folder.leaderboard.read_text() == whole


def test_a_signal_stops_trainings_and_tells_how_to_go_on(tmp_path: Path) -> None:
    class Interrupted(MadeUp):
        calls = 0

        def receive(self, *, timeout: float) -> list[tuple[Order, Event]]:
            self.calls += 1
            if self.calls == 3:
                os.kill(os.getpid(), signal.SIGINT)
            return list(super().receive(timeout=timeout))

    folder = folder_of(tmp_path)
    many = "training.learning_rate=" + ",".join(f"{n}e-4" for n in range(1, 41))
    with pytest.raises(InterruptedTrainingError, match="--resume") as stopped:
        sweep(plan_of(many), folder, executor=Interrupted(2))
    assert stopped.value.exit_code == 130

    swept = sweep(plan_of(many), folder, executor=MadeUp())
    assert [record["status"] for record in swept.leaderboard] == ["finished"] * 40


def test_a_database_may_hold_the_trials(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trials.db"
    folder = folder_of(tmp_path)
    sweep(plan_of(RATES), folder, executor=MadeUp(), storage=url)
    executor = MadeUp()
    swept = sweep(plan_of(RATES), folder, executor=executor, storage=url)

    assert not executor.orders
    assert len(swept.leaderboard) == 4
    assert not folder.journal.exists()


def test_a_storage_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no database can be opened"):
        sweep(plan_of(RATES), folder_of(tmp_path), executor=MadeUp(), storage="nonsense")


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with locked(Run(folder.path)), pytest.raises(LockedError):
        sweep(plan_of(RATES), folder, executor=MadeUp())


def test_a_metric_that_was_not_measured_is_told(tmp_path: Path) -> None:
    swept = sweep(
        plan_of("training.learning_rate=1e-3,1e-2", "sweep.metric=val_loss"),
        folder_of(tmp_path),
        executor=MadeUp(),
    )

    assert swept.best is None
    assert "keep validation images" in swept.leaderboard[0]["reason"]


def test_the_parzen_estimator_finds_what_chance_misses(tmp_path: Path) -> None:
    source = b"""
sweep:
  trials: 30
  parameters:
    training.learning_rate: {low: 1e-9, high: 1e+5, log: true}
"""
    from apple_clf.config.sweep import parse_sweep

    mean = {}
    for sampler in ("tpe", "random"):
        fixed = [f"sweep.sampler={sampler}", f"training.epochs={EPOCHS}"]
        plan = parse_sweep(source, filename="f", overrides=fixed)
        executor = MadeUp()
        sweep(plan, folder_of(tmp_path / sampler), executor=executor)
        later = [log_rate_curve(order)[-1] for order in executor.orders[15:]]
        mean[sampler] = math.fsum(later) / len(later)

    assert mean["tpe"] > mean["random"] + 0.1
