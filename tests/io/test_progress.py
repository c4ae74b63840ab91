import io
from collections.abc import Callable

import pytest

from apple_clf.io.progress import Bar, Lines, is_terminal

LOGS = {"loss": 0.25, "accuracy": 0.5, "val_loss": float("nan"), "lr": 1.0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def tell(reporter: Lines | Bar) -> None:
    """What a training tells."""
    reporter.fetching("apple.npy", 500_000, 2_000_000)
    reporter.fetching("apple.npy", 2_000_000, 2_000_000)
    reporter.stage("Fetched.")
    reporter.decoding(32, 64)
    reporter.decoding(64, 64)
    reporter.stage("Data: 64 images of :apple: and [red]pear[/red].")
    for epoch in (1, 2, 3):
        reporter.epoch(epoch, 3, LOGS)
    reporter.stage("Evaluating.")


def test_every_epoch_is_a_line_if_they_are_slow() -> None:
    out = io.StringIO()
    tell(Lines(out, seconds_between=0))
    assert out.getvalue().splitlines() == [
        "Fetching apple.npy: 0.5 of 2.0 MB.",
        "Fetched.",
        "Decoding images: 32 of 64.",
        "Data: 64 images of :apple: and [red]pear[/red].",
        "Epoch 1 of 3: loss 0.250  accuracy 0.500  val_loss nan",
        "Epoch 2 of 3: loss 0.250  accuracy 0.500  val_loss nan",
        "Epoch 3 of 3: loss 0.250  accuracy 0.500  val_loss nan",
        "Evaluating.",
    ]


def test_fast_epochs_are_told_once_and_at_the_end() -> None:
    out = io.StringIO()
    lines = Lines(out, seconds_between=1e9)
    for epoch in range(1, 101):
        lines.epoch(epoch, 100, {})
    assert [line.partition(":")[0] for line in out.getvalue().splitlines()] == [
        "Epoch 1 of 100",
        "Epoch 100 of 100",
    ]


def test_bar_shows_stages_as_they_are_and_clears_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    bar = Bar(out)
    try:
        tell(bar)
    finally:
        bar.close()
    text = out.getvalue()
    assert "Data: 64 images of :apple: and [red]pear[/red]." in text
    assert "3/3  loss 0.250  accuracy 0.500" in text
    assert text.endswith("Evaluating.\n")
    assert "\x1b[?25h" in text  # the cursor is shown again


def test_bar_goes_on_with_the_next_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    bar = Bar(out)
    bar.fetching("apple.npy", 2_000_000, 2_000_000)
    bar.fetching("pear.npy", 1_000_000, 3_000_000)
    bar.close()
    last = out.getvalue().rpartition("Fetching")[2]
    assert last.startswith(" pear.npy")
    assert "1.0 of 3.0 MB" in last


def test_bar_is_taken_away_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    bar = Bar(out)
    bar.epoch(1, 3, LOGS)
    bar.close()
    bar.close()
    assert out.getvalue().rstrip().endswith("\x1b[2K")


@pytest.mark.parametrize(
    ("make", "term", "expected"),
    [
        (Terminal, "xterm", True),
        (Terminal, "dumb", False),
        (io.StringIO, "xterm", False),
        (lambda: None, "xterm", False),
    ],
    ids=["terminal", "dumb terminal", "file", "closed"],
)
def test_bar_needs_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], io.StringIO | None],
    term: str,
    expected: bool,
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert is_terminal(make()) is expected
