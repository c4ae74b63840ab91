"""What all records of an experiment share: strictness, documentation and ranges.

A validator's message opens with the key it is about, relative to its record, so that an error can
point at that key's line.
"""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

TAGS = ("type", "source")
"""Keys that say which record of a union is meant."""

MAX_SAMPLES = 10_000_000
MAX_LEARNING_RATE = 1e12  # far past divergence, so that divergence can be tried


@cache
def field_docs(module: str) -> dict[str, dict[str, str]]:
    """The strings below the fields of a module's classes, by class and field.

    Pydantic can collect them too, but does so at import, which costs more than all the rest.
    """
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        node.name: {
            field.target.id: inspect.cleandoc(text.value.value)
            for field, text in pairwise(node.body)
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        }
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def _complete(schema: JsonDict, record: type[Any]) -> None:
    """Adds each field's docstring, and asks for the tag: YAML has no other way to tell a union."""
    properties, required = schema.get("properties", {}), schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    for base in reversed(record.__mro__):
        if base.__module__.startswith(__package__):
            for field, text in field_docs(base.__module__)[base.__name__].items():
                leaf = properties[field]
                assert isinstance(leaf, dict)
                leaf["description"] = text
    if tags := [key for key in TAGS if key in properties]:
        schema["required"] = [*tags, *required]
        schema["properties"] = {key: properties[key] for key in dict.fromkeys([*tags, *properties])}


def number_or_pair(value: object) -> str:
    """Which branch of a union of a number and a pair of them a value is for."""
    return "pair" if isinstance(value, list | tuple) else "number"


class Record(BaseModel):
    """Base of all parts of an experiment: frozen, strict, no unknown keys, finite numbers."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        json_schema_extra=_complete,
        defer_build=True,  # a part is validated within the whole, and needs no validator of its own
    )


Text = Annotated[
    str,
    Field(
        min_length=1,
        max_length=4096,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\ufffe\uffff]*$",
        json_schema_extra={"patternErrorMessage": "text on one line, without control characters"},
    ),
]
Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        json_schema_extra={
            "patternErrorMessage": "1 to 64 of the letters a to z, digits, '.', '_' and '-', "
            "opening with a letter or digit"
        },
    ),
]
Samples = Annotated[int, Field(ge=1, le=MAX_SAMPLES)]
Share = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Epsilon = Annotated[float, Field(gt=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=MAX_LEARNING_RATE)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]
Units = Annotated[int, Field(ge=1, le=65_536)]
Penalty = Annotated[float, Field(ge=0, le=1e6)]
Limit = Annotated[float, Field(gt=0, le=1e6)]
Weight = Annotated[float, Field(gt=0, le=1e6)]
