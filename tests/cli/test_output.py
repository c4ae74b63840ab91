import csv
import io
import json
from collections.abc import Iterator

import pytest

from apple_clf.cli.options import Format
from apple_clf.cli.output import FORMULA_STARTS, Record, table, write_object, write_records
from apple_clf.errors import ArtifactError

RECORDS: list[Record] = [
    {"name": "a,b", "inner": {"x.y": 0.1, "z": None}, "good": True},
    {"name": 'quote" and\nline', "inner": None, "good": False},
]


def written(
    records: list[Record], format_: Format, capsys: pytest.CaptureFixture[str], *columns: str
) -> str:
    def as_text(records: Iterator[Record]) -> Iterator[str]:
        return (f"<{record['name']}>" for record in records)

    write_records(records, format_, columns=columns, as_text=as_text)  # type: ignore[arg-type]
    return capsys.readouterr().out


@pytest.mark.parametrize("n", [0, 1, 2])
def test_json_is_one_array(capsys: pytest.CaptureFixture[str], n: int) -> None:
    assert json.loads(written(RECORDS[:n], Format.json, capsys)) == RECORDS[:n]


def test_json_lines_hold_an_object_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = written(RECORDS, Format.jsonl, capsys).splitlines()
    assert [json.loads(line) for line in lines] == RECORDS


@pytest.mark.parametrize("format_", Format)
def test_nothing_is_written_before_the_first_record_fails(
    format_: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(nth: int) -> Record:
        raise ArtifactError("damaged")

    with pytest.raises(ArtifactError):
        write_records(
            map(answer, range(2)),
            format_,
            columns=["name"],
            as_text=lambda records: map(str, records),
        )
    assert capsys.readouterr().out == ""


def test_csv_without_records_has_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    assert written([], Format.csv, capsys, "name", "good") == "name,good\n"


def test_csv_reads_back_and_reaches_into_mappings(capsys: pytest.CaptureFixture[str]) -> None:
    text = written(RECORDS, Format.csv, capsys, "name", "inner.x.y", "inner.z", "good")
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "inner.x.y", "inner.z", "good"],
        ["a,b", "0.1", "", "true"],
        ['quote" and\nline', "", "", "false"],
    ]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_fault_29_no_cell_is_taken_for_a_formula(
    capsys: pytest.CaptureFixture[str], start: str
) -> None:
    record = {"name": f"{start}1+1", f"{start}column": -1.5}
    text = written([record], Format.csv, capsys, "name", f"{start}column")
    head, row = csv.reader(io.StringIO(text, newline=""))
    assert head[1] == f"'{start}column"
    assert row == [f"'{start}1+1", "-1.5"]  # a number is a number


def test_not_a_number_never_reaches_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_object({"value": float("nan")}, indent=None)


def test_records_are_written_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    def records() -> Iterator[Record]:
        yield RECORDS[0]
        assert capsys.readouterr().out.startswith("{")
        yield RECORDS[1]

    write_records(records(), Format.jsonl, columns=(), as_text=lambda records: [])


def test_columns_of_a_table_are_as_wide_as_their_widest_cell() -> None:
    lines = list(table([["a", "name"], ["long cell", "x"]]))
    assert lines == ["a          name", "long cell  x"]
