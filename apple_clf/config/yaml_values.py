"""What YAML 1.2 values are: what an unquoted word means, and how messages show a value."""

import re
from math import inf, isfinite, isnan, nan
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Node: TypeAlias = "Scalar | list[Node] | dict[str, Node]"
Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the root to a node."""

# YAML 1.2.2, section 10.3.2 (core schema), but for numbers with leading zeros: whether 0755 is 755
# or 493 depends on whom one asks, so they stay text and are refused where a number is due.
_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), nan),
}
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_LONGEST_INTEGER = 308  # digits; beyond, it is infinite as a float, and as good as that here


def plain_scalar(text: str) -> Scalar:
    """What an unquoted word means in YAML 1.2: null, a boolean, a number, or else itself.

    Args:
        text: the word, without spaces around it.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _DECIMAL.fullmatch(text):
        is_integer = text.lstrip("+-").isdecimal() and len(text) <= _LONGEST_INTEGER
        return int(text) if is_integer else float(text)
    if _BASED.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text, 0)
    return text


def shown(value: Node) -> str:
    """A value as YAML has it, or what it is if that would be long."""
    match value:
        case None:
            return "empty (null)"
        case bool():
            return str(value).lower()
        case float() if not isfinite(value):
            return "NaN" if isnan(value) else "infinity"
        case int() if abs(value) >= 10**20:
            return f"a number of {len(str(abs(value)))} digits"
        case str():
            return f"the text {value[:40] + '...' if len(value) > 40 else value!r}"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return "a mapping"
    return str(value)
