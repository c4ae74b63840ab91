"""The table of formats: what the command line and the docs take from it."""

import subprocess
import sys
from pathlib import Path

import pytest

from apple_clf.exporting.forms import FORMS, Form

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_docs_list_every_format_as_its_entry_describes_it(form: Form) -> None:
    extra = f"`[{form.extra}]` " if form.extra else ""
    assert f"\n| `{form.name}` | {form.what} | {extra}|\n" in DOCS


def test_docs_list_no_format_that_is_gone() -> None:
    table = DOCS.partition("## What `export` writes")[2].partition("\n## ")[0]
    rows = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert [row for row in rows if not row.startswith("-")] == list(FORMS)


def test_two_formats_never_get_the_same_file_name() -> None:
    assert len({form.suffix for form in FORMS.values()}) == len(FORMS)


def test_the_names_of_the_formats_cost_no_tensorflow_and_no_numpy() -> None:
    code = "import sys, apple_clf.exporting.forms; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {b"numpy", b"tensorflow", b"keras"} & set(loaded.stdout.split())
