"""YAML 1.2 text -> plain data, and the place of every key and value.

PyYAML splits the text into events; the data is built here, on a stack of our own, because PyYAML's
composer recurses, resolves words by YAML 1.1 (`no` is false, 1:30 is 90, 1e-3 is text) and forgets
where things stood. Only what a configuration needs is let in: mappings with text keys, lists and
scalars; no aliases, merges or tags, so that a file is never larger than it looks and never runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from apple_clf.config.yaml_values import Node, Path, Scalar, plain_scalar, shown
from apple_clf.errors import ConfigError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_VALUES = 20_000
MOST_PROBLEMS = 50  # that one message lists

_UNPRINTABLE = yaml.reader.Reader.NON_PRINTABLE  # YAML 1.2.2, section 5.1

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Position(NamedTuple):
    """A place in a text; both count from 1."""

    line: int
    column: int


@dataclass
class Document:
    """What a YAML text says, and where.

    Attributes:
        data: the root.
        keys: place of each key, by its path.
        values: place of each value, by its path; () is the root.
    """

    data: Node = None
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)


def read_mapping(text: str | bytes, *, filename: str) -> Document:
    """The document of a whole YAML file, whose root is a mapping.

    Args:
        text: the file's text, or its bytes in UTF-8 with or without a byte order mark.
        filename: how messages name the file.

    Raises:
        ConfigError: the text is larger than MAX_BYTES, is not UTF-8 or not YAML, is empty or more
            than one document, has no mapping as root, holds more than MAX_VALUES values, nests
            deeper than MAX_DEPTH, repeats a key, has a key that is not text, or uses an alias, a
            merge or a tag. Repeated keys are all listed, one a line.
    """
    document = _Builder(filename, _decode(text, filename)).build()
    if isinstance(document.data, dict):
        return document
    line, column = document.values.get((), Position(1, 1))
    raise ConfigError(
        f"{filename}:{line}:{column}: the file is {shown(document.data)}. "
        "Write keys and values, such as 'name: apples'."
    )


def read_value(text: str, *, name: str) -> Node:
    """The value that a YAML text of any kind stands for, such as `64` or `[64, 32]`.

    Args:
        text: the YAML text.
        name: how messages name it.

    Raises:
        ConfigError: as in `read_mapping`, but for the root, which may be anything.
    """
    return _Builder(name, _decode(text, name)).build().data


def combined_error(problems: Sequence[str], *, unlisted: int = 0) -> ConfigError:
    """One error that lists problems, one a line, and after MOST_PROBLEMS says how many are left.

    Args:
        problems: lines.
        unlisted: how many problems there are besides.
    """
    lines = list(problems[:MOST_PROBLEMS])
    if (left := len(problems) - len(lines) + unlisted) > 0:
        lines.append(f"... and {left} more like these.")
    return ConfigError("\n".join(lines))


def _decode(text: str | bytes, filename: str) -> str:
    """The text of bytes, neither too large nor broken."""
    if len(text) > MAX_BYTES:
        raise ConfigError(
            f"{filename}: {len(text):,} bytes are more than the {MAX_BYTES // 1024} KiB that a "
            "configuration may have. Is it the right file?"
        )
    if isinstance(text, bytes):
        text = _from_utf8(text, filename)
    text = text.removeprefix("\ufeff")
    if bad := _UNPRINTABLE.search(text):
        before = text[: bad.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ConfigError(
            f"{filename}:{line}:{column}: character U+{ord(bad[0]):04X} has no place in a text "
            "file. Remove it."
        )
    return text


def _from_utf8(data: bytes, filename: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{filename}:{line}: byte 0x{data[error.start]:02x} is not UTF-8. "
            "Save the file with the encoding UTF-8."
        ) from None


@dataclass
class _Level:
    """A mapping or list that is still open."""

    node: list[Node] | dict[str, Node]
    path: Path
    key: str | None = None  # of a mapping: read, and waiting for its value


class _Builder:
    """Builds one document from PyYAML's events."""

    def __init__(self, filename: str, text: str) -> None:
        self._filename = filename
        self._text = text
        self._document = Document()
        self._open: list[_Level] = []
        self._repeated: list[str] = []

    def build(self) -> Document:
        """The document."""
        documents = 0
        for event in self._events():
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._error(event, "a second document starts. Keep one.")
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._open.pop()
            elif isinstance(event, yaml.NodeEvent):
                self._refuse(event)
                level = self._open[-1] if self._open else None
                if level is not None and isinstance(level.node, dict) and level.key is None:
                    self._add_key(level, level.node, event)
                else:
                    self._add_value(level, event)
        if self._repeated:
            raise combined_error(self._repeated)
        return self._document

    def _events(self) -> Iterator[yaml.Event]:
        """PyYAML's events; its complaints become ours."""
        try:
            yield from yaml.parse(self._text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            line, column = _position(error.problem_mark or error.context_mark)
            began = error.context_mark and _position(error.context_mark).line
            since = f" {error.context} from line {began}" if began and began != line else ""
            raise ConfigError(
                f"{self._filename}:{line}:{column}: this is not YAML: {error.problem}{since}. "
                "Check quotes, brackets and indentation."
            ) from None

    def _refuse(self, event: yaml.NodeEvent) -> None:
        """Stops at what a configuration has no use for."""
        if event.anchor is not None:
            problem = f"anchors and aliases ({event.anchor!r}) are refused. Write the value out."
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            problem = f"the tag {event.tag!r} is refused. Remove it."
        elif bad := _UNPRINTABLE.search(getattr(event, "value", "")):
            problem = f"the text holds the character U+{ord(bad[0]):04X}. Remove it."
        elif isinstance(event, yaml.CollectionStartEvent) and len(self._open) >= MAX_DEPTH:
            problem = f"more than {MAX_DEPTH} levels are nested here. Remove some."
        elif len(self._document.values) >= MAX_VALUES:
            problem = f"there are more than {MAX_VALUES:,} values. Is it the right file?"
        else:
            return
        raise self._error(event, problem)

    def _add_key(self, level: _Level, mapping: dict[str, Node], event: yaml.NodeEvent) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._error(event, "a key must be a word, not a list or mapping.")
        if not isinstance(self._scalar(event), str):
            raise self._error(event, f"key {event.value} is not text. Write it in quotes.")
        if event.value == "<<" and event.implicit[0]:
            raise self._error(event, "merges (<<) are refused. Write the keys out.")
        path, here = (*level.path, event.value), _position(event.start_mark)
        if event.value in mapping:
            first = self._document.keys[path]
            self._repeated.append(
                f"{self._filename}:{here.line}:{here.column}: key {event.value!r} stands on line "
                f"{first.line} already. Keep one of them."
            )
        self._document.keys.setdefault(path, here)
        level.key = event.value

    def _add_value(self, level: _Level | None, event: yaml.NodeEvent) -> None:
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        else:
            node = {} if isinstance(event, yaml.MappingStartEvent) else []
        path: Path = ()
        if level is None:
            self._document.data = node
        elif isinstance(level.node, list):
            path = (*level.path, len(level.node))
            level.node.append(node)
        else:
            assert level.key is not None
            path = (*level.path, level.key)
            level.node[level.key], level.key = node, None
        self._document.values[path] = _position(event.start_mark)
        if isinstance(node, list | dict):
            self._open.append(_Level(node, path))

    @staticmethod
    def _scalar(event: yaml.ScalarEvent) -> Scalar:
        """What a scalar means; whatever has quotes or a block style is text."""
        return plain_scalar(event.value) if event.implicit[0] else str(event.value)

    def _error(self, event: yaml.Event, problem: str) -> ConfigError:
        line, column = _position(event.start_mark)
        return ConfigError(f"{self._filename}:{line}:{column}: {problem}")


def _position(mark: Any) -> Position:
    """The place of one of PyYAML's marks, which count from 0 and come in two classes."""
    return Position(mark.line + 1, mark.column + 1)
