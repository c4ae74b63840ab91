import math

import pytest

from apple_clf.config.yaml_values import Node, plain_scalar, shown


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("1e-3", 0.001),
        ("1E+3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5e1", -5.0),
        ("+7", 7),
        ("-0", 0),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e999", math.inf),
        ("-.inf", -math.inf),
        ("9" * 5000, math.inf),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("Null", None),
    ],
)
def test_fault_02_words_of_yaml_12_mean_what_it_says(word: str, expected: object) -> None:
    value = plain_scalar(word)

    assert value == expected
    assert type(value) is type(expected)


STAY_TEXT = (
    "no on Yes off y tRUE 0755 1:30 1_000 2024-01-31 e5 . << 0b1 0o8 0x 1e --1 nan inf - + "
    "\N{ARABIC-INDIC DIGIT ONE}"
)


@pytest.mark.parametrize("word", STAY_TEXT.split())
def test_fault_04_other_words_stay_text(word: str) -> None:
    assert plain_scalar(word) == word


def test_not_a_number_is_read() -> None:
    value = plain_scalar(".NaN")

    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "empty (null)"),
        (True, "true"),
        (math.inf, "infinity"),
        (math.nan, "NaN"),
        (-(10**20), "a number of 21 digits"),
        (10**19, "10000000000000000000"),
        (1e-3, "0.001"),
        ("a\nb", "the text 'a\\nb'"),
        ("x" * 41, f"the text '{'x' * 40}...'"),
        ([1, 2], "a list of 2"),
        ({"a": 1}, "a mapping"),
    ],
)
def test_values_are_shown_on_one_short_line(value: Node, expected: str) -> None:
    assert shown(value) == expected
