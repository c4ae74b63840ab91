"""Which runs to list: comparisons of a key with a value, and an order by a key."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from apple_clf.errors import ConfigError

_EXPRESSION = re.compile(r"\s*([\w.]+)\s*(<=|>=|!=|==?|<|>)\s*(.*?)\s*", re.DOTALL)
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
}


@dataclass(frozen=True)
class Condition:
    """A comparison such as balanced_accuracy>0.9."""

    key: str
    operator: str
    value: str

    def holds(self, value: object) -> bool:
        """Whether a value meets it; nothing is neither more nor less than a number.

        Args:
            value: number, text, truth, list, or None, which is written `null`.
        """
        number, limit = _number(value), _number(self.value)
        if self.operator in _ORDERS:
            both = number is not None and limit is not None
            return both and _ORDERS[self.operator](number or 0.0, limit or 0.0)
        if number is not None and limit is not None:
            equal = number == limit
        else:
            equal = _text(value) == _text(self.value)
        return equal is not (self.operator == "!=")


def parse_condition(text: str) -> Condition:
    """The comparison that a text states, with one of = == != < <= > >=.

    Raises:
        ConfigError: it is none, or says that something is more than a word.
    """
    match = _EXPRESSION.fullmatch(text)
    if match is None or not match[3]:
        raise ConfigError(
            f"--where {text!r}: is not a comparison. Write it like 'balanced_accuracy>0.9' or "
            "status=finished."
        )
    condition = Condition(*match.groups())
    if condition.operator in _ORDERS and _number(condition.value) is None:
        raise ConfigError(
            f"--where {text!r}: only a number can be compared by {condition.operator}, not "
            f"{condition.value!r}. Words take = or !=."
        )
    return condition


def sort_rank(value: object) -> tuple[int, float, str]:
    """What to sort a value by: numbers first, then texts."""
    number = _number(value)
    return (1, 0.0, _text(value)) if number is None else (0, number, "")


def unknown_key(key: str, known: Iterable[str], *, option: str) -> ConfigError:
    """The error for a key that no run has, with the nearest that one has.

    Args:
        key: as it was asked for.
        known: all keys.
        option: that named it.
    """
    from difflib import get_close_matches

    names = list(known)
    ending = [name for name in names if name.rpartition(".")[2] == key]
    near = [*ending, *get_close_matches(key, names, n=1)]
    hint = f"Did you mean {near[0]}?" if near else "See: apple-clf config show"
    return ConfigError(f"{option} {key!r}: no run has such a key. {hint}")


def _number(value: object) -> float | None:
    if value is None or isinstance(value, bool | list):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _text(value: object) -> str:
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace(" ", "") if text.startswith("[") else text
