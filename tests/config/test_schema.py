"""The records against Keras itself, and the rules that hold between keys."""

import inspect
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from apple_clf.config.schema import (
    SGD,
    Activation,
    ActivationName,
    Adam,
    AdamW,
    BatchNormalization,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CosineSchedule,
    DecisionConfig,
    Dense,
    Dropout,
    EarlyStopping,
    Experiment,
    FolderData,
    Initializer,
    Momentum,
    NoiseData,
    NpzData,
    PiecewiseConstantSchedule,
    QuickDrawData,
    Record,
    ReduceOnPlateau,
    RMSprop,
    SimulatedData,
    TrainingConfig,
)
from apple_clf.config.schema.augmentation import (
    RandomContrast,
    RandomFlip,
    RandomInvert,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from apple_clf.config.schema.json_schema import experiment_schema
from apple_clf.config.schema.layers import (
    AveragePooling2D,
    Conv2D,
    ConvInitializer,
    Flatten,
    GlobalAveragePooling2D,
    LayerNormalization,
    MaxPooling2D,
)

OURS = {"activation": "linear", "fill_mode": "constant", "pool_size": (2, 2)}
"""Defaults that differ: Keras writes None for linear, has a pool_size for one kind of pooling only,
and mirrors pictures at their border, where drawings have paper."""


@pytest.fixture(scope="module")
def keras() -> Any:
    from apple_clf.model.backend import keras

    return keras


@pytest.mark.slow
def test_activations_are_those_of_keras(keras: Any) -> None:
    known = {name for name in dir(keras.activations) if not name.startswith("_")}
    known -= {"get", "serialize", "deserialize"}

    # glu halves the width, threshold has arguments without a default
    assert set(get_args(ActivationName)) == known - {"glu", "threshold"}


@pytest.mark.slow
def test_every_activation_keeps_the_shape(keras: Any) -> None:
    for name in get_args(ActivationName):
        for shape in ((2, 6), (2, 3, 4, 6)):
            assert keras.activations.get(name)(keras.ops.zeros(shape)).shape == shape, name


@pytest.mark.slow
def test_every_initializer_is_one_of_keras(keras: Any) -> None:
    for name in get_args(Initializer):
        assert keras.initializers.get(name)((3, 3)).shape == (3, 3), name


def test_filters_take_the_initializers_of_matrices_but_identity() -> None:
    assert set(get_args(ConvInitializer)) == set(get_args(Initializer)) - {"identity"}


LAYERS = [
    Activation, AveragePooling2D, BatchNormalization, Conv2D, Dense, Dropout, Flatten,
    GlobalAveragePooling2D, LayerNormalization, MaxPooling2D, RandomContrast, RandomFlip,
    RandomInvert, RandomRotation, RandomTranslation, RandomZoom,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("record", "module"),
    [
        *((layer, "layers") for layer in LAYERS),
        (SGD, "optimizers"),
        (RMSprop, "optimizers"),
        (Adam, "optimizers"),
        (AdamW, "optimizers"),
        (CategoricalCrossentropy, "losses"),
        (CategoricalFocalCrossentropy, "losses"),
    ],
)
def test_arguments_and_defaults_are_those_of_keras(
    keras: Any, record: type[Record], module: str
) -> None:
    arguments = inspect.signature(getattr(getattr(keras, module), record.__name__)).parameters
    for name, field in record.model_fields.items():
        if name == "type":
            continue
        default = arguments[name].default
        if field.is_required():
            assert default is inspect.Parameter.empty, name
        else:
            assert field.default == OURS.get(name, default), name


@pytest.mark.parametrize("layer", LAYERS)
def test_type_of_a_layer_is_the_name_of_its_class(layer: type[Record]) -> None:
    assert layer.model_fields["type"].default.replace("_", "") == layer.__name__.lower()


def test_momentum_is_sgd_with_momentum() -> None:
    assert Momentum().model_dump(exclude={"type"}) == SGD(momentum=0.9).model_dump(exclude={"type"})


def test_records_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Experiment().seed = 3


def test_every_key_has_a_meaning_of_one_sentence_or_two() -> None:
    schema: Any = experiment_schema()
    for record in [schema, *schema["$defs"].values()]:
        assert record["description"].endswith(".")
        for key, value in record["properties"].items():
            assert value["description"].endswith("."), (record["title"], key)


def test_union_members_ask_for_their_tag_in_the_json_schema() -> None:
    schema: Any = experiment_schema()

    assert schema["$defs"]["Dense"]["required"] == ["type", "units"]
    assert schema["$defs"]["NoiseData"]["required"] == ["source"]
    assert "required" not in schema["$defs"]["EarlyStopping"]


def test_json_schema_knows_the_short_forms() -> None:
    schema: Any = experiment_schema()
    training = schema["$defs"]["TrainingConfig"]["properties"]

    assert "adam" in training["optimizer"]["oneOf"][0]["enum"]
    assert "mean_squared_error" in training["loss"]["oneOf"][0]["enum"]
    assert {"$ref": "#/$defs/DenseStack"} in schema["properties"]["model"]["anyOf"]


VAL_LOSS = EarlyStopping(monitor="val_loss")
NO_VALIDATION = [
    NoiseData(validation_samples=0),
    SimulatedData(validation_samples=0),
    NpzData(path="x.npz", validation_split=0),
    QuickDrawData(classes=("apple", "pear"), validation_split=0),
]


@pytest.mark.parametrize("data", NO_VALIDATION, ids=lambda data: data.source)
def test_monitoring_validation_needs_validation_images(data: NoiseData) -> None:
    for training in (
        TrainingConfig(early_stopping=VAL_LOSS),
        TrainingConfig(reduce_on_plateau=ReduceOnPlateau(monitor="val_accuracy")),
    ):
        with pytest.raises(ValidationError, match="needs validation images"):
            Experiment(data=data, training=training)
    Experiment(data=data, training=TrainingConfig(early_stopping=EarlyStopping(monitor="loss")))


@pytest.mark.parametrize("data", [NoiseData(), SimulatedData(validation_samples=0)])
def test_threshold_for_a_goal_needs_validation_images(data: NoiseData | SimulatedData) -> None:
    goal = DecisionConfig(threshold="recall>=0.9")
    with pytest.raises(ValidationError, match=r"decision\.threshold recall>=0\.9 needs validation"):
        Experiment(data=data, decision=goal)
    assert Experiment(data=data, decision=DecisionConfig(threshold=0.9)).decision.goal is None
    assert Experiment(decision=goal).decision.goal == "recall>=0.9"


@pytest.mark.parametrize(
    ("goal", "is_one"),
    [
        *[(goal, True) for goal in ("balanced_accuracy", "f1", "precision>=0.95", "recall>=1")],
        *[(goal, False) for goal in ("accuracy", "f1>=0.9", "precision>0.9", "recall>=1.5", "")],
        *[(goal, False) for goal in ("precision", "precision>=0.9 ", "precision>=0.9\n")],
    ],
)
def test_goals_of_a_threshold(goal: str, is_one: bool) -> None:
    try:
        assert DecisionConfig(threshold=goal).goal == goal
    except ValidationError:
        assert not is_one
    else:
        assert is_one


def test_a_folder_may_bring_its_own_validation_images() -> None:
    data = FolderData(path="x", validation_split=0)

    assert Experiment(data=data, training=TrainingConfig(early_stopping=VAL_LOSS)).data == data


def test_splits_leave_images_to_train_on() -> None:
    FolderData(path="x", validation_split=0.5, test_split=0.49)
    with pytest.raises(ValidationError, match="less than 1"):
        FolderData(path="x", validation_split=0.5, test_split=0.5)


@pytest.mark.parametrize("boundaries", [(3, 3), (3, 2)])
def test_boundaries_ascend(boundaries: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="ascend"):
        PiecewiseConstantSchedule(boundaries=boundaries, values=(1, 2, 3))


@pytest.mark.parametrize("values", [(1.0, 2.0), (1.0, 2.0, 3.0, 4.0)])
def test_values_are_one_more_than_boundaries(values: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="one more"):
        PiecewiseConstantSchedule(boundaries=(3, 5), values=values)


def test_a_schedule_and_a_plateau_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="plain number"):
        TrainingConfig(learning_rate=CosineSchedule(), reduce_on_plateau=ReduceOnPlateau())


@pytest.mark.parametrize(("warmup", "fits"), [(9, True), (10, False)])
def test_warm_up_is_shorter_than_training(warmup: int, fits: bool) -> None:
    schedule = CosineSchedule(warmup_epochs=warmup)
    if fits:
        assert TrainingConfig(epochs=10, learning_rate=schedule).learning_rate == schedule
    else:
        with pytest.raises(ValidationError, match="warmup_epochs"):
            TrainingConfig(epochs=10, learning_rate=schedule)


def test_gradients_are_clipped_one_way() -> None:
    Adam(clipnorm=1)
    with pytest.raises(ValidationError, match="keep one"):
        Adam(clipnorm=1, clipvalue=1)
