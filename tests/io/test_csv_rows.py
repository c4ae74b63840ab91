import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from apple_clf.io.csv_rows import csv_writer

CELLS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1)


@given(st.lists(CELLS))
def test_rows_read_back(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv_writer(text).writerows(rows)
    assert list(csv.reader(io.StringIO(text.getvalue(), newline=""))) == rows


def test_rows_end_in_a_newline_alone() -> None:
    text = io.StringIO(newline="")
    csv_writer(text).writerows([["a", 1], ["b\r\n", None]])
    assert text.getvalue() == 'a,1\n"b\r\n",\n'
