"""Trained model + data -> what a run keeps of it: the model's files, and how good it is."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from apple_clf.config.schema import DecisionConfig
from apple_clf.datasets import SPLITS, Dataset, Split
from apple_clf.decision.fitting import Decision, fit_decision, given_decision
from apple_clf.decision.novelty import Gaussian, fit_gaussian
from apple_clf.diagnosis import read_record
from apple_clf.errors import ArtifactError
from apple_clf.evaluation import Evaluation, draw_history, evaluate, evaluate_briefly
from apple_clf.evaluation import draw as draw_evaluation
from apple_clf.files import write_whole
from apple_clf.inference import Predictor
from apple_clf.model_record import ModelRecord
from apple_clf.preprocessing import Preprocessing
from apple_clf.recorded_data import load_recorded_data
from apple_clf.runs import Run

if TYPE_CHECKING:
    from apple_clf.backend import keras
    from apple_clf.training import Training

MAX_DESCRIBED = 10_000
"""Training images whose appearance is measured; more would tell the same and take longer."""


def save_model(
    run: Run,
    model: "keras.Model",
    dataset: Dataset,
    preprocessing: Preprocessing,
    config: DecisionConfig,
) -> tuple[Predictor, Decision]:
    """What `predict` will use, once the run holds it, and how outputs become answers.

    Args:
        run: gets model.keras, model.tflite and model.json.
        model: as from `build_model`, trained.
        dataset: its validation images decide how outputs become answers, its training images
            what an ordinary picture looks like.
        preprocessing: the contract of the data set's pixels.
        config: what is to be decided; it fits the data.

    Raises:
        FileSystemError: a file cannot be written.
    """
    from apple_clf.model.files import keras_bytes, litert_bytes

    validates = len(dataset.validation) > 0
    may_be_unsure = validates and config.false_alarm_rate is not None
    keras_file = keras_bytes(model)
    litert_file = litert_bytes(
        model, novelty=_appearance_of(dataset.train) if may_be_unsure else None
    )
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


def _appearance_of(train: Split) -> Gaussian:
    """What the training images look like."""
    from apple_clf.model.appearance import appearances

    step = max(1, len(train) // MAX_DESCRIBED)
    return fit_gaussian(appearances(train.images[::step][:MAX_DESCRIBED]))


def _fit(config: DecisionConfig, predictor: Predictor, dataset: Dataset) -> Decision:
    try:
        logits, novelty = predictor.outputs(dataset.validation.images)
    except ArtifactError:  # answers overflow, which the evaluation will tell
        return given_decision(config, n_classes=len(dataset.class_names))
    return fit_decision(
        config, logits, novelty, dataset.validation.labels, positive=dataset.positive
    )


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
        trained = _describe(training, on_training)
    (draw or save_pictures)(
        run,
        evaluation,
        history=training.history if training else None,
        best_epoch=training.best_epoch if training else 0,
    )
    return {
        "split": split_name,
        **evaluation.describe(),
        "memorisation": None if split_name == "train" else memorisation,
        "decision": decision.describe(),
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
        run: gets plots.
        evaluation: of its model.
        history: of its training, by name a value per epoch; None for a model from elsewhere.
        best_epoch: whose weights were kept, from 1.

    Raises:
        FileSystemError: a file cannot be written.
    """
    pictures = draw_evaluation(evaluation)
    if history is not None:
        curves = {name: list(values) for name, values in history.items()}
        best = best_epoch if best_epoch < len(history["loss"]) else None
        pictures = {"learning_curves": draw_history(curves, best_epoch=best), **pictures}
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


def _describe(training: "Training", on_training: dict[str, float]) -> dict[str, object]:
    return {
        "epochs": len(training.history["loss"]),
        "best_epoch": training.best_epoch,
        "stopped_early": training.stopped_early,
        "last_epoch": {name: values[-1] for name, values in training.history.items()},
        "metrics": on_training,
    }
