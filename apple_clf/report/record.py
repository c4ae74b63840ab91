"""What a run was made from: its data, its experiment, its machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as fields_of
from typing import Any

from pydantic import BaseModel

from apple_clf.config.schema import Experiment
from apple_clf.config.schema.base import TAGS
from apple_clf.report.reading import RunFiles

MAX_FILES = 20


@dataclass(frozen=True)
class Data:
    """The images, and what is known to be wrong with them."""

    class_names: Sequence[str]
    rows: list[tuple[str, list[int], int]]  # split, images by class, all
    facts: list[tuple[str, str]]
    left_out: list[tuple[str, list[tuple[str, str]], int]]  # title, (file, reason), how many more


def data(files: RunFiles) -> Data:
    """Images by split and class, copies, and files that were left out."""
    content = files.dataset
    names = content["class_names"]
    rows = [
        (split, [counts[name] for name in names], sum(counts.values()))
        for split, counts in content["images"].items()
    ]
    return Data(names, rows, [*_facts(content)], [*_left_out(content)])


def _facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "source", str(content["source"])
    yield "positive class", str(content["positive_class"])
    yield "fingerprint", str(content["fingerprint"])
    copies = content.get("duplicates")
    if copies:
        yield "images with the same pixels", f"{copies['images']:,}"
        yield "of these in two splits", f"{copies['in_two_splits']:,}"
        yield "of these under two classes", f"{copies['under_two_classes']:,}"


def _left_out(content: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]], int]]:
    for key, title in (
        ("bad_files", "Files that could not be decoded"),
        ("skipped", "Files and folders passed over"),
    ):
        if found := list(content[key].items()):
            yield title, found[:MAX_FILES], max(0, len(found) - MAX_FILES)


@dataclass(frozen=True)
class Setting:
    """One key of the experiment."""

    key: str
    values: list[str]  # a line each
    default: str | None  # None if the value is the default; else that, or "" if there is none


@dataclass(frozen=True)
class Origin:
    """Where an imported model came from."""

    facts: list[tuple[str, str]]


def experiment(files: RunFiles) -> dict[str, list[Setting]] | Origin:
    """Every setting by section, and which differ from the defaults."""
    if files.is_imported:
        found = files.origin
        facts = [(key, str(found[key])) for key in ("file", "sha256", "data")]
        notes = [("note", str(note)) for note in found["notes"]]
        return Origin([*facts, ("scaling", _short(found["scaling"])), *notes])
    return settings(files.experiment)


def settings(chosen: Experiment) -> dict[str, list[Setting]]:
    """The settings of an experiment by section; those at the top have the section "".

    What differs in kind, such as another source of data, is held to the defaults of that kind.
    """
    usual = Experiment()
    sections: dict[str, list[Setting]] = {"": []}
    for name in type(chosen).model_fields:
        value, default = getattr(chosen, name), getattr(usual, name)
        if (keys := _defaults(value)) is None:
            sections[""].append(_setting(name, value, default))
            continue
        same_kind = type(value) is type(default)
        sections[name] = [
            _setting(
                f"{name}.{key}",
                getattr(value, key),
                getattr(default, key) if same_kind or key in TAGS else of_kind,
            )
            for key, of_kind in keys.items()
        ]
    return sections


def _defaults(value: object) -> dict[str, object] | None:
    """The defaults of a record's kind by key, the tag first; None for what is not a record."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        found = {key: None if field.is_required() else field.default for key, field in fields}
        return dict(sorted(found.items(), key=lambda item: item[0] not in TAGS))
    if is_dataclass(value):
        return {field.name: field.default for field in fields_of(value)}
    return None


def _setting(key: str, value: object, default: object) -> Setting:
    several = isinstance(value, tuple) and any(_defaults(each) is not None for each in value)
    lines = [_short(each) for each in value] if several else [_short(value)]  # type: ignore[attr-defined]  # a tuple, if there are several
    return Setting(key, lines, None if value == default else _short(default))


def _short(value: object) -> str:
    """A value on one line: a record by its type and what differs from its own defaults."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_short(each) for each in value)
    if (usual := _defaults(value)) is not None:
        parts = [
            f"{name} {_short(getattr(value, name))}"
            for name, default in usual.items()
            if name not in TAGS and getattr(value, name) != default
        ]
        kind = str(getattr(value, "type", type(value).__name__))
        return f"{kind} ({', '.join(parts)})" if parts else kind
    return f"{value:g}" if isinstance(value, float) else str(value)


def environment(files: RunFiles) -> list[tuple[str, str]]:
    """Versions, machine and durations."""
    content = files.environment
    rows = [
        (key.replace("_", " ").replace("apple clf", "apple-clf"), str(content[key]))
        for key in ("apple_clf", "python", "platform", "processor", "cores", "threads")
    ]
    rows += [(name, str(version)) for name, version in content["packages"].items()]
    rows += [(name, str(value)) for name, value in content["flags"].items()]
    rows += [("changed on resume", change) for change in content.get("changed_on_resume", ())]
    labels = {"data": "reading the data", "training": "training", "all": "all in all"}
    rows += [
        (labels.get(name, name), f"{seconds:.1f} s")
        for name, seconds in content["duration_seconds"].items()
    ]
    return rows
