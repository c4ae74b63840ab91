import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apple_clf.config import dump_experiment, parse_experiment
from apple_clf.config.photo_network import photo_layers
from apple_clf.diagnosis import Finding, Record, Severity, diagnose, findings_json
from apple_clf.diagnosis.diagnosing import RULES
from apple_clf.diagnosis.edits import layers_edit
from apple_clf.diagnosis.rule import Rule, without_consequences
from diagnosis.records import EPOCHS, make_diverged, make_record, make_statistics

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
NAMES = {rule.name: rule for rule in RULES}
SIGMOIDS = "model={units: [16, 16, 16], activation: sigmoid}"
RARE = {"apple": 40, "not_apple": 760}
FOLDER = "data={source: folder, path: photos}"
LAYERS = ("dense_1", "dense_2", "output")
NAN = float("nan")


PHOTOS = {"looked_at": 32, "photos": 1.0, "in_colour": 0.97, "side": 64}
FOR_PHOTOS = (
    "preprocessing={image_size: [64, 64], color_mode: rgb, resize: crop, polarity: as_is}",
    *layers_edit(photo_layers(64)),
    "training.optimizer={type: adamw, weight_decay: 0.02}",
    "training.learning_rate={type: cosine, initial: 0.002, warmup_epochs: 3}",
    "training.batch_size=16",
    "training.epochs=60",
)
CONVOLUTIONS = (
    "model.layers=[{type: residual, layers: [{type: conv2d, filters: 8, kernel_size: 3, "
    "padding: same}]}]"
)


def flat(loss: float) -> list[float]:
    return [loss] * EPOCHS


def falling(last: float, *, epochs: int = 4) -> list[float]:
    return list(np.linspace(0.7, last, epochs))


def stride(share: float) -> list[float]:
    """Norms of an epoch's update such that each of its 25 steps changed a share of the weights."""
    return [share * 5.0 * 5.0] * 3


