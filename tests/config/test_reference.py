import re
from pathlib import Path

from apple_clf.config import parse_experiment
from apple_clf.config.reference import reference

DOCS = Path(__file__).parents[2] / "docs"
MARKER = "<!-- The rest is written by apple_clf.config.reference.reference(). -->\n\n"


def test_docs_hold_the_reference() -> None:
    introduction, marker, rest = (DOCS / "config.md").read_text("utf-8").partition(MARKER)

    assert introduction
    assert marker
    assert rest == reference()


def test_reference_has_key_default_range_and_meaning() -> None:
    row = "| `batch_size` | `32` | a whole number from 1 to 65536 | Images per step. |"

    assert row in reference().splitlines()


def test_reference_names_each_record_by_its_place_and_tag() -> None:
    headings = [line for line in reference().splitlines() if line.startswith("## ")]

    assert "## data: folder" in headings
    assert "## model.layers.N: dense" in headings
    assert "## training.early_stopping" in headings
    assert headings.count("## training.learning_rate: cosine") == 1


def test_examples_in_the_docs_are_valid() -> None:
    examples = re.findall(r"```yaml\n(model:.*?)```", (DOCS / "config.md").read_text("utf-8"), re.S)

    assert examples
    for example in examples:
        parse_experiment(example, filename="config.md")
