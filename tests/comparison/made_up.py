"""Finished runs with chosen answers, as a comparison reads them."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from apple_clf import metrics
from apple_clf.arrays import FloatArray, IntArray
from apple_clf.config import dump_experiment, parse_experiment
from apple_clf.metrics import predicted_classes
from apple_clf.runs import Run

CLASSES = ("apple", "not_apple")
N = 200


def make_run(
    path: Path,
    *overrides: str,
    errors: Sequence[int] = (),
    n: int = N,
    files: str = "drawings/{:03d}.png",
    fingerprint: str = "abc",
    source: str = "folder",
    class_names: Sequence[str] = CLASSES,
    reverse: bool = False,
) -> Run:
    """A run that is wrong on the images with these numbers; every other image is an apple."""
    labels = np.arange(n) % len(class_names)
    y_prob = _probabilities(labels, errors, n_classes=len(class_names))
    order = np.arange(n)[::-1] if reverse else np.arange(n)
    run = Run(path)
    path.mkdir(parents=True)
    experiment = parse_experiment("{}", filename="test", overrides=overrides)
    run.resolved.write_text(dump_experiment(experiment))
    run.history.write_text(
        "epoch,loss,accuracy,val_loss,val_accuracy\n1,0.7,0.5,0.8,0.5\n2,0.5,0.8,0.6,0.7\n"
    )
    counts = np.bincount(labels).tolist()
    images = {"train": {"apple": 1000}, "validation": {}, "test": dict(enumerate(counts))}
    run.dataset.write_text(
        json.dumps({"source": source, "fingerprint": fingerprint, "images": images})
    )
    answers = predicted_classes(y_prob)
    head = ["file", "label", "class", "probability"]
    rows = [[*head, *(f"probabilities.{name}" for name in class_names), "unsure"]]
    for i in order:
        names = class_names[labels[i]], class_names[answers[i]]
        rows.append([files.format(i), *names, f"{y_prob[i].max()}", *map(str, y_prob[i]), "false"])
    run.predictions.write_text("".join(",".join(row) + "\n" for row in rows))
    estimates = metrics.evaluate(labels, y_prob, positive=0)
    content = {
        "split": "test",
        "n_images": n,
        "verdict": "better than guessing",
        "metrics": {name: asdict(each) for name, each in estimates.items()},
        "confusion_matrix": {"class_names": class_names},
        "training": {"epochs": 2},
    }
    run.metrics.write_text(json.dumps(content))
    return run


def _probabilities(labels: IntArray, errors: Sequence[int], *, n_classes: int) -> FloatArray:
    y_prob = np.full((len(labels), n_classes), 0.3 / (n_classes - 1))
    answers = labels.copy()
    answers[list(errors)] = (answers[list(errors)] + 1) % n_classes
    y_prob[np.arange(len(labels)), answers] = 0.7
    return y_prob
