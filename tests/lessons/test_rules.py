import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.lessons.rules import parse_rule

VALUES = {
    "a": {"loss": 0.5, "share": 1e-6, "unknown": math.nan},
    "too-b": {"loss": 0.2, "share": 1e-3, "unknown": math.nan},
}

JUDGED = {
    "below_a_number": ("loss of a < 0.6", True),
    "not_below_a_number": ("loss of a < 0.5", False),
    "above_a_small_number": ("share of a > 1e-7", True),
    "above_another": ("loss of a > loss of too-b", True),
    "above_another_by_more": ("loss of a > loss of too-b + 0.4", False),
    "below_another_by_a_margin": ("loss of too-b < loss of a - 0.2", True),
    "not_below_by_that_margin": ("loss of too-b < loss of a - 0.4", False),
    "many_times_another": ("share of too-b > 100 x share of a", True),
    "not_that_many_times": ("share of too-b > 2000 x share of a", False),
    "times_and_margin": ("loss of a < 2 x loss of too-b + 0.2", True),
    "equal": ("loss of a = loss of a", True),
    "unequal": ("loss of a = loss of too-b", False),
}


@pytest.mark.parametrize(("text", "held"), JUDGED.values(), ids=JUDGED)
def test_rule_compares(text: str, held: bool) -> None:
    verdict = parse_rule(text, says="So it is.").judge(VALUES)
    assert verdict.held is held
    assert verdict.says == "So it is."


def test_verdict_shows_the_numbers() -> None:
    rule = parse_rule("loss of too-b < 0.5 x loss of a - 0.2", says="")
    assert rule.judge(VALUES).seen == "loss of too-b 0.2 not < 0.5 x loss of a 0.5 - 0.2"
    assert parse_rule("loss of a > 0.1", says="").judge(VALUES).seen == "loss of a 0.5 > 0.1"


@pytest.mark.parametrize("sign", "<>=")
def test_nothing_holds_of_an_undefined_number(sign: str) -> None:
    for text in (f"unknown of a {sign} 1", f"unknown of a {sign} unknown of too-b"):
        assert not parse_rule(text, says="").judge(VALUES).held


BAD = (
    "",
    "loss of a",
    "loss < 1",
    "loss of a <= 1",
    "loss of a < loss of b * 2",
    "loss of a < 1 + 1",
    "loss of a < 1; loss of b < 1",
)


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="not a comparison"):
        parse_rule(text, says="")


@given(
    left=st.floats(0, 10),
    right=st.floats(0, 10),
    factor=st.integers(1, 1000),
    margin=st.integers(1, 1000).map(lambda n: n / 1000),
)
def test_rule_is_the_formula_it_looks_like(
    left: float, right: float, factor: int, margin: float
) -> None:
    values = {"a": {"m": left}, "b": {"m": right}}
    above = parse_rule(f"m of a > {factor} x m of b + {margin:.3f}", says="")
    assert above.judge(values).held == (left > factor * right + margin)
    below = parse_rule(f"m of a < {factor} x m of b - {margin:.3f}", says="")
    assert below.judge(values).held == (left < factor * right - margin)
