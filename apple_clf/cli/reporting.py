"""Narration on stderr: a bar on a terminal, lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apple_clf.io.progress import Reporter


@contextmanager
def reporting(reporter: "Reporter | None") -> Iterator["Reporter"]:
    """The reporter given, or the one that fits where stderr goes."""
    from apple_clf.io.progress import Bar, Lines, is_terminal

    if reporter is not None:
        yield reporter
    elif is_terminal(sys.stderr):
        bar = Bar(sys.stderr)
        try:
            yield bar
        finally:
            bar.close()
    else:
        yield Lines(sys.stderr)
