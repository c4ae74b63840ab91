"""The entries of the metrics, walked through every place that tells of a metric."""

from pathlib import Path

import numpy as np
import pytest

from apple_clf import metrics
from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics import scores
from apple_clf.metrics.catalogue import METRICS, Metric, words_of

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def guesses(n_classes: int) -> tuple[IntArray, FloatArray]:
    rng = np.random.default_rng(5)
    return np.arange(60) % n_classes, rng.dirichlet(np.ones(n_classes), 60)


def perfect(n_classes: int) -> tuple[IntArray, FloatArray]:
    y_true = np.arange(60) % n_classes
    return y_true, np.eye(n_classes)[y_true]


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_metric_has_a_function_of_its_name(metric: Metric) -> None:
    assert callable(getattr(scores, metric.name))


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_metrics_are_measured_from_their_number_of_classes_on(n_classes: int) -> None:
    found = metrics.evaluate(*guesses(n_classes), positive=0)
    assert list(found) == [name for name, each in METRICS.items() if n_classes >= each.min_classes]


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_values_and_intervals_lie_in_the_range(metric: Metric, n_classes: int) -> None:
    n_classes = max(n_classes, metric.min_classes)
    for answers in (guesses(n_classes), perfect(n_classes)):
        found = metrics.evaluate(*answers, positive=1)[metric.name]
        assert found.low is not None
        assert found.value is not None
        assert found.high is not None
        assert metric.low <= found.low <= found.value <= found.high <= metric.high


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_perfect_answers_have_the_best_value(metric: Metric) -> None:
    n_classes = max(2, metric.min_classes)
    best = metrics.evaluate(*perfect(n_classes), positive=1)[metric.name].value
    assert best == pytest.approx(metric.high if metric.larger_is_better else metric.low, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_docs_list_every_metric_as_its_entry_describes_it(metric: Metric) -> None:
    better = "larger" if metric.larger_is_better else "smaller"
    top = "infinity" if metric.high == np.inf else f"{metric.high:g}"
    cells = (f"`{metric.name}`", metric.meaning, f"{metric.low:g} to {top}", better)
    assert f"\n| {' | '.join(cells)} | {metric.min_classes} or more |\n" in DOCS


def test_names_of_other_versions_are_told_in_their_own_words() -> None:
    assert words_of("roc_auc") == "ROC AUC"
    assert words_of("cohens_kappa") == "cohens kappa"
