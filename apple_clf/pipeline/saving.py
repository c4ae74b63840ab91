"""Trained model + data -> what a run keeps of it: the model's files, and how good it is."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.config import load_recorded
from apple_clf.config.schema import DecisionConfig
from apple_clf.data import SPLITS, Dataset, Split
from apple_clf.data.recorded_data import load_recorded_data
from apple_clf.diagnosis import read_record
from apple_clf.errors import ArtifactError
from apple_clf.evaluation import Evaluation, evaluate, evaluate_briefly
from apple_clf.evaluation import draw as draw_evaluation
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io.files import write_whole
from apple_clf.plots import KeptEpoch, learning_curves
from apple_clf.prediction.decision.fitting import Decision, fit_decision, given_decision
from apple_clf.prediction.decision.novelty import (
    MIN_TO_JUDGE,
    Gaussian,
    cross_fitted_distances,
    fit_gaussian,
    novelty_threshold,
)
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run
from apple_clf.runs.model_record import ModelRecord

if TYPE_CHECKING:
    from apple_clf.model.backend import keras
    from apple_clf.training import Training

MAX_DESCRIBED = 20_000
"""Images whose appearance is measured; more would tell the same and take longer."""


def save_model(
    run: Run,
    model: "keras.Model",
    dataset: Dataset,
    preprocessing: Preprocessing,
    config: DecisionConfig,
    *,
    copies: Split | None = None,
) -> tuple[Predictor, Decision]:
    """What `predict` will use, once the run holds it, and how outputs become answers.

    Args:
        run: gets model.keras, model.tflite and model.json.
        model: as from `build_model`, trained.
        dataset: its validation images decide how outputs become answers, its training and
            validation images what an ordinary picture looks like.
        preprocessing: the contract of the data set's pixels.
        config: what is to be decided; it fits the data.
        copies: other views of the training images that are ordinary, too.

    Raises:
        FileSystemError: a file cannot be written.
    """
    from apple_clf.model.files import keras_bytes, litert_bytes

    validates = len(dataset.validation) > 0
    ordinary = _ordinary(dataset, copies, config)
    keras_file = keras_bytes(model)
    litert_file = litert_bytes(model, novelty=ordinary.gaussian)
    decision = given_decision(config, n_classes=len(dataset.class_names))
    record = ModelRecord(
        class_names=dataset.class_names,
        positive_class=dataset.positive_class,
        preprocessing=preprocessing,
        threshold=0.5 if len(dataset.class_names) == 2 else None,
        temperature=1.0,
        keras_version=version("keras"),
        keras_sha256=hashlib.sha256(keras_file).hexdigest(),
        litert_sha256=hashlib.sha256(litert_file).hexdigest(),
    )
    if validates:
        decision = _fit(config, Predictor(record, litert_file), dataset)
    decision = replace(
        decision,
        novelty_threshold=ordinary.threshold,
        notes=(*decision.notes, *ordinary.notes),
    )
    record = replace(
        record,
        threshold=decision.threshold,
        threshold_goal=decision.choice.goal if decision.choice else None,
        temperature=decision.temperature,
        novelty_threshold=decision.novelty_threshold,
    )
    write_whole(run.keras_model, keras_file)
    write_whole(run.litert_model, litert_file)
    write_whole(run.model_record, record.to_json())
    return Predictor(record, litert_file), decision


@dataclass(frozen=True)
class _Ordinary:
    """What ordinary pictures look like, and from where on one is unlike them."""

    gaussian: Gaussian | None = None
    threshold: float | None = None
    notes: tuple[str, ...] = ()


def _ordinary(dataset: Dataset, copies: Split | None, config: DecisionConfig) -> _Ordinary:
    """The appearance of all pictures that are not kept for the test, and their 99 %.

    Nothing of it is learnt with the weights, so training images serve as well as others.
    """
    if config.false_alarm_rate is None:
        return _Ordinary()
    splits = [dataset.train, *([copies] if copies else []), dataset.validation]
    n_train, n_images = len(dataset.train), sum(map(len, splits))
    if n_train + len(dataset.validation) < MIN_TO_JUDGE:
        return _Ordinary(notes=(_too_few_to_judge(n_train + len(dataset.validation)),))
    from apple_clf.model.appearance import appearances

    groups = np.arange(n_images)
    if copies:
        groups[n_train : n_train + len(copies)] %= n_train  # with the drawing it is a copy of
    step = -(-n_images // MAX_DESCRIBED)
    chosen = np.arange(0, n_images, step)
    starts = np.cumsum([0, *map(len, splits)])
    numbers = np.concatenate(
        [
            appearances(split.images[chosen[(chosen >= start) & (chosen < end)] - start])
            for split, start, end in zip(splits, starts, starts[1:], strict=False)
            if len(split)
        ]
    )
    distances = cross_fitted_distances(numbers, groups[chosen])
    return _Ordinary(
        fit_gaussian(numbers),
        novelty_threshold(distances, false_alarm_rate=config.false_alarm_rate),
    )


def _too_few_to_judge(n_images: int) -> str:
    return (
        f"No picture is answered 'unsure': {n_images} images are too few to tell what an ordinary "
        f"one looks like, {MIN_TO_JUDGE} are needed."
    )


def _fit(config: DecisionConfig, predictor: Predictor, dataset: Dataset) -> Decision:
    try:
        logits = predictor.outputs(dataset.validation.images).logits
    except ArtifactError:  # answers overflow, which the evaluation will tell
        return given_decision(config, n_classes=len(dataset.class_names))
    return fit_decision(config, logits, dataset.validation.labels, positive=dataset.positive)


def save_evaluation(
    run: Run,
    predictor: Predictor,
    dataset: Dataset,
    training: "Training | None",
    decision: Decision,
    *,
    draw: Callable[..., None] | None = None,
) -> dict[str, object]:
    """The content of metrics.json, once the run holds the predictions and pictures.

    Args:
        run: gets predictions.csv, gallery.npz and plots.
        predictor: of the trained model.
        dataset: its test images are answered; without any the validation images, or else those
            of the training.
        training: how the training went; None for a model that was trained elsewhere.
        decision: how the predictor makes answers.
        draw: `save_pictures` if left out.

    Raises:
        ArtifactError: an answer is not finite.
        FileSystemError: a file cannot be written.
    """
    split_name = _evaluated(dataset)
    evaluation = evaluate(predictor, getattr(dataset, split_name))
    write_whole(run.predictions, evaluation.predictions_csv())
    write_whole(run.gallery, evaluation.gallery(threshold=predictor.record.threshold).to_bytes())
    trained, memorisation = None, None
    if training is not None:
        on_training = evaluate_briefly(predictor, dataset.train)
        memorisation = evaluation.memorisation(on_training["balanced_accuracy"])
        trained = _training_as_dict(training, on_training)
    (draw or save_pictures)(
        run,
        evaluation,
        history=training.history if training else None,
        best_epoch=training.best_epoch if training else 0,
    )
    return {
        "split": split_name,
        **evaluation.as_dict(),
        "memorisation": None if split_name == "train" else memorisation,
        "decision": decision.as_dict(),
        "training": trained,
        "data": _count(dataset),
    }


def _count(dataset: Dataset) -> dict[str, object]:
    return {
        "fingerprint": dataset.fingerprint,
        "images": {name: len(getattr(dataset, name)) for name in SPLITS},
        "bad_files": len(dataset.bad_files),
        "skipped": len(dataset.skipped),
    }


def _evaluated(dataset: Dataset) -> str:
    """The split that is answered: the test images or, without any, the next best."""
    return next((name for name in ("test", "validation") if len(getattr(dataset, name))), "train")


def save_pictures(
    run: Run,
    evaluation: Evaluation,
    *,
    history: Mapping[str, Sequence[float]] | None,
    best_epoch: int,
) -> None:
    """Writes the pictures of an evaluation, and of the training that led to it.

    Args:
        run: holds resolved.yaml, and gets plots.
        evaluation: of its model.
        history: of its training, by name a value per epoch; None for a model from elsewhere.
        best_epoch: whose weights were kept, from 1.

    Raises:
        FileSystemError: a file cannot be written.
    """
    pictures = draw_evaluation(evaluation)
    if history is not None:
        stopping = load_recorded(run.resolved).training.early_stopping
        kept = KeptEpoch(best_epoch, stopping.monitor if stopping else None)
        pictures = {"learning_curves": learning_curves(history, kept=kept), **pictures}
    for name, picture in pictures.items():
        write_whole(run.plot(name), picture)


def draw_again(run: Run) -> None:
    """Writes the pictures of a finished run that has none, as a sweep leaves its trials.

    Raises:
        ArtifactError: a file of the run is missing or damaged, or its data have changed.
        DataError: its data are gone.
        FileSystemError: a file cannot be written.
    """
    record = read_record(run)
    assert record.metrics is not None  # as it is finished
    dataset = load_recorded_data(run)
    evaluation = evaluate(Predictor.load(run), getattr(dataset, _evaluated(dataset)))
    best = record.metrics["training"]["best_epoch"]
    save_pictures(run, evaluation, history=record.history, best_epoch=best)


def _training_as_dict(training: "Training", on_training: dict[str, float]) -> dict[str, object]:
    return {
        "epochs": len(training.history["loss"]),
        "best_epoch": training.best_epoch,
        "stopped_early": training.stopped_early,
        "last_epoch": {name: values[-1] for name, values in training.history.items()},
        "metrics": on_training,
    }
