"""A rule finds one thing that can go wrong, and says which other findings it brings about.

Of findings that hang together only the cause is told. A new rule says itself what it explains and
what explains it, so the rules that are there need no change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apple_clf.diagnosis.finding import Finding, Severity
from apple_clf.diagnosis.record import Record

USELESS = ("class_collapse", "no_better_than_guessing")
POOR_ANSWERS = (*USELESS, "underfitting", "imbalance_hidden_in_accuracy", "uncalibrated")
UNFINISHED = (*POOR_ANSWERS, "stopped_too_early")
STUCK = (*UNFINISHED, "vanishing_gradients", "learning_rate_too_low", "batch_too_large")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        find: a pure function of the record that gives the finding, of the function's name, or
            None. Its thresholds are constants with their reasons.
        seen: what is seen where it applies, in a few words; the docs list it.
        explains: names of the findings that this one brings about.
        explained_by: names of the findings that bring this one about, besides those that list it.
        explains_from: the least severity at which it explains others.
    """

    find: Callable[[Record], Finding | None]
    seen: str
    explains: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()
    explains_from: Severity = Severity.hint

    @property
    def name(self) -> str:
        """The name of its finding."""
        return self.find.__name__


def without_consequences(findings: Sequence[Finding], rules: Sequence[Rule]) -> list[Finding]:
    """The findings that no other one of them explains, in the same order.

    Args:
        findings: each of one of the rules.
        rules: all of them.
    """
    severities = list(Severity)  # the gravest first
    by_name = {rule.name: rule for rule in rules}
    causes = {
        finding.name
        for finding in findings
        if severities.index(finding.severity)
        <= severities.index(by_name[finding.name].explains_from)
    }
    explained = {name for cause in causes for name in by_name[cause].explains}
    return [
        finding
        for finding in findings
        if finding.name not in explained and causes.isdisjoint(by_name[finding.name].explained_by)
    ]
