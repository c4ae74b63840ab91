import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.config.schema.layers import Residual
from apple_clf.config.schema.model import KINDS
from apple_clf.errors import ArtifactError
from apple_clf.model.backend import keras
from apple_clf.model.keras_file.network import LAYERS, MAX_DEPTH, read_network
from model.keras_file.hostile import FLOAT32, Part, model, network, part


def read(description: object) -> dict[str, Any]:
    return read_network(json.dumps(description).encode())


def test_network_of_known_layers_is_returned_as_it_was() -> None:
    description = network(part("Rescaling", scale=0.1, dtype=FLOAT32))
    assert read(description) == description


def test_how_it_was_trained_is_left_out_with_its_classes() -> None:
    trained = {**network(), "compile_config": {"loss": part("MyLoss", module="mine")}}
    inner = {**part("Functional", module="keras", layers=[]), "compile_config": {"loss": "evil"}}
    assert read(trained) == network()
    assert "compile_config" not in read(network(inner))["config"]["layers"][1]


def test_every_layer_that_this_project_builds_is_known() -> None:
    built = {kind.keras_class for kind in KINDS if kind is not Residual}
    assert built | {"Add", "InputLayer", "Rescaling", "Flatten", "Dense"} <= LAYERS


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_known_layer_is_one_of_keras(name: str) -> None:
    assert issubclass(getattr(keras.layers, name), keras.Layer)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_known_layer_stands_in_the_docs(name: str) -> None:
    docs = Path(__file__).parents[3] / "docs" / "cli.md"
    assert re.search(rf"\b{name}\b", docs.read_text(encoding="utf-8"))


CODE = part("__lambda__", module="builtins", value="4wEAAA==")


@pytest.mark.parametrize(
    ("evil", "named"),
    [
        pytest.param(part("Lambda", function=CODE), "keras.layers.Lambda holds", id="lambda"),
        pytest.param(part("TFSMLayer", filepath="/tmp/x"), "TFSMLayer loads", id="TFSMLayer"),
        pytest.param(part("StringLookup", vocabulary="/etc/x"), "StringLookup opens", id="lookup"),
        pytest.param(part("TorchModuleWrapper", module_=""), "TorchModuleWrapper", id="torch"),
        pytest.param(part("TimeDistributed", layer=part("Dense")), "TimeDistr", id="wrapper"),
        pytest.param(part("Dense", module="os"), "os.Dense", id="another module"),
        pytest.param(part("Dense", module=None), "None.Dense", id="no module"),
        pytest.param(part("system", module="os"), "os.system", id="os.system"),
        pytest.param(part("Mine", module="keras.layers"), "Mine is none of", id="unknown"),
        pytest.param(
            {**part("Dense"), "registered_name": "mine>Dense"}, "mine>Dense", id="registered"
        ),
        pytest.param(
            part("Dense", activation={**part("function", module="builtins"), "config": "eval"}),
            "builtins.function",
            id="function",
        ),
        pytest.param(
            part("Dense", kernel_initializer=part("Lambda")), "Lambda", id="inside an argument"
        ),
        pytest.param(
            {**part("Dense"), "build_config": {"a": [CODE]}}, "__lambda__", id="inside a build"
        ),
        pytest.param(
            {**part("Dense"), "inbound_nodes": [{"args": [CODE], "kwargs": {}}]},
            "__lambda__",
            id="inside a call",
        ),
        pytest.param(
            {"class_name": "__tensor__", "config": {"value": [1], "dtype": "float32"}},
            "__tensor__",
            id="constant",
        ),
        pytest.param(
            {**part("x", module="keras"), "class_name": "__typespec__", "spec_name": "x"},
            "__typespec__",
            id="type",
        ),
        pytest.param({"module": "os", "config": {}}, "not text", id="no class"),
        pytest.param({**part("Dense"), "class_name": ["Dense"]}, "not text", id="class is a list"),
        pytest.param(
            {**part("Dense"), "registered_name": ["Dense"]}, "'Dense'", id="registered is a list"
        ),
        pytest.param({**part("Dense"), "module": ["keras"]}, "not text", id="module is a list"),
        pytest.param({**part("Dense"), "config": "eval"}, "no config", id="config is a text"),
        pytest.param({**part("Dense"), "weights": "file"}, "weights", id="another key"),
        pytest.param(
            part("Dense", dtype={**FLOAT32, "config": {"name": "mixed_float16"}}),
            "mixed_float16",
            id="half precision",
        ),
    ],
)
def test_fault_42_what_is_not_on_the_list_is_refused_by_name(evil: Part, named: str) -> None:
    for description in (network(evil), network(model(evil))):
        with pytest.raises(ArtifactError, match=named):
            read(description)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b"\xff", "not JSON", id="no text"),
        pytest.param(b"[" * 100_000, "not JSON", id="deep"),
        pytest.param(b'{"a": NaN}', "NaN", id="nan"),
        pytest.param(b"1" * 5000, "not JSON", id="huge number"),
        pytest.param(b"[]", "neither", id="list"),
        pytest.param(b'{"class_name": []}', "neither", id="no class"),
        pytest.param(json.dumps(part("Model", module="keras")).encode(), "neither", id="subclass"),
    ],
)
def test_text_that_describes_no_network_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        read_network(text)


def test_nesting_is_limited() -> None:
    nested: list[Any] = []
    for _ in range(MAX_DEPTH):
        nested = [nested]
    with pytest.raises(ArtifactError, match="nests deeper"):
        read({**network(), "name": nested})


def test_number_of_parts_is_limited() -> None:
    with pytest.raises(ArtifactError, match="more than 20,000 parts"):
        read({**network(), "name": [[]] * 20_001})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["module", "class_name", "config", "registered_name", "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(content: object) -> None:
    description = network()
    description["config"]["more"] = content
    try:
        assert read(description) == description
    except ArtifactError:
        return
    assert "class_name" not in json.dumps(content)
