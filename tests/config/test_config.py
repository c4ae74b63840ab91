import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.config import (
    dump_experiment,
    experiment_schema,
    load_experiment,
    parse_experiment,
)
from apple_clf.config.schema import (
    SGD,
    Adam,
    BatchNormalization,
    CategoricalFocalCrossentropy,
    CosineSchedule,
    Dense,
    Dropout,
    EarlyStopping,
    Experiment,
    FolderData,
    ModelConfig,
    NoiseData,
    PiecewiseConstantSchedule,
    Preprocessing,
    QuickDrawData,
    ReduceOnPlateau,
    Regularizer,
    SimulatedData,
    TrainingConfig,
)
from apple_clf.config.yaml_reader import MAX_BYTES, read_mapping
from apple_clf.errors import ConfigError, FileSystemError

CONFIGS = Path(__file__).parents[2] / "configs"

# Words that one YAML version or another takes for something else, and ones that need quotes.
TRICKY = ["no", "on", "y", "1e-3", ".5", "0755", "0o17", "1:30", "null", "~", "true", "2024-01-31"]
TRICKY += ["<<", "=", "a: b", "# x", " x", "x ", "- a", "{a}", "[a]", "'", '"', "&a", "*a", "!a"]
TRICKY += ["%a", "@a", "`a", "|", ">", ".inf", ".nan", "1_000", "0x1F", "é", "🍎", "x" * 200]

words = st.sampled_from(TRICKY) | st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=20
)
shares = st.floats(0, 1, exclude_max=True)
rates = st.floats(0, 1e12, exclude_min=True)
optional_limits = st.none() | st.floats(0, 1e6, exclude_min=True)

data = st.one_of(
    st.builds(NoiseData, positive_class=st.none() | words, train_samples=st.integers(1, 10**7)),
    st.builds(SimulatedData, apple_fraction=st.floats(0.01, 0.99)),
    st.builds(FolderData, path=words, validation_split=st.floats(0, 0.4), positive_class=words),
    st.builds(QuickDrawData, classes=st.lists(words, min_size=2, unique=True).map(tuple)),
)
dense = st.builds(
    Dense,
    units=st.integers(1, 65536),
    activation=st.sampled_from(["relu", "linear", "softmax"]),
    use_bias=st.booleans(),
    kernel_regularizer=st.none() | st.builds(Regularizer, l1=st.floats(0, 1e6)),
)
layers = dense | st.builds(Dropout, rate=shares) | st.builds(BatchNormalization, momentum=shares)
schedules = st.one_of(
    st.builds(CosineSchedule, initial=rates, final_fraction=shares),
    st.builds(
        PiecewiseConstantSchedule,
        boundaries=st.just((3, 7)),
        values=st.tuples(rates, rates, rates),
    ),
)
training = st.builds(
    TrainingConfig,
    optimizer=st.builds(SGD, momentum=shares) | st.builds(Adam, clipnorm=optional_limits),
    learning_rate=rates | schedules,
    batch_size=st.integers(1, 65536),
    epochs=st.integers(1, 100_000),
    loss=st.builds(CategoricalFocalCrossentropy, gamma=st.floats(0, 100)),
    class_weight=st.none()
    | st.just("balanced")
    | st.dictionaries(words, st.floats(0, 1e6, exclude_min=True), max_size=3),
    early_stopping=st.none() | st.builds(EarlyStopping, monitor=st.just("loss")),
)
experiments = st.builds(
    Experiment,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    seed=st.integers(0, 2**32 - 1),
    data=data,
    preprocessing=st.builds(
        Preprocessing,
        image_size=st.tuples(st.integers(1, 1024), st.integers(1, 1024)),
        color_mode=st.sampled_from(["grayscale", "rgb"]),
    ),
    model=st.builds(ModelConfig, layers=st.lists(layers, max_size=3).map(tuple)),
    training=training,
)


@given(experiments)
def test_what_is_dumped_reads_back_the_same(experiment: Experiment) -> None:
    assert parse_experiment(dump_experiment(experiment), filename="f.yaml") == experiment


@given(experiments)
def test_what_is_dumped_means_the_same_by_yaml_11(experiment: Experiment) -> None:
    text = dump_experiment(experiment)

    assert yaml.safe_load(text) == read_mapping(text, filename="f.yaml").data


def test_a_plateau_reads_back_the_same() -> None:
    training = TrainingConfig(reduce_on_plateau=ReduceOnPlateau(factor=0.1, min_learning_rate=1e-9))
    experiment = Experiment(training=training)

    assert parse_experiment(dump_experiment(experiment), filename="f.yaml") == experiment


