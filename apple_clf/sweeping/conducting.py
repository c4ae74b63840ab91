"""Many trainings of one experiment with other values, compared on the validation images.

Trials are ordinary runs. One process asks Optuna for trials and tells it what they came to; others
train (`Executor`). Whatever is stopped, at any moment, goes on with nothing lost or done twice: the
number of a run follows from its trial, and a trial is told only from what its runs hold.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING

from apple_clf.errors import ConfigError
from apple_clf.io.files import printable, write_whole
from apple_clf.io.interruption import InterruptedTrainingError, Interruption, interruptible
from apple_clf.runs import Run, locked
from apple_clf.runs.files import UnreadableFileError, read_history, read_metrics
from apple_clf.sweeping.orders import Answer, Epoch, Event, Executor, Order, Outcome
from apple_clf.sweeping.progress import SilentSweep, SweepReporter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import Trial

    from apple_clf.config.sweep import SweepPlan
    from apple_clf.sweeping.folder import SweepFolder
    from apple_clf.sweeping.leaderboard import TrialRecord
    from apple_clf.sweeping.study import SweepStudy

SECONDS_TO_LISTEN = 0.2
"""How long a signal may wait while no training tells anything."""


@dataclass(frozen=True)
class Sweep:
    """What a sweep came to."""

    folder: SweepFolder
    leaderboard: Sequence[TrialRecord]

    @property
    def best(self) -> TrialRecord | None:
        """The best trial, if one finished."""
        first = self.leaderboard[0] if self.leaderboard else None
        return first if first and first["rank"] else None

    @property
    def n_failed(self) -> int:
        """Trials without a result, because something went wrong."""
        return sum(record["status"] == "failed" for record in self.leaderboard)


def sweep(
    plan: SweepPlan,
    folder: SweepFolder,
    *,
    executor: Executor,
    storage: str | None = None,
    reporter: SweepReporter | None = None,
) -> Sweep:
    """The sweep, finished; what an earlier process has done of it is kept.

    Args:
        plan: what to try.
        folder: new, or of a sweep that was stopped.
        executor: who trains; it is left open.
        storage: address of the database that holds the trials; the folder's journal if left out.
        reporter: told how it goes.

    Raises:
        ConfigError: the storage cannot be used, or a grid has no end.
        FileSystemError: the folder cannot be written.
        InterruptedTrainingError: a signal asked to stop; the sweep can be resumed.
        LockedError: another process is at work on it.
    """
    from apple_clf.sweeping.study import SweepStudy

    with locked(Run(folder.path)), interruptible() as interruption:
        study = SweepStudy(plan, folder, storage=storage)
        conductor = _Conductor(study, folder, executor, reporter or SilentSweep(), interruption)
        conductor.conduct()
        finished = _conclude(study, folder)
    if interruption.signal_number is not None and conductor.is_incomplete:
        ended = sum(record["status"] != "unfinished" for record in finished.leaderboard)
        raise InterruptedTrainingError(
            f"{printable(folder.path)}: stopped with {ended} of {study.n_trials} trials done. "
            f"Go on: apple-clf sweep --resume {quote(printable(folder.path))}",
            signal_number=interruption.signal_number,
        )
    return finished


@dataclass
class _Conductor:
    """Hands out trainings, and sees each trial to its end."""

    study: SweepStudy
    folder: SweepFolder
    executor: Executor
    reporter: SweepReporter
    interruption: Interruption
    under_way: dict[int, tuple[Trial, Order]] = field(default_factory=dict)
    left_open: int = 0

    @property
    def is_incomplete(self) -> bool:
        """Whether trials are left to do."""
        return self.left_open > 0 or len(self.study.trials) < self.study.n_trials

    def conduct(self) -> None:
        """Goes through all trials."""
        begun = deque(self.study.begun())
        while True:
            while len(self.under_way) < self.executor.capacity and not self.interruption:
                trial = begun.popleft() if begun else self.study.ask()
                if trial is None:
                    break
                self._begin(trial)
            if not self.under_way:
                break
            for order, event in self.executor.receive(timeout=SECONDS_TO_LISTEN):
                self._hear(order, event)
        self.left_open += len(begun)

    def _begin(self, trial: Trial) -> None:
        parameters = self.study.parameters(trial)
        self.reporter.begin(trial.number, parameters, trials=self.study.n_trials)
        self._order(trial, repeat=0)

    def _order(self, trial: Trial, *, repeat: int) -> None:
        plan = self.study.plan
        try:
            experiment = plan.experiment_of(self.study.parameters(trial), repeat=repeat)
        except ConfigError as error:
            self._fail(trial, f"the values do not go together: {error}")
            return
        order = Order(
            trial.number,
            repeat,
            experiment,
            plan.source,
            self.folder.runs,
            number=trial.number * plan.config.seeds + repeat + 1,
        )
        self.under_way[trial.number] = (trial, order)
        self.executor.submit(order)

    def _hear(self, order: Order, event: Event) -> None:
        trial, _ = self.under_way[order.trial]
        if isinstance(event, Epoch):
            self.executor.answer(order, self._answer(trial, order, event))
            return
        del self.under_way[order.trial]
        match event:
            case Outcome("finished"):
                self._finished(trial, order)
            case Outcome("pruned"):
                self.study.prune(trial)
                self._tell_end(trial, "pruned")
            case Outcome("stopped"):
                self.left_open += 1
            case Outcome(_, reason):
                self._fail(trial, reason)

    def _answer(self, trial: Trial, order: Order, event: Epoch) -> Answer:
        config = self.study.plan.config
        value = event.values.get(config.metric)
        epochs = order.experiment.training.epochs
        self.reporter.epoch(trial.number, event.epoch, epochs, value)
        if self.interruption:
            return Answer.STOP
        if order.repeat > 0 or value is None:
            return Answer.GO_ON
        behind = self.study.falls_behind(trial, epoch=event.epoch, value=value)
        return Answer.PRUNE if behind else Answer.GO_ON

    def _finished(self, trial: Trial, order: Order) -> None:
        config = self.study.plan.config
        if order.repeat + 1 < config.seeds:
            if self.interruption:
                self.left_open += 1
            else:
                self._order(trial, repeat=order.repeat + 1)
            return
        runs = [
            Run(self.folder.runs / f"{order.experiment.name}-{order.number - back:03d}")
            for back in reversed(range(config.seeds))
        ]
        try:
            values = [kept_value(run, config.metric) for run in runs]
        except (UnreadableFileError, LookupError, TypeError):
            self._fail(trial, f"there is no {config.metric}: keep validation images")
            return
        self.study.finish(trial, values)
        self._tell_end(trial, f"{config.metric} {sum(values) / len(values):.4f}")

    def _fail(self, trial: Trial, reason: str) -> None:
        self.study.fail(trial, reason)
        self._tell_end(trial, f"failed: {printable(reason)}")

    def _tell_end(self, trial: Trial, told: str) -> None:
        self.reporter.end(trial.number, told, best=self.study.best)


def kept_value(run: Run, metric: str) -> float:
    """The metric in the epoch whose weights a finished run keeps.

    Args:
        run: finished.
        metric: a column of its history.

    Raises:
        UnreadableFileError: a file of the run is missing or damaged.
        LookupError, TypeError: they do not hold it.
    """
    training = read_metrics(run)["training"] or {}
    return read_history(run)[metric][int(training["best_epoch"]) - 1]


def _conclude(study: SweepStudy, folder: SweepFolder) -> Sweep:
    """Writes what the trials came to."""
    from apple_clf.sweeping.leaderboard import best_yaml, leaderboard, leaderboard_csv
    from apple_clf.sweeping.pictures import draw

    records = leaderboard(study.plan, study.trials)
    write_whole(folder.leaderboard, leaderboard_csv(study.plan, records))
    if (best := best_yaml(study.plan, records, name=folder.path.name)) is not None:
        write_whole(folder.best, best)
    pictures = draw(records, metric=study.plan.config.metric, importance=study.importance())
    for name, picture in pictures.items():
        write_whole(folder.plot(name), picture)
    return Sweep(folder, records)
