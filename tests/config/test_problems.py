"""What users read when a configuration is wrong."""
# ruff: noqa: E501  (a message is easier to judge beside its cause)

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.config import dump_experiment, parse_experiment
from apple_clf.config.schema.json_schema import options_at
from apple_clf.config.yaml_values import Node, Path
from apple_clf.errors import ConfigError


def problems(text: str) -> list[str]:
    """The lines of the error that a text causes, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        parse_experiment(text, filename="f.yaml")
    return [line.removeprefix("f.yaml:") for line in str(caught.value).splitlines()]


EPOCHS = "training.epochs must be a whole number from 1 to 100000, not"
LAYERS = (
    "dense, dropout, gaussian_noise, batch_normalization, layer_normalization, activation, "
    "prelu, conv2d, depthwise_conv2d, separable_conv2d, max_pooling2d, "
    "average_pooling2d, global_average_pooling2d, flatten, residual, random_flip, random_rotation, "
    "random_zoom, random_translation, random_contrast, random_invert"
)
RATE = "training.learning_rate must be a number above 0, at most 1e12, not"
SEED = "seed must be a whole number from 0 to 4294967295, not"

WRONG = {
    # unknown keys
    "typo": ("nam: x", "1:1: nam is not a key. Did you mean name?"),
    "dash": ("training: {batch-size: 3}", "1:12: training.batch-size is not a key. Did you mean batch_size?"),
    "lr": ("training: {lr: 1}", "1:12: training.lr is not a key. Did you mean learning_rate?"),
    "batch": ("training: {batch: 1}", "1:12: training.batch is not a key. Did you mean batch_size?"),
    "n_epochs": ("training: {n_epochs: 1}", "1:12: training.n_epochs is not a key. Did you mean epochs?"),
    "imgsz": ("preprocessing: {imgsz: 1}", "1:17: preprocessing.imgsz is not a key. Did you mean image_size?"),
    "random_seed": ("random_seed: 1", "1:1: random_seed is not a key. Did you mean seed?"),
    "one level too high": ("epochs: 1", "1:1: epochs is not a key here. Did you mean training.epochs?"),
    "two levels too high": ("training: {beta_1: 0}", "1:12: training.beta_1 is not a key here. Did you mean training.optimizer.beta_1?"),
    "one level too low": ("data: {source: noise, seed: 1}", "1:23: data.seed is not a key here. Did you mean seed?"),
    "of another record": ("data: {source: noise, path: x}", "1:23: data.path is not a key here. It belongs to folder, npz, quickdraw, cifar100."),
    "nothing like it": ("preprocessing: {zz: 1}", "1:17: preprocessing.zz is not a key. Known keys: image_size, color_mode, resize, polarity, reader, max_value."),
    # missing keys
    "path": ("name: a\ndata:\n  source: folder", "2:1: data.path is missing: folder of <split>/<class>/* or <class>/*, relative to the working directory."),
    "source": ("data: {train_samples: 3}", "1:1: data.source is missing. Give one of noise, simulated, folder, npz, quickdraw, cifar100."),
    "layer's type": ("model:\n  layers:\n    - units: 3", f"3:7: model.layers.0.type is missing. Give one of {LAYERS}."),
    # names
    "source's name": ("data: {source: fodler}", "1:16: data.source 'fodler' is unknown. Did you mean folder?"),
    "layer's name": ("model: {layers: [{type: dens}]}", "1:25: model.layers.0.type 'dens' is unknown. Did you mean dense?"),
    "no name like it": ("model: {layers: [{type: zz}]}", f"1:25: model.layers.0.type must be one of {LAYERS}, not the text 'zz'."),
    "number as name": ("data: {source: 5}", "1:16: data.source must be one of noise, simulated, folder, npz, quickdraw, cifar100, not 5."),
    "activation": ("model: {layers: [{type: activation, activation: rellu}]}", "1:49: model.layers.0.activation 'rellu' is unknown. Did you mean relu?"),
    "layer's other name": ("model: {layers: [{type: maxpool}]}", "1:25: model.layers.0.type 'maxpool' is unknown. Did you mean max_pooling2d?"),
    "layer's key's other name": ("model: {layers: [{type: conv2d, filters: 2, kernel_size: 3, stride: 2}]}", "1:61: model.layers.0.stride is not a key. Did you mean strides?"),
    "nested residual": ("model: {layers: [{type: residual, layers: [{type: residual}]}]}", f"1:51: model.layers.0.layers.0.type must be one of {LAYERS.split(', global')[0]}, not the text 'residual'."),
    "bare optimizer": ("training: {optimizer: adma}", "1:23: training.optimizer 'adma' is unknown. Did you mean adam?"),
    "bare loss": ("training: {loss: mse}", "1:18: training.loss 'mse' is unknown. Did you mean mean_squared_error?"),
    "schedule's name": ("training: {learning_rate: {type: cosin}}", "1:34: training.learning_rate.type 'cosin' is unknown. Did you mean cosine?"),
    "bare schedule": ("training: {learning_rate: cosine}", f"1:27: {RATE} the text 'cosine'. Write {{type: cosine}}."),
    # kinds of values
    "word for a number": ("training: {epochs: ten}", f"1:20: {EPOCHS} the text 'ten'."),
    "fault 02, quoted number": ('training: {learning_rate: "1e-3"}', f"1:27: {RATE} the text '1e-3'. Remove the quotes."),
    "fault 04, leading zero": ("seed: 0755", f"1:7: {SEED} the text '0755'. Leading zeros make it text: write 755."),
    "many leading zeros": ("seed: " + "0" * 5000, f"1:7: {SEED} the text '{'0' * 40}...'."),
    "fault 04, sexagesimal": ("seed: 1:30", f"1:7: {SEED} the text '1:30'."),
    "fault 05, NaN": ("training: {learning_rate: .nan}", f"1:27: {RATE} NaN."),
    "fault 05, infinity": ("training: {learning_rate: .inf}", f"1:27: {RATE} infinity."),
    "fault 05, negative": ("seed: -1", f"1:7: {SEED} -1."),
    "fault 05, huge": (f"seed: {10**49}", f"1:7: {SEED} a number of 50 digits."),
    "fault 05, beyond Python's own limit": ("seed: " + "9" * 5000, f"1:7: {SEED} infinity."),
    "fault 05, true as integer": ("seed: true", f"1:7: {SEED} true."),
    "fault 05, true as number": ("training: {learning_rate: true}", f"1:27: {RATE} true."),
    "zero": ("training: {epochs: 0}", f"1:20: {EPOCHS} 0."),
    "float for integer": ("training: {epochs: 1e3}", f"1:20: {EPOCHS} 1000.0. Write 1000."),
    "fraction for integer": ("training: {epochs: 1.5}", f"1:20: {EPOCHS} 1.5."),
    "fraction of a pixel": ("model: {layers: [{type: conv2d, filters: 2, kernel_size: 1.5}]}", "1:58: model.layers.0.kernel_size must be a whole number from 1 to 1024, not 1.5."),
    "entry of a pair": ("model: {layers: [{type: max_pooling2d, strides: [2, 0]}]}", "1:53: model.layers.0.strides.1 must be a whole number from 1 to 1024, not 0."),
    "three for a pair": ("model: {layers: [{type: max_pooling2d, pool_size: [2, 2, 2]}]}", "1:51: model.layers.0.pool_size must be a whole number from 1 to 1024 or a list of 2 entries, not a list of 3."),
    "range of a factor": ("model: {layers: [{type: random_rotation, factor: [-1, 2]}]}", "1:55: model.layers.0.factor.1 must be a number from -1 to 1, not 2."),
    "yes for true": ("training: {optimizer: {type: sgd, nesterov: yes}}", "1:45: training.optimizer.nesterov must be true or false, not the text 'yes'. Write true."),
    "open range": ("model: {layers: [{type: dropout, rate: 1}]}", "1:40: model.layers.0.rate must be a number from 0 to below 1, not 1."),
    "range open at both ends": ("data: {source: simulated, apple_fraction: 1}", "1:43: data.apple_fraction must be a number above 0 and below 1, not 1."),
    "number for text": ("data: {source: folder, path: 5}", "1:30: data.path must be text on one line, without control characters, not 5."),
    "unsafe name": ("name: ../x", "1:7: name must be 1 to 64 of the letters a to z, digits, '.', '_' and '-', opening with a letter or digit, not the text '../x'."),
    "empty section": ("training:\nname: a", "1:10: training is empty. Give it keys, or remove it."),
    "number for mapping": ("training: {early_stopping: 5}", "1:28: training.early_stopping must be a mapping of monitor, patience, min_delta or null, not 5."),
    "list for section": ("model: [3]", "1:8: model must be a mapping of layers or a mapping of units, activation, not a list of 1."),
    "number for list": ("preprocessing: {image_size: 28}", "1:29: preprocessing.image_size must be a list of 2 entries, not 28."),
    "list too short": ("preprocessing: {image_size: [28]}", "1:29: preprocessing.image_size must be a list of 2 entries, not a list of 1."),
    "list too long": ("preprocessing: {image_size: [1, 2, 3]}", "1:29: preprocessing.image_size must be a list of 2 entries, not a list of 3."),
    "entry of a list": ("preprocessing: {image_size: [28, x]}", "1:34: preprocessing.image_size.1 must be a whole number, not the text 'x'."),
    "class weight": ("training: {class_weight: {apple: 0}}", "1:34: training.class_weight.apple must be a number above 0, at most 1000000, not 0."),
    "class weight's word": ("training: {class_weight: zz}", "1:26: training.class_weight must be balanced or null or a mapping, not the text 'zz'."),
    # rules between keys
    "size": ("preprocessing: {image_size: [0, 9]}", "1:29: preprocessing.image_size must be 1 to 1024 pixels a side, not (0, 9)."),
    "splits": ("data: {source: npz, path: x, validation_split: 0.5, test_split: 0.5}", "1:48: data.validation_split and test_split must sum to less than 1, not 1."),
    "boundaries": ("training: {learning_rate: {type: piecewise_constant, boundaries: [3, 2], values: [1, 2, 3]}}", "1:66: training.learning_rate.boundaries must ascend, not [3, 2]."),
    "monitor": ("data: {source: noise}\ntraining: {early_stopping: {monitor: val_loss}}", "2:38: training.early_stopping.monitor val_loss needs validation images: raise data.validation_samples above 0 or monitor loss."),
    # short forms
    "units": ("model: {units: 32}", "1:9: model.units must be a list, such as [32, 16], not 32."),
    "entry of units": ("model: {units: [32, 0]}", "1:21: model.units.1 must be a whole number from 1 to 65536, not 0."),
    "activation of units, once": ("model: {units: [3, 3], activation: rel}", "1:36: model.activation 'rel' is unknown. Did you mean relu?"),
    "both forms": ("model: {units: [3], layers: []}", "1:9: model.units and model.layers exclude each other. Keep one of them."),
    "half a form": ("model: {activation: relu}", "1:9: model.units is missing. Give the units of each layer, such as [32, 16]."),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_one_line_says_what_is_wrong(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = "model: {units: 3}\nlr: 1\nseed: x\ntraining:\n  loss: mse\n  epochs: 0\ndata: {}\n"

    assert [line.split(" ")[:2] for line in problems(text)] == [
        ["1:9:", "model.units"],
        ["2:1:", "lr"],
        ["3:7:", "seed"],
        ["5:9:", "training.loss"],
        ["6:11:", "training.epochs"],
        ["7:1:", "data.source"],
    ]


def test_a_wrong_entry_does_not_make_its_list_too_short() -> None:
    schedule = "{type: piecewise_constant, boundaries: [x], values: [-1, 2]}"

    assert len(problems(f"training: {{learning_rate: {schedule}}}")) == 2


def test_keys_named_like_parts_of_the_schema_are_not_mistaken_for_them() -> None:
    text = "training: {number: 1, word: 2, class_weight: {record: -1, mapping: 1}}"

    assert [line.split(" ")[1] for line in problems(text)] == [
        "training.number",
        "training.word",
        "training.class_weight.record",
    ]


def test_odd_keys_keep_to_their_line() -> None:
    assert problems('"a\\nb": 1\n' + "k" * 999 + ": 1") == [
        "1:1: 'a\\nb' is not a key. Known keys: name, seed, data, preprocessing, model, training, "
        "decision, tracking, sweep.",
        f"2:1: '{'k' * 60}' is not a key. Known keys: name, seed, data, preprocessing, model, "
        "training, decision, tracking, sweep.",
    ]


def all_paths(path: Path = ()) -> list[Path]:
    """Every path of keys in a configuration, with 0 for the index of lists."""
    found = [path]
    if len(path) > 6:  # a layer may hold layers
        return found
    for option in options_at(None, path):
        keys = list(option.get("properties", {})) + [0] * ("items" in option)
        found += [below for key in keys for below in all_paths((*path, key))]
    return found


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["adam", "x", "no"]),
    lambda node: (
        st.lists(node, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "source", "units", "x"]), node, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from(sorted(set(all_paths()) - {()}, key=str)), anything)
def test_any_value_anywhere_is_taken_or_explained(path: Path, value: Node) -> None:
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    override = dump(value)
    try:
        experiment = parse_experiment(override, filename="f.yaml")
        assert parse_experiment(dump_experiment(experiment), filename="f.yaml") == experiment
    except ConfigError as error:
        message = str(error)
        assert all(line.startswith("f.yaml:1:") for line in message.splitlines())
        assert " must be , not" not in message
        assert "None" not in message


def dump(value: Node) -> str:
    """A value as YAML on one line."""
    return json.dumps(value).replace("NaN", ".nan").replace("Infinity", ".inf")
