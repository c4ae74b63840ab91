"""The JSON schema of an experiment: for editors, for error messages, for the reference.

YAML may say a little less than the records do (a bare name for an optimizer or a loss, a list of
units for a stack of dense layers), so these short forms are added here; `settings` expands them.
"""

from functools import cache
from typing import Any, TypeAlias

from apple_clf.config.schema.base import TAGS, field_docs
from apple_clf.config.schema.sweep import ExperimentFile
from apple_clf.config.yaml_values import Node, Path
from apple_clf.images.preprocessing import Preprocessing

JsonSchema: TypeAlias = dict[str, Any]

BARE_NAMES = (("training", "optimizer"), ("training", "loss"))
"""Paths of values that may be a bare name, short for {type: name}."""


def experiment_schema() -> dict[str, object]:
    """The JSON schema of an experiment's YAML, short forms included."""
    schema: JsonSchema = ExperimentFile.model_json_schema()
    definitions = schema["$defs"]
    for _, key in BARE_NAMES:
        union = definitions["TrainingConfig"]["properties"][key]
        names = list(union.pop("discriminator")["mapping"])
        union["oneOf"].insert(0, {"enum": names, "type": "string"})
    dense = definitions["Dense"]["properties"]
    definitions["DenseStack"] = {
        "title": "DenseStack",
        "description": "Short form: dense layers of these units, with one activation.",
        "type": "object",
        "additionalProperties": False,
        "required": ["units"],
        "properties": {
            "units": {
                "description": "Neurons of each dense layer.",
                "type": "array",
                "items": {key: dense["units"][key] for key in ("type", "minimum", "maximum")},
            },
            "activation": {
                **dense["activation"],
                "description": "Activation function of these layers.",
                "default": "relu",
            },
        },
    }
    for field, text in field_docs(Preprocessing.__module__)[Preprocessing.__name__].items():
        definitions["Preprocessing"]["properties"][field]["description"] = text
    model = schema["properties"]["model"]
    model["anyOf"] = [{"$ref": model.pop("$ref")}, {"$ref": "#/$defs/DenseStack"}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


@cache
def _root() -> JsonSchema:
    return experiment_schema()


def options_at(data: Node, path: Path) -> list[JsonSchema]:
    """The schemas that the value at a path may follow, unions taken apart.

    Args:
        data: the whole experiment as plain data; its tags tell which record of a union is meant.
        path: keys and indices; none of them need exist in the data.

    Returns:
        One schema without `$ref`, `oneOf` and `anyOf` per possibility; none if the path is unknown.
    """
    options = alternatives(_root())
    for step in path:
        options = [
            found
            for option in chosen(options, data)
            for child in _children(option, step)
            for found in alternatives(child)
        ]
        data = step_into(data, step)
    return options


def chosen(options: list[JsonSchema], value: Node) -> list[JsonSchema]:
    """Those options that a value means: of its kind and, for a mapping, with its tag."""
    if value is None:
        return options
    if isinstance(value, list):
        return [option for option in options if option.get("type") == "array"]
    if not isinstance(value, dict):
        return [option for option in options if option.get("type") not in ("array", "object")]
    mappings = [option for option in options if option.get("type") == "object"]
    return [option for option in mappings if tag_of(option) in (None, _tag(value))] or mappings


def step_into(node: Node, step: str | int) -> Node:
    """What lies one key or index into plain data; None if nothing does."""
    if isinstance(node, dict):
        return node.get(str(step))
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def node_at(node: Node, path: Path) -> Node:
    """What lies at a path of plain data; None if nothing does."""
    for step in path:
        node = step_into(node, step)
    return node


def tag_of(option: JsonSchema) -> str | None:
    """The tag that marks a record in its union, such as dense; None if it has none."""
    properties = option.get("properties", {})
    return next((properties[key].get("const") for key in TAGS if key in properties), None)


def _tag(value: dict[str, Node]) -> Node:
    return next((value[key] for key in TAGS if key in value), None)


def _children(option: JsonSchema, step: str | int) -> list[JsonSchema]:
    if isinstance(step, int):
        items = option.get("prefixItems", [])
        item = items[step] if step < len(items) else option.get("items")
        return [item] if isinstance(item, dict) else []
    rest = option.get("additionalProperties")
    child = option.get("properties", {}).get(step, rest)
    return [child] if isinstance(child, dict) else []


def alternatives(schema: JsonSchema) -> list[JsonSchema]:
    """The schemas that a value may follow one of: references followed, unions taken apart."""
    if "$ref" in schema:
        return alternatives(_root()["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
    for union in ("oneOf", "anyOf"):
        if union in schema:
            return [found for part in schema[union] for found in alternatives(part)]
    return [schema]
