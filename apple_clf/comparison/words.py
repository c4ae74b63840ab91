"""A comparison as text of 80 columns: verdicts first, then the numbers they rest on."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap

from apple_clf.comparison.compare import JUDGED_BY, Comparison, Pair
from apple_clf.io.files import printable
from apple_clf.metrics.catalogue import words_of
from apple_clf.metrics.intervals import Estimate

WIDTH = 80
COLUMNS = 3  # of runs, side by side
GAP = 2  # between columns
MAX_KEY = 32  # of the first column
NOTHING = "-"
SPACE = "\N{NO-BREAK SPACE}"  # keeps an interval on one line


def tell(comparison: Comparison) -> Iterator[str]:
    """The comparison as lines of at most 80 columns, but for names that are longer."""
    for pair in comparison.pairs:
        yield from _paragraph(verdict(pair))
    for note in notes(comparison):
        yield from _paragraph(note)
    names = [group.label for group in comparison.groups]
    for group in comparison.groups:
        if len(group.runs) > 1:
            yield ""
            yield from _paragraph(f"{group.label}: {', '.join(run.label for run in group.runs)}")
    yield from _section("Experiment", names, _cells(comparison.experiment))
    yield from _section("Data", names, comparison.data)
    metrics = [group.metrics for group in comparison.groups]
    yield from _section("Metric", names, _metric_rows(metrics))
    for pair in comparison.pairs:
        yield ""
        yield from _numbers(pair)


def verdict(pair: Pair) -> str:
    """One sentence: which of the two is better and by how much, or that it cannot be told."""
    found, p = pair.differences.get(JUDGED_BY), pair.corrected_p
    if found is None or p is None:
        return (
            f"{pair.second.label} and {pair.first.label} cannot be compared: balanced accuracy is "
            "undefined where only one class is present."
        )
    better, worse, low, high = pair.second.label, pair.first.label, found.low, found.high
    if found.value < 0:
        better, worse, low, high = worse, better, -high, -low
    difference = f"{abs(found.value):.3f} balanced accuracy {_interval(low, high)}, {_p(p)},"
    if pair.outcome == "indistinguishable":
        n, other = (f"{group.runs[0].n_images:,}" for group in (pair.first, pair.second))
        size = f"n = {n}" if pair.same_images else f"n = {n} and {other} different images"
        return (
            f"{better} and {worse} are indistinguishable at {size}: the difference of {difference} "
            "may be chance."
        )
    return f"{better} is better than {worse} by {difference.removesuffix(',')} on {_images(pair)}."


def _images(pair: Pair) -> str:
    n, other = (group.runs[0].n_images for group in (pair.first, pair.second))
    if pair.same_images:
        return f"the same {n:,} images"
    return f"different images ({n:,} and {other:,})"


def notes(comparison: Comparison) -> Iterator[str]:
    """What must be known to read the verdicts right, a sentence or two each."""
    groups = comparison.groups
    runs = [run for group in groups for run in group.runs]
    if len({run.class_names for run in runs}) > 1:
        yield "The classes differ, so the networks do not even answer the same question."
    if not all(pair.same_images for pair in comparison.pairs):
        yield (
            "Warning: where networks were judged on different images, the difference may lie in "
            "the images. Judge both on one folder: apple-clf evaluate RUN --data DIR"
        )
    if any(run.experiment is None for run in runs):
        yield "An imported model may have learnt from these images; its numbers then flatter it."
    if len(comparison.pairs) > 1:
        yield (
            f"The p-values above are corrected for {len(comparison.pairs)} comparisons (Holm); "
            "intervals, and the p-values below, are not."
        )
    sizes = [len(group.runs) for group in groups]
    if max(sizes) == 1:
        yield "Single networks are compared: with other seeds it may come out otherwise."
        return
    yield (
        "Of several seeds, metrics are means with an interval over the seeds (Student's t); in "
        "differences, both other seeds and other images are chance."
    )
    if min(sizes) == 1:
        yield "A single run is taken to depend on its seed as much as those beside it."


def _numbers(pair: Pair) -> Iterator[str]:
    """The differences of a pair, a line each."""
    yield from _paragraph(f"{pair.second.label} less {pair.first.label}, on {_images(pair)}:")
    for metric, found in pair.differences.items():
        interval = _interval(found.low, found.high, sign="+")
        yield (
            f"  {words_of(metric):17}  {found.value:+.3f}  {interval:16}  "
            f"{_p(found.p):10}  {found.test}"
        ).replace(SPACE, " ")


def _cells(rows: Mapping[str, Sequence[object]]) -> dict[str, tuple[str, ...]]:
    return {printable(key): tuple(map(_cell, values)) for key, values in rows.items()}


def _metric_rows(metrics: Sequence[Mapping[str, Estimate]]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys(name for each in metrics for name in each)
    return {words_of(name): tuple(_estimate(each.get(name)) for each in metrics) for name in names}


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return NOTHING
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} {_interval(estimate.low, estimate.high)}"


def _interval(low: float, high: float, *, sign: str = "") -> str:
    return f"[{low:{sign}.3f},{SPACE}{high:{sign}.3f}]"


def _p(p: float) -> str:
    if p < 0.0001:
        return f"p{SPACE}<{SPACE}0.0001"
    return f"p{SPACE}={SPACE}{p:.4f}" if p < 0.001 else f"p{SPACE}={SPACE}{p:.3f}"


def _section(title: str, names: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A table with a column for each group, three of them at a time; below it what is too long."""
    yield ""
    if not rows:
        yield f"{title}: no difference."
        return
    room = (WIDTH - MAX_KEY) // min(len(names), COLUMNS) - GAP
    long = {key for key, cells in rows.items() if max(map(len, cells)) > 2 * room}
    if len(long) == len(rows):
        yield title
    for start in range(0, len(names), COLUMNS):
        part = slice(start, start + COLUMNS)
        shown = {key: cells[part] for key, cells in rows.items() if key not in long}
        shown = {key: cells for key, cells in shown.items() if set(cells) != {NOTHING}}
        if shown:
            if start:
                yield ""
            yield from _table([title, *names[part]], shown)
    for key in (key for key in rows if key in long):
        yield key
        for name, cell in zip(names, rows[key], strict=True):
            yield from _paragraph(f"{name}: {cell}", indent="  ")


def _table(head: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Iterator[str]:
    lines = [list(head), *([key, *cells] for key, cells in rows.items())]
    first = min(MAX_KEY, max(len(line[0]) for line in lines))
    for line in lines:
        if len(line[0]) > first:  # broken before its last word
            line[0] = " .".join(line[0].rsplit(".", 1))
    room = (WIDTH - first) // (len(head) - 1) - GAP
    columns = list(zip(*lines, strict=True))[1:]
    widths = [first, *(min(room, max(map(len, column))) for column in columns)]
    for line in lines:
        wrapped = [wrap(cell, width) or [""] for cell, width in zip(line, widths, strict=True)]
        for texts in zip_longest(*wrapped, fillvalue=""):
            padded = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
            yield (" " * GAP).join(padded).rstrip().replace(SPACE, " ")


def _cell(value: object) -> str:
    if value is None:
        return NOTHING
    return str(value).lower() if isinstance(value, bool) else printable(str(value))


def _paragraph(text: str, *, indent: str = "") -> Iterator[str]:
    lines = wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=2 * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        yield line.replace(SPACE, " ")
