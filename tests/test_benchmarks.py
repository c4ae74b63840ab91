import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import apples, training
from benchmarks.comparisons import COMPARISONS
from benchmarks.measure import (
    CommandFailedError,
    Pairs,
    Usage,
    in_pairs,
    measure,
    memory_of_tree,
    typical,
)
from benchmarks.table import HEAD, Row, Unmeasured, memory_row, time_row
from benchmarks.training import HELD_OUT, IMAGES, PIXELS, Epochs
from benchmarks.workshop import Workshop

MEGABYTE = 10**6
ROOT = Path(__file__).parents[1]
PAIRS = Pairs(
    ours=[Usage(1, 10), Usage(2, 30), Usage(9, 20)],
    peer=[Usage(2, 100), Usage(2, 100), Usage(3, 50)],
)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_memory_of_a_process_is_its_peak() -> None:
    # In a process of its own: what a large one launches seems as large (see benchmarks.measure).
    code = f"""
import os
from benchmarks.measure import measure
for command in "pass", "b'x' * {300 * MEGABYTE}; ()":
    print(measure([{sys.executable!r}, "-c", command], env=os.environ).megabytes)
"""
    finished = subprocess.run(python(code), cwd=ROOT, capture_output=True, check=True)
    bare, filled = map(float, finished.stdout.split())
    assert 1 < bare < 50
    assert 300 <= filled < 300 + bare + 5


def test_memory_of_a_tree_counts_what_processes_share_once() -> None:
    code = f"""
import os, sys
shared = b"x" * {200 * MEGABYTE}
reader, writer = os.pipe()
for _ in range(2):
    if not os.fork():
        own = b"y" * {100 * MEGABYTE}
        os.write(writer, b".")
        break
else:
    os.read(reader, 1), os.read(reader, 1)
    print("ready", flush=True)
sys.stdin.read()
"""
    tree = subprocess.Popen(python(code), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert tree.stdout is not None
    assert tree.stdout.readline() == b"ready\n"
    bytes_held = memory_of_tree(tree.pid)
    tree.communicate()
    assert 400 * MEGABYTE <= bytes_held < 450 * MEGABYTE


def test_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(CommandFailedError, match=r"exit code 3: out of luck"):
        measure(python("import sys; print('out of luck', file=sys.stderr); sys.exit(3)"), env={})


def test_sides_run_in_turn_after_a_warm_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    ours, peer = (python(f"open({str(log)!r}, 'a').write('{side}')") for side in "AB")
    pairs = in_pairs(ours, peer, pairs=2, env=os.environ)
    assert log.read_text() == "AB" + "ABAB"
    assert len(pairs.ours) == len(pairs.peer) == 2


def test_ratios_are_taken_pair_by_pair() -> None:
    assert PAIRS.time_ratios() == [0.5, 1, 3]
    assert PAIRS.memory_ratios() == [0.1, 0.3, 0.4]
    assert typical(PAIRS.ours) == Usage(2, 20)


def test_row_shows_median_spread_and_pairs() -> None:
    row = time_row("S9", "work", "peer", PAIRS, limit=2)
    assert str(row) == (
        "| S9 | work | peer | 2 s, 20 MB | 2 s, 100 MB | 1.000 (0.500-3.000, 3) | <= 2 | yes |"
    )
    assert memory_row("S9", "work", "peer", PAIRS, limit=2).ratios == [0.1, 0.3, 0.4]
    assert str(row).count("|") == HEAD.splitlines()[0].count("|")


@pytest.mark.parametrize(
    ("ratio", "word"), [(0.99, "yes"), (1.0, "yes"), (1.01, "**missed**")], ids=str
)
def test_missed_target_is_shown(ratio: float, word: str) -> None:
    row = Row("S9", "work", "peer", "-", "-", [ratio], limit=1)
    assert str(row).endswith(f"| {word} |")


def test_row_without_a_limit_is_neither_met_nor_missed() -> None:
    assert str(Row("S9", "work", "peer", "-", "-", [7.0], limit=None)).endswith("| - | - |")


def test_comparison_without_its_peer_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    lines = list(training.against_others(Workshop(tmp_path, pairs=1)))
    assert all(isinstance(line, Unmeasured) for line in lines)
    for module, line in zip(("sklearn", "torch"), map(str, lines), strict=True):
        assert f"| {module} is not installed |" in line
        assert line.count("|") == HEAD.splitlines()[0].count("|")


def test_time_of_an_image_is_compared_with_that_of_ten_thousand() -> None:
    n = 50 * IMAGES
    seconds = {IMAGES: [1.0, 2.0], n: [55.0, 90.0]}
    runs = {n: [Epochs(each, 1, 1) for each in column] for n, column in seconds.items()}
    row = training._time_growth(n, runs)
    assert row.ratios == pytest.approx([1.1, 0.9])
    assert row.theirs == f"{1.5e6 / IMAGES / (1 - HELD_OUT):.3g} us"


def test_memory_may_grow_by_one_and_a_half_times_the_pixels() -> None:
    runs = [Epochs(1, 1, 600 + 1.5 * 1000 * PIXELS), Epochs(1, 1, 600)]
    row = training._memory_growth(1000, runs, [600, 600 - 1.5 * 1000 * PIXELS])
    assert row.ratios == [1, 1]


def test_pictures_that_come_again_differ_in_their_lowest_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apples, "DISTINCT", 4)
    apples.write_apples(str(tmp_path / "apples.npz"), 11)
    with np.load(tmp_path / "apples.npz") as archive:
        x, y, class_names = archive["x"], archive["y"], archive["class_names"]
    assert x.shape == (11, 28, 28)
    assert len(np.unique(x, axis=0)) == 11
    np.testing.assert_array_equal(x >> 3, np.resize(x[:4] >> 3, x.shape))
    np.testing.assert_array_equal(y, np.resize(y[:4], 11))
    assert class_names.tolist() == ["apple", "not_apple"]


def test_every_comparison_says_what_it_compares() -> None:
    for number, compare in COMPARISONS.items():
        assert (compare.__doc__ or "").startswith(f"{number}: ")
