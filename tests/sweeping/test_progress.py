import io
import os
import pty
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from apple_clf.sweeping.progress import SweepLines, SweepTable, in_words


def test_lines_tell_each_trial_and_the_best_so_far() -> None:
    out = io.StringIO()
    lines = SweepLines(out, seconds_between=0)
    lines.begin(3, {"training.learning_rate": 0.00123456}, trials=9)
    lines.epoch(3, 1, 4, 0.5)
    lines.end(3, "val_accuracy 0.9000", best=(1, 0.95))

    assert out.getvalue().splitlines() == [
        "Trial 3, epoch 1 of 4: 0.5000",
        "Trial 3 of 9, training.learning_rate 0.001235: val_accuracy 0.9000; "
        "best so far 0.9500 (trial 1)",
    ]


def test_epochs_are_told_now_and_then_only() -> None:
    out = io.StringIO()
    lines = SweepLines(out, seconds_between=1e9)
    for epoch in range(1, 9):
        lines.epoch(0, epoch, 8, None)

    assert out.getvalue() == ""


def read_to_the_end(descriptor: int) -> str:
    parts = []
    with suppress(OSError):  # which a terminal gives at its end
        while part := os.read(descriptor, 1 << 16):
            parts.append(part)
    os.close(descriptor)
    return b"".join(parts).decode()


def test_a_terminal_shows_the_trials_under_way_and_the_best() -> None:
    reader, writer = pty.openpty()
    with ThreadPoolExecutor(1) as pool, os.fdopen(writer, "w") as terminal:
        shown_later = pool.submit(read_to_the_end, reader)
        table = SweepTable(terminal)
        for trial in range(12):
            table.begin(trial, {"training.epochs": trial}, trials=20)
            table.epoch(trial, 2, 5, 0.25)
            if trial < 11:
                table.end(trial, "failed: [red]diverged", best=(0, 0.5))
        table.stage("A sentence.")
        table.close()
        terminal.close()
        shown = shown_later.result()

    assert "11 trials ended, 20 in all; best so far 0.5000 (trial 0)" in shown
    assert "training.epochs 11" in shown
    assert "[red]diverged" in shown
    assert "A sentence." in shown


def test_values_are_told_on_one_line() -> None:
    assert in_words({"a": 0.1234567, "b": [1, 2], "c": "x\ny"}) == "a 0.1235, b [1, 2], c x\\ny"
