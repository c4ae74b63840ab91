"""What becomes of the network's outputs, once it is trained, before they are an answer."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from apple_clf.config.schema.base import BelowOne, Record, Share

Goal = Annotated[
    str,
    Field(
        pattern=r"^(balanced_accuracy|f1|(precision|recall)>=(0?\.[0-9]{1,6}|1(\.0)?))$",
        json_schema_extra={
            "patternErrorMessage": "a goal (balanced_accuracy, f1, precision>=0.95, recall>=0.95)"
        },
    ),
]


def _number_or_word(value: object) -> str:
    return "word" if isinstance(value, str) else "number"


class DecisionConfig(Record):
    """How outputs become answers; what is fitted here is fitted to the validation images."""

    threshold: Annotated[
        Annotated[Share, Tag("number")] | Annotated[Goal, Tag("word")],
        Discriminator(_number_or_word),
    ] = 0.5
    """Smallest probability at which an image is the positive class, or a goal to choose it by; two
    classes only."""
    calibration: Literal["temperature"] | None = "temperature"
    """temperature divides the logits by a fitted number, so that probabilities match frequencies;
    null leaves them as they are."""
    false_alarm_rate: BelowOne | None = 0.01
    """Share of ordinary images that may be answered `unsure`, so that images unlike all training
    images are noticed; null: never unsure."""

    @property
    def goal(self) -> str | None:
        """What the threshold is to be chosen for, None if it is given."""
        return self.threshold if isinstance(self.threshold, str) else None