FOUND: dict[str, tuple[Record, str, tuple[str, ...]]] = {
    "nothing": (make_record(), "", ()),
    "overfitting": (
        make_record(training=1.0, held_out=0.8),
        "overfitting",
        ("data.train_samples=8000",),
    ),
    "underfitting": (
        make_record("model.units=[2]", training=0.7, held_out=0.69, loss=flat(0.6)),
        "underfitting",
        ("model.units=[32]", "model.activation=relu"),
    ),
    "underfitting_without_layers": (
        make_record("model.layers=[]", training=0.7, held_out=0.69, loss=flat(0.6)),
        "underfitting",
        ("model.units=[32, 16]",),
    ),
    "underfitting_held_back": (
        make_record(
            "model.layers=[{type: conv2d, filters: 4, kernel_size: 3, kernel_regularizer: "
            "{l2: 1.0}}, {type: residual, layers: [{type: conv2d, filters: 4, kernel_size: 1}]}, "
            "{type: dropout, rate: 0.9}]",
            *("preprocessing.image_size=[8, 8]",),
            training=0.7,
            held_out=0.69,
            loss=flat(0.6),
        ),
        "underfitting",
        (
            "model.layers=[{type: conv2d, filters: 32, kernel_size: 3}, "
            "{type: residual, layers: [{type: conv2d, filters: 32, kernel_size: 1}]}]",
        ),
    ),
    "learning_rate_too_high": (
        make_record(
            "training.learning_rate=0.3",
            training=0.5,
            held_out=0.5,
            statistics=make_statistics(update_norm=stride(1.0), dead=[1.0, 1.0, 0.0]),
        ),
        "learning_rate_too_high",
        ("training.learning_rate=0.001",),
    ),
    "learning_rate_too_high_in_a_schedule": (
        make_record(
            "training.learning_rate={type: cosine, initial: 0.02}",
            training=0.6,
            held_out=0.6,
            statistics=make_statistics(update_norm=stride(1.0)),
        ),
        "learning_rate_too_high",
        ("training.learning_rate.initial=0.001",),
    ),
    "learning_rate_too_high_in_pieces": (
        make_record(
            "training.learning_rate={type: piecewise_constant, boundaries: [2], values: [1.0, .5]}",
            "training.optimizer=sgd",
            training=0.6,
            held_out=0.6,
            statistics=make_statistics(update_norm=stride(1.0)),
        ),
        "learning_rate_too_high",
        ("training.learning_rate.values=[0.05, 0.025]",),
    ),
    "learning_rate_too_high_diverged": (
        make_diverged("training.optimizer=sgd", "training.learning_rate=1e7", epochs=2),
        "learning_rate_too_high",
        ("training.learning_rate=0.05",),
    ),
    "learning_rate_too_low": (
        make_record(
            "training.learning_rate=1e-6",
            training=0.6,
            held_out=0.6,
            loss=flat(0.69),
            statistics=make_statistics(update_ratio=[1e-4] * 3),
        ),
        "learning_rate_too_low",
        ("training.learning_rate=0.001",),
    ),
    "batch_too_large": (
        make_record("training.batch_size=800", training=0.75, held_out=0.74),
        "batch_too_large",
        ("training.batch_size=32",),
    ),
    "stopped_too_early": (
        make_record("training.epochs=4", training=0.8, held_out=0.8, loss=falling(0.4)),
        "stopped_too_early",
        ("training.epochs=20",),
    ),
    "vanishing_gradients": (
        make_record(
            SIGMOIDS,
            training=0.5,
            held_out=0.5,
            loss=flat(0.69),
            statistics=make_statistics(gradient_norm=[1e-6, 1e-4, 0.3]),
        ),
        "vanishing_gradients",
        (
            "model.layers=["
            + ", ".join(
                ["{type: dense, units: 16, activation: relu, kernel_initializer: he_normal}"] * 3
            )
            + "]",
        ),
    ),
    "exploding_gradients": (
        make_diverged(
            "model.layers=[{type: dense, units: 8, kernel_initializer: ones}]", gradient=1e6
        ),
        "exploding_gradients",
        ("model.units=[8]", "model.activation=linear"),
    ),
    "exploding_gradients_from_a_usual_start": (
        make_diverged(gradient=float("inf")),
        "exploding_gradients",
        ("training.optimizer.global_clipnorm=1", "training.learning_rate=0.0001"),
    ),
    "dead_relus_of_long_steps": (
        make_record(
            "training.learning_rate=0.02",
            statistics=make_statistics(update_norm=stride(0.2), dead=[0.9, 0.1, 0.0]),
        ),
        "dead_relus",
        ("training.learning_rate=0.001",),
    ),
    "dead_relus_of_short_steps": (
        make_record(statistics=make_statistics(dead=[0.9, 0.1, 0.0])),
        "dead_relus",
        ("model.units=[32, 16]", "model.activation=leaky_relu"),
    ),
    "saturated_units": (
        make_record(
            "model={units: [32, 16], activation: tanh}",
            statistics=make_statistics(saturated=[0.95, 0.2, 0.1]),
        ),
        "saturated_units",
        ("model.units=[32, 16]", "model.activation=relu"),
    ),
    "sure_answers_are_not_saturated_units": (
        make_record(statistics=make_statistics(saturated=[NAN, NAN, 1.0])),
        "",
        (),
    ),
    "random_labels_of_noise": (
        make_record("data={source: noise}", training=0.9, held_out=0.51),
        "random_labels",
        ("data.source=simulated",),
    ),
    "random_labels_of_files": (
        make_record(FOLDER, training=0.9, held_out=0.51),
        "random_labels",
        (),
    ),
    "no_better_than_guessing": (
        make_record(
            "preprocessing.image_size=[2, 2]", training=0.52, held_out=0.5, loss=flat(0.69)
        ),
        "no_better_than_guessing",
        ("preprocessing.image_size=[28, 28]",),
    ),
    "imbalance_hidden_in_accuracy": (
        make_record(
            FOLDER,
            training=0.8,
            held_out=0.75,
            accuracy=0.96,
            counts=((10, 10), (6, 374)),
            train=RARE,
            validation=0,
        ),
        "imbalance_hidden_in_accuracy",
        ("training.class_weight=balanced",),
    ),
    "imbalance_of_drawn_pictures": (
        make_record(
            "data.apple_fraction=0.05",
            training=0.8,
            held_out=0.75,
            accuracy=0.96,
            counts=((10, 10), (6, 374)),
            train=RARE,
        ),
        "imbalance_hidden_in_accuracy",
        ("data.apple_fraction=0.5",),
    ),
    "guessing_the_same_of_classes_alike": (
        make_record(
            *("preprocessing.image_size=[2, 2]",),
            training=0.5,
            held_out=0.5,
            loss=flat(0.69),
            counts=((0, 200), (0, 200)),
        ),
        "no_better_than_guessing",
        ("preprocessing.image_size=[28, 28]",),
    ),
    "network_for_drawings": (
        make_record(FOLDER, training=0.75, held_out=0.7, appearance=PHOTOS),
        "network_for_drawings",
        FOR_PHOTOS,
    ),
    "network_for_drawings_that_learnt_photos_by_heart": (
        make_record(
            *(FOLDER, "training.early_stopping={patience: 8}", "preprocessing.reader=bitmap"),
            training=1.0,
            held_out=0.52,
            statistics=make_statistics(dead=[1.0, 0.1, 0.0]),
            appearance=PHOTOS,
        ),
        "network_for_drawings",
        (*FOR_PHOTOS, "training.early_stopping=null"),
    ),
    "leak_suspected": (make_record(training=0.8, held_out=0.95), "leak_suspected", ()),
    "uncalibrated_by_its_loss": (
        make_record("training.loss=mean_squared_error", calibration_error=0.25),
        "uncalibrated",
        ("training.loss=sparse_categorical_crossentropy",),
    ),
    "uncalibrated_without_validation": (
        make_record("data.validation_samples=0", calibration_error=0.25, validation=0),
        "uncalibrated",
        ("data.validation_samples=500",),
    ),
}


