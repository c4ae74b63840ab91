"""Where lessons lie, and what one holds."""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from apple_clf.config.recipes import CONFIGS
from apple_clf.config.schema import Record
from apple_clf.errors import ConfigError
from apple_clf.io.files import printable
from apple_clf.lessons.measures import MeasureName
from apple_clf.lessons.rules import Rule, parse_rule

_LESSONS = CONFIGS / "lessons"

Curve = Literal["loss", "accuracy", "val_loss", "val_accuracy"]
Picture = Literal["gradients"] | Annotated[tuple[Curve, ...], Field(min_length=1, max_length=2)]
"""The gradient of each layer before the training, or up to two columns of the history."""


class Prediction(Record):
    """A sentence, and the comparison of numbers that makes it true."""

    says: str
    """The sentence."""
    holds_if: str
    """The comparison, such as `test_accuracy of relu > test_accuracy of linear + 0.1`."""


class Lesson(Record):
    """The content of a lesson.yaml, and of the files beside it."""

    folder: Path
    """Where it lies; its name is the lesson's."""
    title: str
    """What it is about."""
    texts: Annotated[tuple[str, ...], Field(min_length=1)]
    """The introductions that make the statement, by number: see docs/concepts.md."""
    statement: str
    """What they say, in this project's words."""
    runs: Annotated[tuple[str, ...], Field(min_length=2)]
    """The experiments, in the order to train them."""
    differ_in: Annotated[tuple[str, ...], Field(min_length=1)]
    """The keys in which they differ; nothing else does."""
    shows: Annotated[tuple[MeasureName, ...], Field(min_length=1)]
    """The measures to set side by side."""
    picture: Picture
    """What to draw, a line for each experiment."""
    expects: Annotated[tuple[Prediction, ...], Field(min_length=1)]
    """What should come out."""
    conclusion: str
    """What that says of the statement."""

    @property
    def name(self) -> str:
        """What `lesson run` calls it."""
        return self.folder.name

    @cached_property
    def page(self) -> str:
        """The text to read, as Markdown."""
        return (self.folder / "README.md").read_text(encoding="utf-8")

    @cached_property
    def rules(self) -> Sequence[Rule]:
        """The comparisons, parsed."""
        return [parse_rule(each.holds_if, says=each.says) for each in self.expects]

    def config(self, arm: str) -> Path:
        """The file of one of its experiments."""
        return self.folder / f"{arm}.yaml"


def list_lessons() -> list[Lesson]:
    """All lessons, by name."""
    return [_read(path.parent) for path in sorted(_LESSONS.glob("*/lesson.yaml"))]


def find_lesson(name: str) -> Lesson:
    """The lesson of that name.

    Raises:
        ConfigError: there is none.
    """
    names = [path.parent.name for path in sorted(_LESSONS.glob("*/lesson.yaml"))]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]}?" if near else "List them: apple-clf lesson list"
        raise ConfigError(f"{printable(name)!r} is not a lesson. {hint}")
    return _read(_LESSONS / name)


def _read(folder: Path) -> Lesson:
    content = yaml.safe_load((folder / "lesson.yaml").read_text(encoding="utf-8"))
    return Lesson.model_validate_json(json.dumps({"folder": str(folder), **content}))
