import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.config.yaml_reader import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_VALUES,
    MOST_PROBLEMS,
    read_mapping,
    read_value,
)
from apple_clf.config.yaml_values import Node
from apple_clf.errors import ConfigError

PRINTABLE = st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"])
JSON_DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(PRINTABLE),
    lambda node: st.lists(node, max_size=3) | st.dictionaries(st.text(PRINTABLE), node, max_size=3),
    max_leaves=10,
)


def problem(text: str | bytes) -> str:
    """What is wrong with a text."""
    with pytest.raises(ConfigError) as caught:
        read_mapping(text, filename="f.yaml")
    return str(caught.value)


@given(st.dictionaries(st.text(PRINTABLE), JSON_DATA, max_size=3))
def test_json_reads_as_json(data: dict[str, Node]) -> None:
    text = json.dumps(data, ensure_ascii=False)

    assert read_mapping(text, filename="f.yaml").data == data


@given(st.text() | st.binary())
def test_any_input_is_read_or_refused(text: str | bytes) -> None:
    complaint = "f.yaml:"
    try:
        read_mapping(text, filename="f.yaml")
    except ConfigError as error:
        complaint = str(error)
    assert complaint.startswith("f.yaml:")


@pytest.mark.parametrize("text", ["'1e-3'", '"1e-3"', "|\n  1e-3", ">-\n  1e-3"])
def test_fault_02_quoted_and_block_scalars_are_text(text: str) -> None:
    value = read_value(text, name="value")

    assert isinstance(value, str)
    assert value.strip() == "1e-3"


def test_places_count_characters_from_one() -> None:
    text = 'a: 1\n"é": {b: [x,  {c: "y"}]}\nd:\n  - 🍎\n  -\ne:\n'
    document = read_mapping(text, filename="f.yaml")

    assert document.data == {"a": 1, "é": {"b": ["x", {"c": "y"}]}, "d": ["🍎", None], "e": None}
    assert document.keys == {
        ("a",): (1, 1),
        ("é",): (2, 1),
        ("é", "b"): (2, 7),
        ("é", "b", 1, "c"): (2, 16),
        ("d",): (3, 1),
        ("e",): (6, 1),
    }
    assert document.values == {
        (): (1, 1),
        ("a",): (1, 4),
        ("é",): (2, 6),
        ("é", "b"): (2, 10),
        ("é", "b", 0): (2, 11),
        ("é", "b", 1): (2, 15),
        ("é", "b", 1, "c"): (2, 19),
        ("d",): (4, 3),
        ("d", 0): (4, 5),
        ("d", 1): (5, 4),
        ("e",): (6, 3),
    }


def test_byte_order_mark_is_let_pass() -> None:
    assert read_mapping("\ufeffa: 1".encode(), filename="f.yaml").data == {"a": 1}
    assert read_mapping("\ufeffa: 1", filename="f.yaml").data == {"a": 1}


def test_fault_03_every_duplicate_key_names_both_lines() -> None:
    assert problem("a: 1\nb: {c: 1,\n  c: 2}\na: 3\n").splitlines() == [
        "f.yaml:3:3: key 'c' stands on line 2 already. Keep one of them.",
        "f.yaml:4:1: key 'a' stands on line 1 already. Keep one of them.",
    ]


def test_the_same_key_may_stand_in_two_mappings() -> None:
    data = read_mapping("a: {x: 1}\nb: {x: 2}\nc: [{x: 3}, {x: 4}]", filename="f.yaml").data

    assert data == {"a": {"x": 1}, "b": {"x": 2}, "c": [{"x": 3}, {"x": 4}]}


