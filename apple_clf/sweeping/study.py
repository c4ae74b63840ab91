"""The trials of a sweep in Optuna: chosen, recorded, and found again after a kill.

One process asks and tells. What grid and random choose follows from the seed and the trial's number
alone, so it is the same for any number of workers and after any resumption; what the Parzen
estimator chooses depends on what was told before, hence on the order in which trials end.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from apple_clf.errors import ConfigError, FileSystemError
from apple_clf.io.files import cannot_write, printable
from apple_clf.sweeping.space import (
    distributions,
    grid_point,
    n_trials,
    parameters_of,
    sampler_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from apple_clf.config.sweep import Parameters, SweepPlan
    from apple_clf.sweeping.folder import SweepFolder

REASON, VALUES = "reason", "values"
"""What a trial keeps besides its value: why it failed, and the value of each seed."""

FEWEST_FOR_IMPORTANCE = 10
"""Finished trials without which it would be chance what seems to matter."""

Draw = Callable[[optuna.Study, FrozenTrial, str, BaseDistribution], Any]


class SweepStudy:
    """Optuna's study of one sweep."""

    def __init__(self, plan: SweepPlan, folder: SweepFolder, *, storage: str | None) -> None:
        """Opens the study, or makes it.

        Args:
            plan: what to try.
            folder: its name is the study's; it holds the journal where there is no database.
            storage: address of a database; None is the journal.

        Raises:
            ConfigError: the database cannot be used.
            FileSystemError: the journal cannot be written.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.plan = plan
        self.distributions = distributions(plan.config)
        self.n_trials = n_trials(plan.config)
        self.study = optuna.create_study(
            study_name=folder.path.name,
            storage=_journal(folder) if storage is None else _database(storage),
            sampler=None,
            pruner=_pruner(plan),
            direction="minimize" if plan.config.metric == "val_loss" else "maximize",
            load_if_exists=True,
        )
        self.study.sampler = _sampler(plan, n_before=len(self.trials))

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials so far, by number."""
        return self.study.get_trials(deepcopy=False)

    @property
    def best(self) -> tuple[int, float] | None:
        """The best trial so far and its value, if one has any."""
        values = [(t.number, t.value) for t in self.trials if t.value is not None]
        if self.plan.config.metric == "val_loss":
            return min(values, key=lambda pair: pair[1], default=None)
        return max(values, key=lambda pair: pair[1], default=None)

    def importance(self) -> dict[str, float]:
        """Share of each parameter in what tells the best tenth from the others; may be empty.

        Source: Watanabe et al. 2023, arXiv:2304.10255; it needs no scikit-learn.
        """
        finished = [trial for trial in self.trials if trial.state is TrialState.COMPLETE]
        varied = [
            key
            for key in self.distributions
            if len({str(trial.params[key]) for trial in finished}) > 1
        ]
        if len(finished) < FEWEST_FOR_IMPORTANCE or len(varied) < 2:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return optuna.importance.get_param_importances(
            self.study, evaluator=evaluator, params=varied
        )

    def begun(self) -> list[Trial]:
        """Trials that a stopped sweep left without a result."""
        running = [trial for trial in self.trials if trial.state is TrialState.RUNNING]
        return [self._complete(Trial(self.study, trial._trial_id)) for trial in running]

    def ask(self) -> Trial | None:
        """The next trial, or None if all were begun."""
        if len(self.trials) >= self.n_trials:
            return None
        return self._complete(self.study.ask())

    def _complete(self, trial: Trial) -> Trial:
        """Gives a trial the parameters that it has not got yet."""
        for key, distribution in self.distributions.items():
            _suggest(trial, key, distribution)
        return trial

    def parameters(self, trial: Trial | FrozenTrial) -> Parameters:
        """What the trial tries."""
        return parameters_of(self.plan.config, trial.params)

    def falls_behind(self, trial: Trial, *, epoch: int, value: float) -> bool:
        """Whether the trial is to be pruned, now that an epoch came to a value."""
        if self.plan.config.pruner == "none":
            return False
        if epoch not in self.trials[trial.number].intermediate_values:
            trial.report(value, epoch)
        return trial.should_prune()

    def finish(self, trial: Trial, values: list[float]) -> None:
        """Records what each seed came to; the mean counts."""
        trial.set_user_attr(VALUES, values)
        self.study.tell(trial.number, float(np.mean(values)))

    def prune(self, trial: Trial) -> None:
        """Records that the trial was stopped because it fell behind."""
        self.study.tell(trial.number, state=TrialState.PRUNED)

    def fail(self, trial: Trial, reason: str) -> None:
        """Records why the trial has no result."""
        trial.set_user_attr(REASON, reason)
        self.study.tell(trial.number, state=TrialState.FAIL)


def _suggest(trial: Trial, key: str, values: BaseDistribution) -> None:
    match values:
        case CategoricalDistribution():
            trial.suggest_categorical(key, values.choices)
        case IntDistribution():
            trial.suggest_int(key, values.low, values.high, step=values.step, log=values.log)
        case FloatDistribution():
            trial.suggest_float(key, values.low, values.high, step=values.step, log=values.log)


class _Drawn(optuna.samplers.BaseSampler):
    """Chooses by the trial's number, whatever other trials came to."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._draw(study, trial, param_name, param_distribution)


def _sampler(plan: SweepPlan, *, n_before: int) -> optuna.samplers.BaseSampler:
    seed = plan.experiment.seed
    match sampler_of(plan.config):
        case "grid":
            return _Drawn(lambda _study, trial, key, _: grid_point(plan.config, trial.number)[key])
        case "random":
            return _Drawn(partial(_at_random, plan))
        case "tpe":
            # Of trials under way nothing is known, so it keeps away from them.
            return optuna.samplers.TPESampler(seed=seed + n_before, constant_liar=True)


def _at_random(
    plan: SweepPlan, study: optuna.Study, trial: FrozenTrial, key: str, values: BaseDistribution
) -> Any:
    place = list(plan.config.parameters).index(key)
    seed = np.random.SeedSequence([plan.experiment.seed, trial.number, place]).generate_state(1)[0]
    return optuna.samplers.RandomSampler(seed=int(seed)).sample_independent(
        study, trial, key, values
    )


def _pruner(plan: SweepPlan) -> optuna.pruners.BasePruner:
    epochs = plan.experiment.training.epochs
    match plan.config.pruner:
        case "none":
            return optuna.pruners.NopPruner()
        case "median":
            return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=epochs // 10)
        case "hyperband":
            return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs)


def _journal(folder: SweepFolder) -> JournalStorage:
    path = folder.journal
    try:
        if path.exists():
            _mend(path.read_bytes(), path)
        # Optuna's lock of a killed process; the sweep's own lock keeps living ones out.
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
        return JournalStorage(JournalFileBackend(os.fspath(path)))
    except OSError as error:
        raise cannot_write(path, error) from error
    except ValueError as error:
        raise FileSystemError(
            f"{printable(path)}: damaged ({error}), so the sweep cannot go on. Start a new one."
        ) from error


def _mend(content: bytes, path: Path) -> None:
    """Cuts off a last line that a power cut left without its end."""
    if content and not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


def check_storage(url: str) -> None:
    """Opens a database, and leaves it.

    Raises:
        ConfigError: it cannot be used.
    """
    _database(url)


def _database(url: str) -> optuna.storages.BaseStorage:
    import sqlalchemy.exc

    try:
        return optuna.storages.RDBStorage(url)
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"--storage {printable(url)}: no database can be opened there: {cause}. "
            "Write it like sqlite:///sweeps.db."
        ) from error