def test_dump_names_every_key() -> None:
    assert yaml.safe_load(dump_experiment(Experiment())) == json.loads(
        Experiment().model_dump_json()
    )


def test_no_file_means_the_defaults() -> None:
    assert load_experiment(None) == Experiment()


def test_default_config_is_the_defaults_and_names_every_key() -> None:
    data = read_mapping((CONFIGS / "default.yaml").read_bytes(), filename="default.yaml").data
    defaults = json.loads(Experiment().model_dump_json())

    assert load_experiment(CONFIGS / "default.yaml") == Experiment()
    assert isinstance(data, dict)
    for section, values in defaults.items():
        part = data[section]
        if isinstance(values, dict):
            assert isinstance(part, dict)
            assert part.keys() == values.keys()


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_is_valid_and_says_how_to_run_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    depth = "../" * (len(path.relative_to(CONFIGS).parts) - 1)
    load_experiment(path)

    assert text.startswith(f"# yaml-language-server: $schema={depth}schema.json\n")
    assert f"apple-clf train configs/{path.relative_to(CONFIGS)}" in text
    assert "#   time " in text
    assert "#   expect " in text


def test_blog_config_is_the_network_of_the_introduction() -> None:
    experiment = load_experiment(CONFIGS / "blog.yaml")

    assert experiment.data == NoiseData(train_samples=20)
    assert experiment.preprocessing.shape == (4, 4, 1)
    assert experiment.model == ModelConfig(
        layers=(Dense(units=32, activation="relu"), Dense(units=16, activation="relu"))
    )
    assert experiment.training == TrainingConfig(epochs=50)


def test_schema_file_is_what_the_command_prints() -> None:
    written = json.loads((CONFIGS / "schema.json").read_text(encoding="utf-8"))

    assert written == experiment_schema(), "apple-clf config schema > configs/schema.json"


def test_fault_01_unknown_key_names_place_and_nearest_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("training:\n  learing_rate: 1e-3\n")
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)

    assert str(caught.value) == (
        f"{path}:2:3: training.learing_rate is not a key. Did you mean learning_rate?"
    )


@pytest.mark.parametrize(("text", "rate"), [("1e-3", 1e-3), ("1E+3", 1e3), (".5", 0.5), ("5.", 5)])
def test_fault_02_numbers_of_yaml_12_are_numbers(text: str, rate: float) -> None:
    experiment = parse_experiment(f"training: {{learning_rate: {text}}}", filename="f.yaml")

    assert experiment.training.learning_rate == rate


def test_fault_04_words_of_yaml_11_are_class_names() -> None:
    text = "data: {source: noise, positive_class: no}\ntraining: {class_weight: {on: 2, no: 1}}"
    experiment = parse_experiment(text, filename="f.yaml")

    assert experiment.data.positive_class == "no"
    assert experiment.training.class_weight == {"on": 2, "no": 1}


def test_fault_09_missing_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_experiment(tmp_path / "missing.yaml")


def test_fault_09_missing_folder_of_config(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="no such file"):
        load_experiment(tmp_path / "file" / "mine.yaml")


def test_fault_09_folder_as_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this is a folder"):
        load_experiment(tmp_path)


def test_fault_09_unreadable_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # a mode of 000 would not stop root
    with pytest.raises(FileSystemError, match="Permission denied"):
        load_experiment(tmp_path / "mine.yaml")


def test_fault_06_endless_file_is_not_read_to_its_end() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("this system has no /dev/zero")
    with pytest.raises(ConfigError, match=f"more than the {MAX_BYTES // 1024} KiB"):
        load_experiment(Path("/dev/zero"))


@pytest.mark.parametrize(
    "text",
    [
        "'training:\\n' + ''.join(f' lr{i}: 1\\n' for i in range(19_000))",
        "'model: {layers: [' + '{},' * 19_000 + ']}'",
        "'model: {units: [' + 'x,' * 19_000 + ']}'",
    ],
    ids=["keys", "layers", "units"],
)
def test_fault_06_a_file_full_of_problems_is_judged_in_a_second_and_200_mb(text: str) -> None:
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, (200_000_000, 200_000_000))  # bytes
from apple_clf.config import parse_experiment
from apple_clf.errors import ConfigError
used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 2,) * 2)  # a second besides the start
try:
    parse_experiment({text}, filename="f.yaml")
except ConfigError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
    assert "... and 18950 more like these." in result.stdout


def test_reading_a_config_loads_no_array_library() -> None:
    program = (
        "import sys; from apple_clf.config import load_experiment; load_experiment(None); "
        "print({'numpy', 'tensorflow', 'keras', 'PIL', 'matplotlib'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert result.stdout == "set()\n", result.stderr
