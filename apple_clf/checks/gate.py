"""What is found out before a run is made: the same pixels in two splits, or under two classes."""

from apple_clf.arrays import IntArray
from apple_clf.checks.pool import Pool
from apple_clf.config.schema import DataConfig
from apple_clf.data import Dataset
from apple_clf.errors import DataError
from apple_clf.io.files import printable

SHOWN = 10  # pairs that a message names


def refuse_duplicates(dataset: Dataset, config: DataConfig) -> None:
    """Refuses data whose copies make results worthless, unless they are allowed.

    Generated data pass: chance may draw a picture twice. Near copies pass too; `data check` names
    them.

    Raises:
        DataError: the same pixels are in two splits or under two classes; pairs are named.
    """
    if getattr(config, "duplicates", "allow") == "allow":  # generated data have no such key
        return
    where = printable(getattr(config, "path", None) or dataset.source)
    if len(pairs := dataset.duplicates.under_two_classes):
        raise DataError(
            f"{where}: the same pixels stand under two classes, {_times(pairs)}. Look at them "
            "and correct the wrong label, or train with data.duplicates=allow:\n"
            + _lines(dataset, pairs)
        )
    if len(pairs := dataset.duplicates.in_two_splits):
        raise DataError(
            f"{where}: the same pixels are in two splits, {_times(pairs)}, so results would be "
            "too good. Look at them and keep each in one split, or train with "
            "data.duplicates=allow:\n" + _lines(dataset, pairs)
        )


def _times(pairs: IntArray) -> str:
    return "once" if len(pairs) == 1 else f"{len(pairs):,} times"


def _lines(dataset: Dataset, pairs: IntArray) -> str:
    pool = Pool(dataset)
    lines = [f"  {pool.title(one)} = {pool.title(other)}" for one, other in pairs[:SHOWN].tolist()]
    if len(pairs) > SHOWN:
        lines.append(f"  and {len(pairs) - SHOWN:,} more; apple-clf data check lists all")
    return "\n".join(lines)