def test_many_problems_are_counted_not_listed() -> None:
    lines = problem("a: 1\n" * 1000).splitlines()

    assert len(lines) == MOST_PROBLEMS + 1
    assert lines[-1] == f"... and {999 - MOST_PROBLEMS} more like these."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "1:1: the file is empty", id="empty"),
        pytest.param("# nothing\n", "1:1: the file is empty", id="comment only"),
        pytest.param("- a\n- b", "1:1: the file is a list", id="list"),
        pytest.param("word", "1:1: the file is the text 'word'", id="scalar"),
        pytest.param("a: 1\n---\nb: 2", "2:1: a second document starts", id="two documents"),
        pytest.param("a: 1\nb: x\0y", "2:5: character U+0000", id="NUL"),
        pytest.param('a: "x\\0y"', "1:4: the text holds the character U+0000", id="escaped NUL"),
        pytest.param("a: \x1b[31m", "1:4: character U+001B", id="terminal escape"),
        pytest.param("a: \ud800", "1:4: character U+D800", id="surrogate"),
        pytest.param(b"a: 1\nb: caf\xe9", "2: byte 0xe9 is not UTF-8", id="Latin-1"),
        pytest.param("a: 1".encode("utf-16"), "1: byte 0xff is not UTF-8", id="UTF-16"),
    ],
)
def test_fault_07_what_is_no_single_mapping_is_refused(text: str | bytes, expected: str) -> None:
    assert problem(text).startswith(f"f.yaml:{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: &x 1", "1:4: anchors and aliases ('x')", id="anchor"),
        pytest.param("a: *x", "1:4: anchors and aliases ('x')", id="alias"),
        pytest.param("b: 1\n<<: {a: 1}", "2:1: merges (<<)", id="merge"),
        pytest.param("1: a", "1:1: key 1 is not text", id="number as key"),
        pytest.param("true: a", "1:1: key true is not text", id="boolean as key"),
        pytest.param("? [a]\n: b", "1:3: a key must be a word", id="list as key"),
        pytest.param("a: 'b", "1:6: this is not YAML", id="open quote"),
        pytest.param("a: b: c", "1:5: this is not YAML", id="two colons"),
        pytest.param("a: 1\n\tb: 2", "2:1: this is not YAML", id="tab"),
    ],
)
def test_what_a_configuration_has_no_use_for_is_refused(text: str, expected: str) -> None:
    assert problem(text).startswith(f"f.yaml:{expected}")


def test_an_open_bracket_is_named_with_its_line() -> None:
    assert "from line 2" in problem("a: 1\nb: [1,\n  2\nc: 3\n")


def test_quoted_merge_sign_is_a_key() -> None:
    assert read_mapping("'<<': 1", filename="f.yaml").data == {"<<": 1}


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['exit 3']",
        "!!python/object:apple_clf.errors.ConfigError {}",
        "a: !!int 5",
        "a: ! b",
    ],
)
def test_fault_08_tags_are_refused(text: str) -> None:
    assert "tag" in problem(text)


@pytest.mark.parametrize(("depth", "fits"), [(MAX_DEPTH - 1, True), (MAX_DEPTH, False)])
def test_nesting_is_limited(depth: int, fits: bool) -> None:
    text = "a: " + "[" * depth + "]" * depth
    if fits:
        read_mapping(text, filename="f.yaml")
    else:
        assert f"more than {MAX_DEPTH} levels" in problem(text)


@pytest.mark.parametrize(("size", "fits"), [(MAX_BYTES, True), (MAX_BYTES + 1, False)])
def test_size_is_limited(size: int, fits: bool) -> None:
    text = "a: 1 #".ljust(size, "x").encode()
    if fits:
        assert read_mapping(text, filename="f.yaml").data == {"a": 1}
    else:
        assert "256 KiB" in problem(text)


@pytest.mark.parametrize(("count", "fits"), [(MAX_VALUES - 2, True), (MAX_VALUES - 1, False)])
def test_number_of_values_is_limited(count: int, fits: bool) -> None:
    text = "a: [" + "1," * count + "]"  # the root and the list are values too
    if fits:
        read_mapping(text, filename="f.yaml")
    else:
        assert f"more than {MAX_VALUES:,} values" in problem(text)


BOMBS = {
    "alias bomb": """'a: &a [x,x,x,x,x,x,x,x]\\n' + ''.join(
        f'{chr(98 + i)}: &{chr(98 + i)} [{",".join(["*" + chr(97 + i)] * 9)}]\\n'
        for i in range(20))""",
    "merge bomb": """'a: &a {x: 1}\\n' + ''.join(
        f'k{i}: {{<<: [*a, *a]}}\\n' for i in range(9999))""",
    "10 MB": "'a: 1\\n' * 2_000_000",
    "flow nested 5,000 deep": "'a: ' + '[' * 5000 + ']' * 5000",
    "block nested 700 deep": "''.join(' ' * i + 'a:\\n' for i in range(700))",
    "mappings nested 5,000 deep": "'{a: ' * 5000",
    "lists in lists, a line each": "'a:\\n' + '- ' * 5000 + 'x'",
    "as many values as fit": "'a: [' + '1,' * 120_000 + ']'",
    "duplicate keys all over": "'a: 1\\n' * 52_000",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_fault_06_bombs_cost_less_than_a_second_and_200_mb(bomb: str) -> None:
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, (200_000_000, 200_000_000))  # bytes
from apple_clf.errors import ConfigError
from apple_clf.config.yaml_reader import read_mapping
used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 2,) * 2)  # a second besides the start
text = {bomb}
try:
    read_mapping(text, filename="f.yaml")
except ConfigError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("f.yaml:")
    assert len(result.stdout) < 10_000
