import pytest

from apple_clf.config import load_experiment, parse_experiment
from apple_clf.config.schema import (
    SGD,
    CosineSchedule,
    Dense,
    EarlyStopping,
    Experiment,
    FolderData,
    ModelConfig,
    NoiseData,
    NpzData,
    RMSprop,
    TrainingConfig,
)
from apple_clf.errors import ConfigError


def changed(text: str, *overrides: str) -> Experiment:
    """The experiment of a text with overrides."""
    return parse_experiment(text, filename="f.yaml", overrides=overrides)


def trained(**values: object) -> Experiment:
    """The default experiment with other training values."""
    return Experiment(training=TrainingConfig.model_validate(values))


def stacked(*units: int, activation: str = "relu") -> Experiment:
    """The default experiment with other dense layers."""
    layers = tuple(Dense.model_validate({"units": n, "activation": activation}) for n in units)
    return Experiment(model=ModelConfig(layers=layers))


DEFAULT = "{}"
SIMULATED = "data: {source: simulated, train_samples: 10}"
FOLDER = "data: {source: folder, path: x, test_split: 0.2, bad_files: skip}"
LAYERS = "model: {layers: [{type: dense, units: 9, activation: relu}]}"

OVERRIDES: dict[str, tuple[str, list[str], Experiment]] = {
    "number": (DEFAULT, ["training.batch_size=64"], trained(batch_size=64)),
    "YAML 1.2 float": (DEFAULT, ["training.learning_rate=3e-4"], trained(learning_rate=3e-4)),
    "spaces around": (DEFAULT, ["seed = 5"], Experiment(seed=5)),
    "value with =": (
        DEFAULT,
        ["data={source: folder, path: 'a=b'}"],
        Experiment(data=FolderData(path="a=b")),
    ),
    "the last one wins": (DEFAULT, ["seed=1", "seed=2"], Experiment(seed=2)),
    "over the file": ("seed: 1", ["seed=2"], Experiment(seed=2)),
    "mapping": (
        DEFAULT,
        ["training.learning_rate={type: cosine}"],
        trained(learning_rate=CosineSchedule()),
    ),
    "into an overriding mapping": (
        DEFAULT,
        ["training.learning_rate={type: cosine}", "training.learning_rate.initial=0.5"],
        trained(learning_rate=CosineSchedule(initial=0.5)),
    ),
    "null": ("training: {early_stopping: {}}", ["training.early_stopping=null"], Experiment()),
    "into null": (
        "training: {early_stopping: null}",
        ["training.early_stopping.patience=3"],
        trained(early_stopping=EarlyStopping(patience=3)),
    ),
    "list entry": (LAYERS, ["model.layers.0.units=5"], stacked(5)),
    "entry of the default list": (DEFAULT, ["model.layers.1.units=5"], stacked(32, 5)),
    "entry of a short form": ("model: {units: [9, 8]}", ["model.layers.1.units=5"], stacked(9, 5)),
    "entry of short form's units": ("model: {units: [9, 8]}", ["model.units.0=5"], stacked(5, 8)),
    "units over layers": (LAYERS, ["model.units=[4, 3]"], stacked(4, 3)),
    "units over the default": (
        DEFAULT,
        ["model.units=[4]", "model.activation=tanh"],
        stacked(4, activation="tanh"),
    ),
    "layers over units": ("model: {units: [9]}", ["model.layers=[]"], stacked()),
    "bare name": (DEFAULT, ["training.optimizer=sgd"], trained(optimizer=SGD())),
    "into a bare name": (
        "training: {optimizer: sgd}",
        ["training.optimizer.momentum=0.9"],
        trained(optimizer=SGD(momentum=0.9)),
    ),
    "into an overriding bare name": (
        DEFAULT,
        ["training.optimizer=sgd", "training.optimizer.momentum=0.9"],
        trained(optimizer=SGD(momentum=0.9)),
    ),
    "type drops what only the old one had": (
        "training: {optimizer: {type: sgd, momentum: 0.5, nesterov: true}}",
        ["training.optimizer.type=rmsprop"],
        trained(optimizer=RMSprop(momentum=0.5)),
    ),
    "source drops what only the old one had": (
        SIMULATED,
        ["data.source=folder", "data.path=x"],
        Experiment(data=FolderData(path="x")),
    ),
    "source after its keys": (
        SIMULATED,
        ["data.path=x", "data.source=folder"],
        Experiment(data=FolderData(path="x")),
    ),
    "source keeps what both have": (
        FOLDER,
        ["data.source=npz"],
        Experiment(data=NpzData(path="x", test_split=0.2)),
    ),
    "source brings its own defaults": (
        DEFAULT,
        ["data.source=noise"],
        Experiment(data=NoiseData()),
    ),
    "class named like a tag": (
        "training: {class_weight: {apple: 2}}",
        ["training.class_weight.type=3"],
        trained(class_weight={"apple": 2, "type": 3}),
    ),
}


