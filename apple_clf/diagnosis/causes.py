"""Of findings that hang together, the cause: one trouble is to be told once."""

from collections.abc import Sequence

from apple_clf.diagnosis.finding import Finding, Severity

USELESS = ("class_collapse", "no_better_than_guessing")
POOR = (*USELESS, "underfitting", "imbalance_hidden_in_accuracy", "uncalibrated")
UNFINISHED = (*POOR, "stopped_too_early")
STUCK = (*UNFINISHED, "vanishing_gradients", "learning_rate_too_low", "batch_too_large")

CONSEQUENCES: dict[str, tuple[str, ...]] = {
    "random_labels": ("overfitting", "stopped_too_early", *POOR),
    "network_for_drawings": ("random_labels", "overfitting", "dead_relus", *STUCK),
    "leak_suspected": ("underfitting", "stopped_too_early"),
    "exploding_gradients": (
        *("learning_rate_too_high", "dead_relus", "saturated_units", "overfitting"),
        *STUCK,
    ),
    "learning_rate_too_high": ("dead_relus", "saturated_units", "overfitting", *STUCK),
    "saturated_units": STUCK,
    "dead_relus": STUCK,
    "vanishing_gradients": ("learning_rate_too_low", "batch_too_large", *UNFINISHED),
    "batch_too_large": ("learning_rate_too_low", *UNFINISHED),
    "learning_rate_too_low": UNFINISHED,
    "stopped_too_early": POOR,
    "class_collapse": ("no_better_than_guessing", "underfitting"),
    "no_better_than_guessing": ("underfitting",),
    "imbalance_hidden_in_accuracy": ("underfitting", "overfitting"),
    "underfitting": ("uncalibrated",),
}
"""By finding: those that it brings about, so that they need not be told beside it."""


def without_consequences(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that no other one of them explains, in the same order.

    A layer of which some units are dead, and the others learn, explains nothing.
    """
    causes = [
        finding.name
        for finding in findings
        if finding.name != "dead_relus" or finding.severity is Severity.problem
    ]
    explained = {name for cause in causes for name in CONSEQUENCES.get(cause, ())}
    return [finding for finding in findings if finding.name not in explained]
