"""History, statistics and metrics of a training -> findings in words, each with the next edit.

A module for each family of rules, see `rule`. A new finding is a function and its `Rule` in one of
them, and a line in docs/cli.md.
"""

import json
from collections.abc import Sequence

from apple_clf.diagnosis.answers import ANSWER_RULES
from apple_clf.diagnosis.curves import CURVE_RULES
from apple_clf.diagnosis.data import DATA_RULES
from apple_clf.diagnosis.finding import Finding, Severity
from apple_clf.diagnosis.gradients import GRADIENT_RULES
from apple_clf.diagnosis.pictures import PICTURE_RULES
from apple_clf.diagnosis.record import Record, read_record
from apple_clf.diagnosis.rule import without_consequences
from apple_clf.diagnosis.units import UNIT_RULES

__all__ = ["Finding", "Record", "Severity", "diagnose", "findings_json", "read_record"]

RULES = (
    *DATA_RULES,
    *PICTURE_RULES,
    *GRADIENT_RULES,
    *UNIT_RULES,
    *CURVE_RULES,
    *ANSWER_RULES,
)


def diagnose(record: Record) -> list[Finding]:
    """What went wrong in a training, the weightiest first; empty if nothing was found.

    Args:
        record: of a training that is over, by itself or by divergence.
    """
    found = [finding for rule in RULES if (finding := rule.find(record)) is not None]
    severities = list(Severity)
    return sorted(without_consequences(found, RULES), key=lambda it: severities.index(it.severity))


def findings_json(record: Record, findings: Sequence[Finding]) -> str:
    """The content of findings.json."""
    content = {
        "diverged": record.diverged,
        "findings": [finding.as_dict() for finding in findings],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
