"""docs/concepts.md names what there is."""

import re
from pathlib import Path

from apple_clf.lessons import list_lessons

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "concepts.md").read_text(encoding="utf-8")
PICTURES = DOCS / "pictures" / "concepts"
TERMS = (
    "Neuron", "Perceptron", "Weight", "Bias", "Layer", "Depth and width", "Activation function",
    "Softmax", "Firing", "Forward pass", "Loss", "Gradient", "Backpropagation", "Optimizer",
    "Learning rate", "Step, batch, epoch", "Overfitting", "Underfitting", "Vanishing gradients",
)  # fmt: skip


def test_every_term_is_explained() -> None:
    for term in TERMS:
        assert re.search(rf"\*\*{term}\.?\*\*", PAGE), term


def test_every_lesson_is_named_and_no_other() -> None:
    named = set(re.findall(r"lesson run ([a-z-]+)`", PAGE))
    assert named == {lesson.name for lesson in list_lessons()}


def test_pictures_are_all_shown_all_there_and_small() -> None:
    shown = re.findall(r"!\[[^\]]{20,}\]\(pictures/concepts/([a-z_-]+\.png)\)", PAGE)
    assert sorted(shown) == sorted(path.name for path in PICTURES.iterdir())
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < 600_000


def test_texts_are_those_that_lessons_examine() -> None:
    listed = set(re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE))
    assert listed == {text for lesson in list_lessons() for text in lesson.texts}