@pytest.mark.parametrize(("record", "name", "edit"), FOUND.values(), ids=FOUND)
def test_record_gets_its_finding_and_no_other(
    record: Record, name: str, edit: tuple[str, ...]
) -> None:
    findings = diagnose(record)
    assert [(finding.name, finding.edit) for finding in findings] == (
        [(name, edit)] if name else []
    )


@pytest.mark.parametrize(("record", "name", "edit"), FOUND.values(), ids=FOUND)
def test_edits_are_overrides_that_the_experiment_takes(
    record: Record, name: str, edit: tuple[str, ...]
) -> None:
    text = dump_experiment(record.experiment)
    for finding in diagnose(record):
        changed = parse_experiment(text, filename="test", overrides=finding.edit)
        assert (changed != record.experiment) == bool(finding.edit)


@pytest.mark.parametrize(("record", "name", "edit"), FOUND.values(), ids=FOUND)
def test_findings_are_told_in_two_sentences_with_numbers(
    record: Record, name: str, edit: tuple[str, ...]
) -> None:
    for finding in diagnose(record):
        assert finding.meaning.endswith(".")
        assert 2 <= finding.meaning.replace("e.g.", "").count(". ") + 1 <= 3
        assert any(isinstance(value, float | int) for value in finding.evidence.values())
        assert finding.evidence_in_words
        assert "_" not in finding.title


COLLAPSED = make_record(
    "data.apple_fraction=0.05",
    training=0.5,
    held_out=0.5,
    accuracy=0.95,
    counts=((0, 20), (0, 380)),
    train=RARE,
)


def test_collapse_to_the_large_class_is_told_with_the_accuracy_that_hides_it() -> None:
    assert [(finding.name, finding.edit) for finding in diagnose(COLLAPSED)] == [
        (
            "class_collapse",
            ("training.class_weight=balanced", "decision.threshold=balanced_accuracy"),
        ),
        ("imbalance_hidden_in_accuracy", ("data.apple_fraction=0.5",)),
    ]


HEALTHY: dict[str, Record] = {
    "photos_that_are_told_apart_in_gray_all_the_same": make_record(FOLDER, appearance=PHOTOS),
    "photos_in_colour": make_record(
        *(FOLDER, "preprocessing.color_mode=rgb"), training=0.9, held_out=0.85, appearance=PHOTOS
    ),
    "gray_photos_through_convolutions": make_record(
        *(FOLDER, CONVOLUTIONS), training=0.9, held_out=0.85, appearance=PHOTOS
    ),
    "gray_photos": make_record(
        FOLDER, training=0.9, held_out=0.85, appearance={**PHOTOS, "in_colour": 0.1}
    ),
    "drawings_in_colour": make_record(
        FOLDER, training=0.9, held_out=0.85, appearance={**PHOTOS, "photos": 0.1}
    ),
    "a_gap_within_the_interval": make_record(training=0.97, held_out=0.85, margin=0.13),
    "a_small_gap": make_record(training=0.99, held_out=0.92),
    "no_held_out_images": make_record(training=1.0, held_out=0.8, split="train"),
    "a_fifth_of_the_units_dead": make_record(statistics=make_statistics(dead=[0.2, 0.2, 0])),
    "long_steps_that_do_no_harm": make_record(statistics=make_statistics(update_norm=stride(1.0))),
    "small_gradients_of_a_network_that_knows_all": make_record(
        statistics=make_statistics(gradient_norm=[1e-5, 1e-3, 0.1])
    ),
    "short_steps_that_were_enough": make_record(
        statistics=make_statistics(update_ratio=[1e-4] * 3)
    ),
    "few_steps_that_were_enough": make_record("training.batch_size=800"),
    "a_loss_that_falls_from_good_to_better": make_record(loss=falling(0.1)),
    "rare_class_that_is_found": make_record(
        held_out=0.93, accuracy=0.96, counts=((18, 2), (14, 366)), train=RARE
    ),
    "calibration_error_of_few_images": make_record(calibration_error=0.08),
    "smoothed_labels": make_record(
        "training.loss={type: categorical_crossentropy, label_smoothing: 0.1}", loss=flat(0.3)
    ),
}


