"""Records on stdout as text, JSON, JSON lines or CSV, one at a time."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice

from apple_clf.cli.options import Format
from apple_clf.io.csv_rows import csv_writer

Record = Mapping[str, object]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_records(
    records: Iterable[Record],
    format_: Format,
    *,
    columns: Sequence[str],
    as_text: Callable[[Iterable[Record]], Iterable[str]],
) -> None:
    """Writes records as they come.

    Args:
        records: with the same keys; a value may be a mapping.
        format_: text, json (one array), jsonl or csv.
        columns: of CSV; `a.b` is key b of the mapping at a.
        as_text: lines of the text format.
    """
    out = sys.stdout
    match format_:
        case Format.text:
            for line in as_text(records):
                out.write(f"{line}\n")
        case Format.json:
            separator = "[\n"
            for record in records:
                out.write(f"{separator}{_json(record)}")
                separator = ",\n"
            out.write("[]\n" if separator == "[\n" else "\n]\n")
        case Format.jsonl:
            for record in records:
                out.write(f"{_json(record)}\n")
        case Format.csv:
            writer, rest = csv_writer(out), iter(records)
            first = list(islice(rest, 1))  # where that fails, nothing has been written
            writer.writerow([_cell(column) for column in columns])
            for record in chain(first, rest):
                writer.writerow([_cell(_look_up(record, column)) for column in columns])


def write_object(content: Record, *, indent: int | None) -> None:
    """Writes one object as JSON."""
    sys.stdout.write(f"{_json(content, indent=indent)}\n")


def _json(record: Record, *, indent: int | None = None) -> str:
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(record, ensure_ascii=not readable, allow_nan=False, indent=indent)


def _look_up(record: Record, column: str) -> object:
    if column in record:
        return record[column]
    key, _, rest = column.partition(".")
    inner = record.get(key)
    return inner.get(rest) if isinstance(inner, Mapping) else None


def _cell(value: object) -> object:
    """A CSV cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Lines of a table, the first row its head; columns are as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
