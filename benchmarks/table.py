"""Rows of the table: two sides, their ratio, and whether it meets its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measure import Pairs, Usage, typical

HEAD = (
    "| # | work | peer | ours | peer's | ratio: median (min-max, pairs) | target | met? |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """One comparison; a smaller ratio is better."""

    number: str  # of the target, such as S1
    work: str
    peer: str
    ours: str  # what one side took, as it is shown
    theirs: str
    ratios: Sequence[float]
    limit: float | None  # None: shown, but held to nothing

    @property
    def ratio(self) -> float:
        """Median over the pairs."""
        return median(self.ratios)

    @property
    def met(self) -> str:
        """Whether the target is reached, in a word."""
        if self.limit is None:
            return "-"
        return "yes" if self.ratio <= self.limit else "**missed**"

    def __str__(self) -> str:
        spread = f"{min(self.ratios):.3f}-{max(self.ratios):.3f}, {len(self.ratios)}"
        cells = (
            self.number,
            self.work,
            self.peer,
            self.ours,
            self.theirs,
            f"{self.ratio:.3f} ({spread})",
            "-" if self.limit is None else f"<= {self.limit:g}",
            self.met,
        )
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Unmeasured:
    """A comparison that could not be run, and why."""

    number: str
    work: str
    peer: str
    reason: str

    def __str__(self) -> str:
        return f"| {self.number} | {self.work} | {self.peer} | - | - | {self.reason} | - | - |"


Line = Row | Unmeasured


def time_row(number: str, work: str, peer: str, pairs: Pairs, *, limit: float) -> Row:
    """A comparison of wall times."""
    return Row(number, work, peer, *_sides(pairs), pairs.time_ratios(), limit)


def memory_row(number: str, work: str, peer: str, pairs: Pairs, *, limit: float) -> Row:
    """A comparison of peak memories."""
    return Row(number, work, peer, *_sides(pairs), pairs.memory_ratios(), limit)


def _sides(pairs: Pairs) -> tuple[str, str]:
    return _text(typical(pairs.ours)), _text(typical(pairs.peer))


def _text(usage: Usage) -> str:
    return f"{usage.seconds:.3g} s, {usage.megabytes:.0f} MB"
