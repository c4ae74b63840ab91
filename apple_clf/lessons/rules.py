"""Comparisons of numbers, as a lesson writes them down, and whether they hold.

    MEASURE of RUN < NUMBER
    MEASURE of RUN > [NUMBER x] MEASURE of RUN [+ NUMBER | - NUMBER]

with `<`, `>` or `=`.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Values = Mapping[str, Mapping[str, float]]  # by run and measure

_NUMBER: Final = r"\d+(?:\.\d+)?(?:e-?\d+)?"
_QUANTITY: Final = r"(\w+) of ([\w-]+)"
_RULE: Final = re.compile(
    rf"{_QUANTITY} ([<>=]) (?:({_NUMBER})|(?:({_NUMBER}) x )?{_QUANTITY}(?: ([+-]) ({_NUMBER}))?)"
)
_SIGNS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "=": lambda left, right: math.isclose(left, right, rel_tol=1e-5),  # digits of a float32
}


@dataclass(frozen=True)
class Quantity:
    """A measure of a run."""

    measure: str
    run: str

    def __str__(self) -> str:
        return f"{self.measure.replace('_', ' ')} of {self.run}"


@dataclass(frozen=True)
class Verdict:
    """Whether a sentence held, and the numbers that say so."""

    says: str
    held: bool
    seen: str


@dataclass(frozen=True)
class Rule:
    """A sentence, and the comparison that makes it true: left SIGN factor x right + margin."""

    says: str
    left: Quantity
    sign: str
    right: Quantity | None  # None: left is compared with the margin
    factor: float
    margin: float

    def judge(self, values: Values) -> Verdict:
        """Whether it holds; never where a value is NaN.

        Args:
            values: of all runs and measures that the rule names.
        """
        left, bound = values[self.left.run][self.left.measure], self.margin
        terms = []
        if self.right is not None:
            value = values[self.right.run][self.right.measure]
            bound += self.factor * value
            times = f"{self.factor:g} x " if self.factor != 1 else ""
            terms = [f"{times}{self.right} {value:.3g}"]
        if self.margin or not terms:
            terms.append(f"{abs(self.margin):g}")
        between = " - " if self.margin < 0 else " + "
        held = _SIGNS[self.sign](left, bound)
        sign = self.sign if held else f"not {self.sign}"
        return Verdict(self.says, held, f"{self.left} {left:.3g} {sign} {between.join(terms)}")


def parse_rule(text: str, *, says: str) -> Rule:
    """The rule that a text describes.

    Args:
        text: such as `test_accuracy of relu > test_accuracy of linear + 0.1`.
        says: the sentence that it makes true.

    Raises:
        ValueError: the text is not a comparison.
    """
    match = _RULE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a comparison like 'val_loss of a < val_loss of b - 0.1'")
    measure, run, sign, number, factor, other, other_run, plus, margin = match.groups()
    right = Quantity(other, other_run) if other else None
    bound = float(number or margin or 0)
    return Rule(
        says,
        Quantity(measure, run),
        sign,
        right,
        factor=float(factor or 1),
        margin=-bound if plus == "-" else bound,
    )
