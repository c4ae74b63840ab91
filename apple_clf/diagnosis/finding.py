"""What a diagnosis says: a name, how bad it is, the numbers, the meaning and the next edit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding matters."""

    problem = "problem"  # the model is of no use
    warning = "warning"  # it is worse than it could be, or than it looks
    hint = "hint"  # worth a try


@dataclass(frozen=True)
class Finding:
    """One thing that went wrong in a training, for somebody who is learning."""

    name: str  # snake case
    severity: Severity
    evidence: Mapping[str, float | int | str]  # what was seen; keys are words with underscores
    meaning: str  # two sentences
    edit: tuple[str, ...] = ()  # KEY=VALUE each, for --set; empty if no key of an experiment helps

    @property
    def title(self) -> str:
        """The name as words."""
        return self.name.replace("_", " ")

    @property
    def evidence_in_words(self) -> str:
        """The evidence on one line."""
        parts = []
        for key, value in self.evidence.items():
            shown = f"{value:.3g}" if isinstance(value, float) else str(value)
            parts.append(f"{key.replace('_', ' ')} {shown}")
        return ", ".join(parts)

    def as_dict(self) -> dict[str, object]:
        """The finding as JSON shows it."""
        return {
            "name": self.name,
            "severity": str(self.severity),
            "evidence": {key: _for_json(value) for key, value in self.evidence.items()},
            "meaning": self.meaning,
            "edit": list(self.edit),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Finding":
        """The finding that `as_dict` gave."""
        return cls(
            content["name"],
            Severity(content["severity"]),
            content["evidence"],
            content["meaning"],
            tuple(content["edit"]),
        )


def _for_json(value: float | int | str) -> float | int | str:
    """JSON has no infinity, which a gradient may be."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
