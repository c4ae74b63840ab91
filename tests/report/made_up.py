"""Finished runs made up for tests: their files, without a training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from diagnosis.records import make_statistics

from apple_clf import metrics
from apple_clf.config import dump_experiment, parse_experiment
from apple_clf.data import Split
from apple_clf.diagnosis import Finding, Severity
from apple_clf.evaluation import Evaluation
from apple_clf.metrics import predicted_classes
from apple_clf.prediction.decision.calibration import softmax
from apple_clf.prediction.decision.fitting import Decision
from apple_clf.runs import Run
from apple_clf.runs.environment import environment
from apple_clf.runs.layer_statistics import WeightSnapshots

CLASSES = ("apple", "not_apple")
N_IMAGES, SIDE = 60, 6
EPOCHS = 4
TEMPERATURE = 2.0
FINDING = Finding(
    "overfitting",
    Severity.warning,
    {"on_training_images": 1.0, "on_new_images": 0.8},
    "The training images are known better than new ones.",
    ("training.epochs=10",),
)


def make_run(
    path: Path,
    *overrides: str,
    class_names: Sequence[str] = CLASSES,
    files: Sequence[str] | None = None,
    channels: int = 1,
    findings: Sequence[Finding] = (FINDING,),
    split: str = "test",
    labels: Sequence[int] | None = None,
    temperature: float = TEMPERATURE,
    loss: Sequence[float] = (0.7, 0.5, 0.4, 0.3),
) -> Run:
    """A run with all files that a report reads."""
    run = Run(path)
    run.plots.mkdir(parents=True)
    colour = ("preprocessing.color_mode=rgb",) if channels == 3 else ()
    size = f"preprocessing.image_size=[{SIDE}, {SIDE}]"
    experiment = parse_experiment("{}", filename="test", overrides=(size, *colour, *overrides))
    run.resolved.write_text(dump_experiment(experiment))
    run.history.write_text(
        "epoch,loss,accuracy,val_loss,val_accuracy\n"
        + "".join(f"{i},{value},0.9,0.5,0.8\n" for i, value in enumerate(loss, start=1))
    )
    run.statistics.write_text(make_statistics(epochs=EPOCHS).to_csv())
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(3, SIDE * SIDE * channels, 5)).astype(np.float16)
    run.weights.write_bytes(WeightSnapshots("dense_1", (0, 1, 4), list(weights)).to_bytes())
    found = {"diverged": False, "findings": [finding.as_dict() for finding in findings]}
    run.findings.write_text(json.dumps(found))
    duplicates = {"images": 2, "in_two_splits": 0, "under_two_classes": 0}
    write_json(
        run.dataset,
        source="simulated",
        fingerprint="f" * 64,
        class_names=list(class_names),
        positive_class=class_names[0],
        images={"train": dict.fromkeys(class_names, 100), "test": dict.fromkeys(class_names, 30)},
        duplicates=duplicates,
        bad_files={"train/a.png": "truncated"},
        skipped={},
    )
    write_json(run.environment, **environment(experiment, {"data": 0.5, "training": 2.0, "all": 3}))
    _evaluate(run, class_names, files, labels, channels, temperature, split)
    return run


def _evaluate(
    run: Run,
    class_names: Sequence[str],
    files: Sequence[str] | None,
    labels: Sequence[int] | None,
    channels: int,
    temperature: float,
    split: str,
) -> None:
    """Writes predictions, gallery and metrics."""
    rng = np.random.default_rng(2)
    n_classes = len(class_names)
    y_true = np.arange(N_IMAGES) % n_classes if labels is None else np.array(labels)
    logits = 3 * rng.normal(size=(N_IMAGES, n_classes)) + 4 * np.eye(n_classes)[y_true]
    y_prob = softmax(logits, temperature=temperature).astype(np.float32)
    threshold = 0.4 if n_classes == 2 else None
    evaluation = Evaluation(
        class_names=tuple(class_names),
        positive_class=class_names[0],
        split=Split(
            rng.integers(0, 256, (N_IMAGES, SIDE, SIDE, channels), np.uint8),
            y_true,
            files or [f"test/{i:03d}.png" for i in range(N_IMAGES)],
        ),
        probabilities=y_prob,
        as_trained=softmax(logits).astype(np.float32),
        predicted=predicted_classes(y_prob, positive=0, threshold=threshold),
        unsure=np.arange(N_IMAGES) < 3,
        estimates=metrics.evaluate(y_true, y_prob, positive=0, threshold=threshold),
    )
    run.predictions.write_text(evaluation.predictions_csv(), encoding="utf-8", newline="")
    run.gallery.write_bytes(evaluation.gallery(threshold=threshold).to_bytes())
    write_json(
        run.metrics,
        split=split,
        **evaluation.as_dict(),
        memorisation="it partly memorised its training images: 1.00 on them, 0.80 on new ones",
        decision=Decision(temperature=temperature, threshold=threshold).as_dict(),
        training={
            "epochs": EPOCHS,
            "best_epoch": 3,
            "stopped_early": True,
            "metrics": {"accuracy": 0.995, "balanced_accuracy": 0.99},
        },
    )


def make_diverged(path: Path) -> Run:
    """A run whose training ended in NaN."""
    run = make_run(path, loss=(1.0, 1e38))
    for file in (run.metrics, run.predictions, run.gallery, run.environment):
        file.unlink()
    run.findings.write_text(json.dumps({"diverged": True, "findings": [FINDING.as_dict()]}))
    return run


def make_imported(path: Path) -> Run:
    """A run of a model that was trained elsewhere."""
    run = make_run(path, temperature=1.0)
    content = json.loads(run.metrics.read_bytes())
    write_json(run.metrics, **content | {"training": None, "memorisation": None})
    scaling = {"factor": 1.0, "offset": 0.0}
    origin = {"file": "theirs.keras", "sha256": "0" * 64, "data": "fruit", "scaling": scaling}
    write_json(run.imported, **origin, notes=["It gets pixels of 0 to 1"])
    for file in (run.resolved, run.history, run.statistics, run.weights, run.findings):
        file.unlink()
    return run


def write_json(path: Path, **content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
