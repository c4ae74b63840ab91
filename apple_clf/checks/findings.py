"""What the checks found, in words: what was seen, how sure it is, and what to look at first."""

import filecmp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from apple_clf.arrays import BoolArray, IntArray
from apple_clf.checks.near_duplicates import NearDuplicates
from apple_clf.checks.pool import Pool
from apple_clf.checks.precision import NOISE, Judged
from apple_clf.io.files import Skipped, portable, printable
from apple_clf.metrics import verdict
from apple_clf.metrics.intervals import Estimate

Level = Literal["blocks", "warning", "note"]

MAX_ITEMS = 1000  # named in a finding; `count` counts all
SAME = "that are the same to a network, pixel for pixel, once they are prepared"
NEARLY = (
    "that look like copies: small versions of them correlate everywhere, mirrored, moved and "
    "framed copies included. Two shots of one thing can look so too"
)
LOOK = "Look at the contact sheet first (--out DIR)"
IMBALANCE = 3  # times as many images in the largest class as in the smallest


@dataclass(frozen=True)
class Item:
    """A file or a pair of files that a finding is about."""

    files: tuple[str, ...]
    detail: str
    images: tuple[int, ...] = ()  # indices in the pool, where there are pixels


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with the data."""

    check: str
    level: Level  # blocks: a training would refuse the data
    count: int
    text: str
    cure: str
    items: Sequence[Item] = ()  # the gravest first, at most MAX_ITEMS

    def as_dict(self) -> dict[str, object]:
        """The content of JSON."""
        return {
            "check": self.check,
            "level": self.level,
            "count": self.count,
            "finding": self.text,
            "cure": self.cure,
            "items": [{"files": item.files, "detail": item.detail} for item in self.items],
        }


def unreadable_files(bad: Sequence[Skipped], *, refused: Level) -> list[Finding]:
    """Files that are no usable image, with their reasons."""
    if not bad:
        return []
    items = [Item((portable(file.path),), file.reason) for file in bad[:MAX_ITEMS]]
    return [
        Finding(
            "unreadable files",
            refused,
            len(bad),
            f"{_n(len(bad), 'file')} cannot be used as an image.",
            "Look at the reasons and repair the files, or leave them out of training with "
            "data.bad_files=skip.",
            items,
        )
    ]


def exact_duplicates(pool: Pool, *, refused: Level) -> list[Finding]:
    """Images that are the same pixel for pixel: in two classes, in two splits, and elsewhere."""
    pairs = pool.duplicates.pairs
    details = ["the same pixels"] * len(pairs)
    for k, (one, other) in enumerate(pairs[:MAX_ITEMS].tolist()):
        if _same_bytes(pool.name(one), pool.name(other)):
            details[k] = "the same bytes"
    return _by_harm(pool, pairs, details, kind="duplicates", what=SAME, level=refused)


def near_duplicates(pool: Pool, near: NearDuplicates, indices: IntArray) -> list[Finding]:
    """Images that are nearly the same, sorted like the exact ones; none of them blocks.

    Args:
        pool: all images.
        near: what was found among a part of them.
        indices: of that part in the pool.
    """
    details = [
        f"{'mirrored, ' if mirrored else ''}correlation {1 - distance:.3f}"
        for distance, mirrored in zip(near.distances, near.mirrored, strict=True)
    ]
    pairs = indices[near.pairs]
    return _by_harm(pool, pairs, details, kind="near duplicates", what=NEARLY, level="warning")


def label_suspects(
    pool: Pool, judged: Judged, indices: IntArray, *, balanced: Estimate
) -> list[Finding]:
    """Labels that networks contradict, as many as are worth a look, or why none is judged.

    Args:
        pool: all images.
        judged: what was found among a part of them.
        indices: of that part in the pool.
        balanced: accuracy of the networks on images they were not trained on.
    """
    if not judged.n_contradicted:
        return []
    suspects = judged.suspects
    n = len(suspects.indices)
    if not n:
        return [labels_not_judged(pool, balanced)]
    rows = zip(suspects.indices, suspects.predicted, suspects.margins, strict=True)
    items = []
    for at, code, margin in list(rows)[:MAX_ITEMS]:
        index = int(indices[at])
        label, other = pool.class_name(index), pool.class_names[code]
        detail = f"labelled {label}, classified as {other} (margin {margin:.2f})"
        items.append(Item((pool.name(index),), detail, (index,)))
    left_out = judged.n_contradicted - n
    limited = f" Not listed: {_n(left_out, 'label')} contradicted less surely." if left_out else ""
    return [
        Finding(
            "label suspects",
            "warning",
            n,
            f"{_n(n, 'label')} of {len(indices):,} ({n / len(indices):.1%}) may be wrong: networks "
            f"trained on the other images contradict them. These networks get {_right(balanced)}, "
            f"so many of the contradictions are their own mistakes. {_expected(judged)}{limited}",
            f"{LOOK}, from the top. Correct only labels that you see are wrong; a difficult "
            "picture with the right label is worth keeping.",
            items,
        )
    ]


def labels_not_judged(pool: Pool, balanced: Estimate) -> Finding:
    """Networks that are too often wrong to judge labels.

    Args:
        pool: all images.
        balanced: accuracy of the networks on images they were not trained on.
    """
    return Finding(
        "labels not judged",
        "note",
        0,
        f"The networks trained here get only {_right(balanced)} (guessing: "
        f"{1 / len(np.unique(pool.labels)):.0%}), so they cannot judge labels: even if "
        f"{NOISE:.0%} of all labels were wrong, fewer than half of those they contradict would be. "
        "No label is listed; this says nothing about whether the labels are right.",
        "To have labels judged, give data check an experiment whose network suits the images: for "
        "photos colour and convolutions, as in the recipe photos (apple-clf init --recipe photos). "
        "Small data sets need more images.",
    )


def _right(balanced: Estimate) -> str:
    return f"{balanced.value:.0%} of unseen images right (balanced accuracy)"


def _expected(judged: Judged) -> str:
    """How many of the listed labels would be wrong, if so many of all were."""
    supposed = judged.supposed()
    shown = [supposed[0], supposed[-1]] if len(supposed) > 1 else supposed
    parts = [f"about {share:.0%} if {noise:.0%} of all labels are" for noise, share in shown]
    return f"How many of those listed are really wrong: {', '.join([*parts, 'none if none is'])}."


def class_imbalance(counts: Mapping[str, int], *, balanced: bool) -> list[Finding]:
    """Classes of very different sizes.

    Args:
        counts: images to train on, by class; each has one at least.
        balanced: whether the training weighs the classes already.
    """
    large, small = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    ratio = counts[large] / counts[small]
    if ratio < IMBALANCE:
        return []
    text = (
        f"{printable(large)} has {ratio:.0f} times as many images to train on as "
        f"{printable(small)}: {counts[large]:,} and {counts[small]:,}."
    )
    if balanced:
        cure = (
            "training.class_weight is balanced, so both classes weigh the same in the loss. "
            f"Metrics for {printable(small)} stay less certain until there are more images."
        )
        return [Finding("class imbalance", "note", 1, text, cure)]
    cure = f"Train with training.class_weight=balanced, or add images of {printable(small)}."
    return [Finding("class imbalance", "warning", 1, text, cure)]


def telling_border(balanced: Estimate, *, n_classes: int) -> list[Finding]:
    """A border from which the class can be guessed.

    Args:
        balanced: accuracy of a classifier that sees the border alone.
        n_classes: among the images.
    """
    if balanced.low is None or balanced.low <= 1 / n_classes:
        return []
    return [
        Finding(
            "telling border",
            "warning",
            1,
            "From the outermost pixels of the whole pictures alone, a linear classifier is "
            f"{verdict(balanced, n_classes=n_classes)}. Either background or framing differ "
            "between the classes, or what is shown reaches the edge in different ways; which of "
            "the two, and whether a network uses it, was not measured.",
            "Look at pictures of each class side by side. If backgrounds differ, take pictures of "
            "all classes in the same places, or test on pictures taken elsewhere.",
        )
    ]


def _by_harm(
    pool: Pool, pairs: IntArray, details: Sequence[str], *, kind: str, what: str, level: Level
) -> list[Finding]:
    """Up to three findings: pairs under two classes, in two splits, and the others."""
    one, other = pairs.T
    classes = pool.labels[one] != pool.labels[other]
    splits = ~classes & (pool.splits[one] != pool.splits[other])
    rows: list[tuple[BoolArray, str, Level, str, str]] = [
        (
            classes,
            f"{kind} under two classes",
            level,
            "under two classes",
            f"{LOOK}. If a pair shows one picture, one of its labels is wrong: correct that "
            "label, or leave the picture out if you cannot tell.",
        ),
        (
            splits,
            f"{kind} in two splits",
            level,
            "in two splits",
            f"{LOOK}. If a pair shows one picture, results on it are too good: keep it in one "
            "split only.",
        ),
        (
            ~classes & ~splits,
            kind,
            "note",
            "in one class and split",
            "Results stay valid; such a picture only counts twice. To thin them out, look at the "
            "contact sheet first (--out DIR).",
        ),
    ]
    findings = []
    for chosen, check, grade, text, cure in rows:
        (at,) = np.nonzero(chosen)
        if not len(at):
            continue
        items = []
        for k in at[:MAX_ITEMS].tolist():
            first, second = (int(index) for index in pairs[k])
            names = pool.name(first), pool.name(second)
            items.append(Item(names, details[k], (first, second)))
        findings.append(
            Finding(
                check,
                grade,
                len(at),
                f"{_n(len(at), 'pair')} of images {text} {what}.",
                cure,
                items,
            )
        )
    return findings


def _same_bytes(one: str, other: str) -> bool:
    """Whether two files are equal; a name that stands for no file is equal to none."""
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
