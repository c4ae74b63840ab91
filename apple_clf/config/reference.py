"""The reference of every key of a configuration, as Markdown, from the JSON schema."""

import json
from collections.abc import Iterator

from apple_clf.config.schema.base import TAGS
from apple_clf.config.schema.json_schema import JsonSchema, alternatives, options_at, tag_of
from apple_clf.config.schema.words import in_words
from apple_clf.config.yaml_values import Path

_LONG = 8  # names; longer lists stand at the end, once


def reference() -> str:
    """A table of keys, defaults, allowed values and meanings for each part of an experiment."""
    lines: list[str] = []
    lists: dict[str, list[str]] = {}
    for path, option in _mappings():
        tag = tag_of(option)
        dotted = ".".join("N" if step == 0 else str(step) for step in path) or "top level"
        lines += [f"## {dotted}{f': {tag}' if tag else ''}", "", option["description"], ""]
        if keys := [key for key in option["properties"] if key not in TAGS]:
            lines += ["| key | default | allowed | meaning |", "|---|---|---|---|"]
            lines += [*(_row(option, key, lists) for key in keys), ""]
    for key, names in lists.items():
        lines += [f"## Names for {key}", "", ", ".join(f"`{name}`" for name in names), ""]
    return "\n".join(lines)


def _mappings() -> Iterator[tuple[Path, JsonSchema]]:
    """Each kind of mapping in a configuration, with the path to it, outer ones first."""
    paths: list[Path] = [()]
    seen: list[JsonSchema] = []
    for path in paths:  # grows as it goes
        for option in options_at(None, path):
            if option in seen:
                continue
            if option.get("type") == "array":
                paths.append((*path, 0))
            elif "properties" in option:
                seen.append(option)
                yield path, option
                paths += [(*path, key) for key in option["properties"]]


def _row(option: JsonSchema, key: str, lists: dict[str, list[str]]) -> str:
    """The table row of one key; long lists of names are put aside."""
    schema = option["properties"][key]
    options = alternatives(schema)
    names = [name for one in options for name in one.get("enum", [])]
    allowed = in_words(options)
    if len(names) > _LONG:
        lists.setdefault(key, names)
        allowed = "a name from the list below"
    required = key in option.get("required", [])
    default = "required" if required else f"`{_inline(schema.get('default'))}`"
    meaning = " ".join(schema["description"].split()).replace("<", "&lt;")
    return f"| `{key}` | {default} | {allowed} | {meaning} |"


def _inline(value: object) -> str:
    """A default as YAML would have it on one line; of a mapping only its tag."""
    if isinstance(value, dict):
        return str(value.get("type") or value.get("source") or "see below")
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return "see below"
    return value if isinstance(value, str) else json.dumps(value)
