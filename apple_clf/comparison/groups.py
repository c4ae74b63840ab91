"""Runs to compare: names that tell them apart, and those of one experiment taken together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from apple_clf.comparison.experiments import Tree
from apple_clf.comparison.reading import Judged
from apple_clf.comparison.unpaired import seed_mean
from apple_clf.errors import ConfigError
from apple_clf.io.files import printable
from apple_clf.metrics.intervals import Estimate
from apple_clf.runs import Run

SEVERAL = "several"


@dataclass(frozen=True)
class Group:
    """A run, or several of one experiment that differ in nothing but the seed."""

    runs: Sequence[Judged]

    @property
    def label(self) -> str:
        """The first run's, and how many seeds there are."""
        first = self.runs[0].label
        return f"{first} ({len(self.runs)} seeds)" if len(self.runs) > 1 else first

    @cached_property
    def metrics(self) -> dict[str, Estimate]:
        """A run's metrics with their intervals over images; for seeds, means over these."""
        means = {name: seed_mean(self.estimates(name)) for name in self.runs[0].metrics}
        return {name: mean for name, mean in means.items() if mean is not None}

    def estimates(self, metric: str) -> list[Estimate]:
        """A metric of each run; one without a value if a run does not have it."""
        nothing = Estimate(None, None, None, "none")
        return [run.metrics.get(metric, nothing) for run in self.runs]

    @property
    def data(self) -> dict[str, str]:
        """What the runs learnt from and were judged on, in a few words."""
        rows = [_data_of(run) for run in self.runs]
        return {
            key: rows[0][key] if all(row[key] == rows[0][key] for row in rows) else SEVERAL
            for key in rows[0]
        }


def _data_of(run: Judged) -> dict[str, str]:
    sizes = {f"{split} images": f"{n:,}" for split, n in run.images.items()}
    return {
        "source": run.source,
        "fingerprint": run.fingerprint[:12],
        "classes": ", ".join(map(printable, run.class_names)),
        **sizes,
        "judged on": f"{run.n_images:,} {run.split} images",
    }


def group_by_seed(runs: Sequence[Judged]) -> list[Group]:
    """The runs in groups of one experiment; each by itself if that would leave a single group."""
    groups: dict[str, list[Judged]] = {}
    for run in runs:
        key = run.label if run.experiment is None else repr(without_seed(run.experiment))
        groups.setdefault(key, []).append(run)
    if len(groups) == 1:
        return [Group([run]) for run in runs]
    return [Group(members) for members in groups.values()]


def without_seed(experiment: Tree) -> Tree:
    """An experiment but for where its chance starts."""
    return {key: value for key, value in experiment.items() if key != "seed"}


def labels(runs: Sequence[Run]) -> list[str]:
    """The runs' names, with as many of the folders above them as tell them apart.

    Raises:
        ConfigError: one comes twice.
    """
    paths = [run.path.resolve() for run in runs]
    for path in paths:
        if paths.count(path) > 1:
            raise ConfigError(f"{printable(path)}: this run was named twice. Name it once.")
    length = 1
    while len({path.parts[-length:] for path in paths}) < len(paths):
        length += 1
    return [printable("/".join(path.parts[-length:])) for path in paths]
