from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from apple_clf.checks import findings
from apple_clf.checks.label_suspects import Suspects
from apple_clf.checks.near_duplicates import NearDuplicates
from apple_clf.checks.pool import Pool
from apple_clf.checks.precision import Judged
from apple_clf.data import Dataset, Split
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io.files import Skipped
from apple_clf.metrics.intervals import Estimate


def pool(levels: Sequence[int], labels: Sequence[int], *, n_train: int, names: str = "") -> Pool:
    """Images of one level each; all but the first ones are in the test split."""
    images = np.tile(np.array(levels, np.uint8)[:, None, None, None], (1, 2, 2, 1))
    everything = Split(images, np.array(labels, np.int32), list(names or "abcdefgh"[: len(labels)]))
    order = np.arange(len(labels))
    train, test = everything.take(order[:n_train]), everything.take(order[n_train:])
    nothing = everything.take(order[:0])
    return Pool(
        Dataset(
            "folder",
            ("apple", "pear"),
            "apple",
            train,
            nothing,
            test,
            preprocessing=Preprocessing(),
        )
    )


def test_copies_are_parted_by_the_harm_they_do() -> None:
    found = findings.exact_duplicates(
        pool([1, 1, 1, 1, 2, 2], [0, 0, 1, 0, 1, 1], n_train=3), refused="blocks"
    )
    assert [(one.check, one.level, one.count) for one in found] == [
        ("duplicates under two classes", "blocks", 1),
        ("duplicates in two splits", "blocks", 1),
        ("duplicates", "note", 2),
    ]
    assert found[0].items[0].files == ("a", "c")
    assert found[1].text == (
        "1 pair of images in two splits that are the same to a network, pixel for pixel, once they "
        "are prepared."
    )


def test_same_bytes_are_told_from_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in {"a": b"1", "b": b"1", "c": b"2"}.items():
        Path(name).write_bytes(content)
    (found,) = findings.exact_duplicates(pool([1, 1, 1], [0, 0, 0], n_train=3), refused="blocks")
    assert [item.detail for item in found.items] == ["the same bytes", "the same pixels"]


def test_near_copies_warn_and_count_in_the_pool() -> None:
    near = NearDuplicates(np.array([[0, 1]]), np.array([0.0123]), np.array([True]))
    (found,) = findings.near_duplicates(
        pool([1, 2, 3], [0, 0, 1], n_train=3), near, np.array([1, 2])
    )
    assert (found.check, found.level) == ("near duplicates under two classes", "warning")
    assert found.items == [findings.Item(("b", "c"), "mirrored, correlation 0.988", (1, 2))]


def test_suspects_name_label_guess_and_how_sure_it_is() -> None:
    suspects = Suspects(np.array([1]), np.array([0]), np.array([0.5]))
    (found,) = findings.label_suspects(
        pool([1, 2, 3], [0, 0, 1], n_train=3),
        Judged(suspects, n_contradicted=3, contradicted=0.06),
        np.array([1, 2]),
        balanced=Estimate(0.75, 0.6, 0.9, "wilson"),
    )
    assert found.items == [
        findings.Item(("c",), "labelled pear, classified as apple (margin 0.50)", (2,))
    ]
    assert "1 label of 2 (50.0%) may be wrong" in found.text
    assert "75% of unseen images right" in found.text
    assert "about 16% if 1% of all labels are, about 82% if 5% of all labels are" in found.text
    assert "Not listed: 2 labels" in found.text


def test_networks_that_are_too_often_wrong_list_no_label() -> None:
    suspects = Suspects(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    (found,) = findings.label_suspects(
        pool([1, 2, 3], [0, 0, 1], n_train=3),
        Judged(suspects, n_contradicted=618, contradicted=0.0),
        np.arange(3),
        balanced=Estimate(0.59, 0.56, 0.62, "wilson"),
    )
    assert (found.check, found.level, found.count) == ("labels not judged", "note", 0)
    assert "get only 59% of unseen images right" in found.text
    assert "(guessing: 50%), so they cannot judge labels" in found.text
    assert not found.items
    assert "618" not in found.text


def test_no_finding_advises_to_delete() -> None:
    copies = pool([1, 1, 1, 1, 2, 2], [0, 0, 1, 0, 1, 1], n_train=3)
    near = NearDuplicates(np.array([[0, 2], [0, 3], [4, 5]]), np.zeros(3), np.zeros(3, np.bool_))
    found = [
        *findings.exact_duplicates(copies, refused="blocks"),
        *findings.near_duplicates(copies, near, np.arange(6)),
    ]
    assert len(found) == 6
    for one in found:
        assert "delete" not in (one.text + one.cure).lower()
        assert "contact sheet first" in one.cure


@pytest.mark.parametrize(
    ("counts", "balanced", "expected"),
    [
        pytest.param({"a": 10, "b": 29}, False, [], id="alike"),
        pytest.param({"a": 10, "b": 30}, False, ["warning"], id="rare"),
        pytest.param({"a": 10, "b": 30}, True, ["note"], id="rare but weighed"),
    ],
)
def test_imbalance_is_told(counts: dict[str, int], balanced: bool, expected: list[str]) -> None:
    found = findings.class_imbalance(counts, balanced=balanced)
    assert [one.level for one in found] == expected
    for one in found:
        assert "b has 3 times as many images to train on as a: 30 and 10." in one.text
        assert ("class_weight=balanced" in one.cure) is not balanced


@pytest.mark.parametrize(("low", "told"), [(0.49, 0), (0.5, 0), (0.51, 1), (None, 0)])
def test_border_is_told_only_if_it_beats_guessing(low: float | None, told: int) -> None:
    estimate = Estimate(0.7 if low else None, low, 0.9 if low else None, "wilson")
    assert len(findings.telling_border(estimate, n_classes=2)) == told


def test_long_lists_are_cut_but_counted() -> None:
    bad = [Skipped(f"{i}.png", "empty file") for i in range(findings.MAX_ITEMS + 5)]
    (found,) = findings.unreadable_files(bad, refused="warning")
    assert (found.count, len(found.items)) == (findings.MAX_ITEMS + 5, findings.MAX_ITEMS)
    assert "1,005 files" in found.text


def test_clean_data_have_no_findings() -> None:
    clean = pool([1, 2, 3], [0, 0, 1], n_train=2)
    nothing = NearDuplicates(np.empty((0, 2), np.int64), np.empty(0), np.empty(0, np.bool_))
    no_suspects = Suspects(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    assert not findings.unreadable_files([], refused="blocks")
    assert not findings.exact_duplicates(clean, refused="blocks")
    assert not findings.near_duplicates(clean, nothing, np.arange(3))
    assert not findings.label_suspects(
        clean,
        Judged(no_suspects, 0, 0.0),
        np.arange(3),
        balanced=Estimate(0.75, 0.6, 0.9, "wilson"),
    )
