"""What the checks found, in words: what, how many, which, and what to do."""

import filecmp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from apple_clf.arrays import IntArray
from apple_clf.checks.label_suspects import Suspects
from apple_clf.checks.near_duplicates import NearDuplicates
from apple_clf.checks.pool import Pool
from apple_clf.files import Skipped, portable, printable
from apple_clf.metrics import verdict
from apple_clf.metrics.intervals import Estimate

Level = Literal["blocks", "warning", "note"]

MAX_ITEMS = 1000  # named in a finding; `count` counts all
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
            "Fix or remove them, or train with data.bad_files=skip.",
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
    return _by_harm(pool, pairs, details, kind="duplicates", what="the same pixels", level=refused)


def near_duplicates(pool: Pool, near: NearDuplicates, indices: IntArray) -> list[Finding]:
    """Images that are nearly the same, sorted like the exact ones; none of them blocks.

    Args:
        pool: all images.
        near: what was found among a part of them.
        indices: of that part in the pool.
    """
    details = [
        f"{'mirrored, ' if mirrored else ''}{distance:.3f} apart"
        for distance, mirrored in zip(near.distances, near.mirrored, strict=True)
    ]
    pairs = indices[near.pairs]
    what = "nearly the same pixels"
    return _by_harm(pool, pairs, details, kind="near duplicates", what=what, level="warning")


def label_suspects(
    pool: Pool, suspects: Suspects, indices: IntArray, *, balanced: Estimate
) -> list[Finding]:
    """Images whose label networks doubt that were trained on the others.

    Args:
        pool: all images.
        suspects: what was found among a part of them.
        indices: of that part in the pool.
        balanced: accuracy of those networks, better than guessing.
    """
    n = len(suspects.indices)
    if not n:
        return []
    rows = zip(suspects.indices, suspects.predicted, suspects.margins, strict=True)
    items = []
    for at, code, margin in list(rows)[:MAX_ITEMS]:
        index = int(indices[at])
        label, other = pool.class_name(index), pool.class_names[code]
        detail = f"labelled {label}, taken for {other} (margin {margin:.2f})"
        items.append(Item((pool.name(index),), detail, (index,)))
    return [
        Finding(
            "label suspects",
            "warning",
            n,
            f"{_n(n, 'label')} of {len(indices):,} ({n / len(indices):.1%}) are contradicted by "
            f"networks trained on the other images (balanced accuracy {balanced.value:.2f}).",
            "Look at them, the first ones first: some are wrong labels, others are odd pictures.",
            items,
        )
    ]


def blind_networks(balanced: Estimate, *, n_classes: int) -> list[Finding]:
    """Networks that know too little of images they have not seen to doubt a label.

    Args:
        balanced: accuracy of the networks that were to doubt labels.
        n_classes: among the images.
    """
    if balanced.low is not None and balanced.low > 1 / n_classes:
        return []
    return [
        Finding(
            "blind networks",
            "warning",
            1,
            "No label was judged: on images they had not seen, the networks trained for that are "
            f"{verdict(balanced, n_classes=n_classes)}.",
            "A training will hardly do better. Give more images, or a network that sees more "
            "(colour, convolutions), then check again.",
        )
    ]


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
        cure = "training.class_weight is balanced, so both count alike; more images would help."
        return [Finding("class imbalance", "note", 1, text, cure)]
    cure = f"Train with training.class_weight=balanced, or add images of {printable(small)}."
    return [Finding("class imbalance", "warning", 1, text, cure)]


def telling_border(balanced: Estimate, *, n_classes: int) -> list[Finding]:
    """A border that gives the class away.

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
            "A linear classifier that sees nothing but the border of the pictures is "
            f"{verdict(balanced, n_classes=n_classes)}.",
            "Background or framing differ between the classes, and a network may learn that "
            "instead. Take all classes in the same places; preprocessing.resize=center cuts the "
            "border away.",
        )
    ]


def _by_harm(
    pool: Pool, pairs: IntArray, details: Sequence[str], *, kind: str, what: str, level: Level
) -> list[Finding]:
    """Up to three findings: pairs under two classes, in two splits, and the others."""
    one, other = pairs.T
    classes = pool.labels[one] != pool.labels[other]
    splits = ~classes & (pool.splits[one] != pool.splits[other])
    harmless: Level = "note"
    rows = [
        (
            *(classes, f"{kind} under two classes", level, "under two classes"),
            "Delete the one with the wrong label, or both.",
        ),
        (
            *(splits, f"{kind} in two splits", level, "in two splits"),
            "Delete one of each pair: a mark on images that were learnt is too good.",
        ),
        (
            *(~classes & ~splits, kind, harmless, "in one class and split"),
            "Harmless, but no new information: delete one of each pair if you like.",
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
                f"{_n(len(at), 'pair')} of images with {what} {text}.",
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
