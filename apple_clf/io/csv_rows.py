"""CSV as Unix tools like it: rows end in a newline alone, and any cell reads back."""

import csv
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _csv import Writer


def csv_writer(out: TextIO) -> "Writer":
    """A writer of CSV rows that end in a newline alone.

    Asked for such rows directly, Python before 3.13 leaves a carriage return in a cell unquoted.
    """
    return csv.writer(_UnixLines(out), lineterminator="\r\n")


class _UnixLines:
    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, row: str) -> int:
        return self._out.write(row.removesuffix("\r\n") + "\n")