@pytest.mark.parametrize("record", HEALTHY.values(), ids=HEALTHY)
def test_healthy_record_gets_no_finding(record: Record) -> None:
    assert diagnose(record) == []


def test_files_that_are_few_are_changed_a_little_each_time() -> None:
    (finding,) = diagnose(make_record(FOLDER, training=1.0, held_out=0.8))
    layers, stopping = finding.edit
    assert layers.startswith("model.layers=[{type: random_rotation, ")
    assert stopping.startswith("training.early_stopping=")
    again = make_record(FOLDER, layers, training=1.0, held_out=0.8)
    assert "{type: dropout, rate: 0.5}" in diagnose(again)[0].edit[0]


def test_early_stopping_is_not_proposed_without_validation_images() -> None:
    record = make_record(
        "data={source: npz, path: a.npz, validation_split: 0.0}", training=1.0, held_out=0.8
    )
    (finding,) = diagnose(record)
    assert [edit.partition("=")[0] for edit in finding.edit] == ["model.layers"]


def test_training_that_stopped_early_by_itself_was_not_stopped_too_early() -> None:
    record = make_record(training=0.8, held_out=0.8, loss=falling(0.4), stopped_early=True)
    assert [finding.name for finding in diagnose(record)] == ["underfitting"]


def test_imported_or_undefined_metrics_are_passed_over() -> None:
    record = make_record()
    assert record.metrics is not None
    undefined = {"value": None, "low": None, "high": None}
    names = record.metrics["metrics"]
    metrics = {**record.metrics, "metrics": dict.fromkeys(names, undefined)}
    assert diagnose(replace(record, metrics=metrics)) == []


def finding_named(name: str, severity: Severity = Severity.problem) -> Finding:
    return Finding(name, severity, {"n": 1}, "What. Why.")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_stands_in_the_docs_and_finds_something_of_its_name(rule: Rule) -> None:
    assert f"\n| `{rule.name}` | {rule.seen} |\n" in DOCS
    records = [*(record for record, _, _ in FOUND.values()), COLLAPSED]
    found = [finding for record in records if (finding := rule.find(record))]
    assert {finding.name for finding in found} == {rule.name}


def test_docs_list_no_rule_that_is_gone() -> None:
    table = DOCS.partition("## What `diagnose` says")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == sorted(NAMES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_consequences_are_not_told_beside_their_cause(rule: Rule) -> None:
    names = [rule.name, *rule.explains]
    left = without_consequences([finding_named(name) for name in names], RULES)
    assert [finding.name for finding in left] == [rule.name]


def test_layer_that_is_partly_dead_explains_nothing() -> None:
    partly = [finding_named("dead_relus", Severity.warning), finding_named("class_collapse")]
    assert without_consequences(partly, RULES) == partly


def test_rule_may_name_its_cause_itself() -> None:
    def new_finding(record: Record) -> Finding | None:
        return None

    rules = [*RULES, Rule(new_finding, seen="", explained_by=("random_labels",))]
    both = [finding_named("random_labels"), finding_named("new_finding")]
    assert without_consequences(both, rules) == both[:1]
    assert without_consequences(both[1:], rules) == both[1:]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_finding_explains_its_cause(rule: Rule) -> None:
    assert rule.name not in (*rule.explains, *rule.explained_by)
    for consequence in (*rule.explains, *rule.explained_by):
        assert rule.name not in NAMES[consequence].explains, consequence


def test_problems_come_before_warnings_and_hints() -> None:
    record = make_record(
        "training.loss=mean_squared_error",
        calibration_error=0.3,
        counts=((0, 200), (0, 200)),
        statistics=make_statistics(dead=[0.8, 0.1, 0.0]),
    )
    assert [finding.severity for finding in diagnose(record)] == list(Severity)


def test_json_is_valid_and_comes_back() -> None:
    for record, _, _ in FOUND.values():
        findings = diagnose(record)
        content = json.loads(findings_json(record, findings))
        assert content["diverged"] is (record.metrics is None)
        read = [Finding.from_dict(each) for each in content["findings"]]
        assert [each.evidence_in_words for each in read] == [
            each.evidence_in_words for each in findings
        ]
        assert [each.edit for each in read] == [each.edit for each in findings]