@pytest.mark.parametrize(("text", "overrides", "expected"), OVERRIDES.values(), ids=OVERRIDES)
def test_overrides_change_what_they_name(
    text: str, overrides: list[str], expected: Experiment
) -> None:
    assert changed(text, *overrides) == expected


REFUSED = {
    "no value": ("seed", "write KEY=VALUE"),
    "no key": ("=5", "write KEY=VALUE"),
    "gap in the key": ("training..epochs=5", "write KEY=VALUE"),
    "not YAML": ("seed=[1", "not YAML"),
    "tag": ("seed=!!python/name:os.system", "tag"),
    "into a number": ("seed.low=5", "'low' leads into 42, which has no keys."),
    "beyond the list": ("model.layers.2.units=5", "'2' is not an entry of a list of 2 entries"),
    "word as index": ("model.layers.first.units=5", "'first' is not an entry"),
    "not a number": ("training.batch_size=abc", "training.batch_size must be a whole number"),
    "unknown key": (
        "training.batch_sice=5",
        "training.batch_sice is not a key. Did you mean batch",
    ),
    "unknown section": ("trainig.epochs=5", "trainig is not a key. Did you mean training?"),
    "key of another source": ("data.path=x", "data.path is not a key here. It belongs to folder"),
    "short form": ("model.units=[5, x]", "model.units.1 must be a whole number"),
    "half a short form": ("model.activation=tanh", "model.units is missing"),
    "unknown type": ("training.optimizer=adm", "training.optimizer 'adm' is unknown. Did you mean"),
    "rule across keys": (
        "training.learning_rate={type: cosine, warmup_epochs: 99}",
        "training.learning_rate.warmup_epochs must be less than epochs",
    ),
}


@pytest.mark.parametrize(("override", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_override_is_quoted(override: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_experiment(None, [override])

    message = str(caught.value)
    assert message.startswith(f"--set {override}: ")
    assert expected in message
    assert "\n" not in message


def test_problems_of_the_file_come_before_those_of_overrides() -> None:
    with pytest.raises(ConfigError) as caught:
        changed("a: 1\nseed: x\nb: 2", "training.epochs=0", "name=/")

    assert [line.split(" ")[0] for line in str(caught.value).splitlines()] == [
        "f.yaml:1:1:",
        "f.yaml:2:7:",
        "f.yaml:3:1:",
        "--set",
        "--set",
    ]


def test_an_overridden_value_is_not_blamed_on_the_file() -> None:
    assert changed(
        "seed: x\ntraining: {optimizer: {type: adm}}", "seed=1", "training.optimizer=adam"
    )


def test_layers_set_over_a_short_form_go_by_their_own_name() -> None:
    overrides = ["model.layers.0.units=5", "model.layers=[{type: dense, units: x}]"]
    with pytest.raises(ConfigError, match=r": model\.layers\.0\.units must be"):
        changed("model: {units: [9]}", *overrides)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model: {units: [9, 8], activation: tanh}", stacked(9, 8, activation="tanh")),
        ("model: {units: [9]}", stacked(9)),
        ("model: {units: []}", stacked()),
        ("model: {layers: []}", stacked()),
        ("training: {optimizer: rmsprop}", trained(optimizer=RMSprop())),
        ("training: {loss: mean_squared_error}", trained(loss={"type": "mean_squared_error"})),
    ],
)
def test_short_forms_mean_their_long_forms(text: str, expected: Experiment) -> None:
    assert changed(text) == expected
