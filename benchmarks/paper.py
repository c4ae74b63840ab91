"""Writes drawings as people hand them in: pen on paper before a phone, faint, enlarged, framed.

    python -m benchmarks.paper OUT --data /path/to/data [--split train|test] [--seed N]
                               [--per-condition 200] [--only fibre,mixed]

writes OUT/<condition>/<class>/*.jpg|png, half of them apples. The drawings are those of
quickdraw/<split>, traced and drawn again by another hand. What the train split's pictures are made
with (pens, tables, hands) differs from what the test split's are: the first are for choosing
between recipes and for tuning, the second for reporting. The same seed gives the same files.
"""

import argparse
import sys
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from apple_clf.arrays import UInt8Array
from benchmarks.bitmaps import BITMAPS, on_page
from benchmarks.hands import trace
from benchmarks.pens import Shape, enclosed
from benchmarks.photographs import LEAST_INSIDE, PAPER, photograph
from benchmarks.supplies import CHOOSING, REPORTING, Supplies

SUPPLIES = {"train": CHOOSING, "test": REPORTING}
CLASSES = ("apple", "not_apple")
CONDITIONS = ("page", *BITMAPS, *PAPER)


def make(
    drawing: UInt8Array,
    condition: str,
    supplies: Supplies,
    rng: np.random.Generator,
    *,
    shape: Shape | None = None,
) -> bytes:
    """A picture file of a drawing, light on dark, uint8, under a condition.

    Args:
        drawing: uint8, (height, width).
        condition: of CONDITIONS.
        supplies: what the picture is made with.
        rng: makes all choices.
        shape: of a photo, in pixels; None: one of SHAPES.
    """
    if condition in BITMAPS:
        return BITMAPS[condition](drawing)
    if condition == "page":
        return on_page(trace(drawing), supplies, rng)
    return photograph(trace(drawing), condition, supplies, rng, shape=shape)


def fits(drawing: UInt8Array, condition: str) -> bool:
    """Whether a drawing can be shown under a condition: some have nothing to colour in."""
    strokes = trace(drawing)
    if not strokes:
        return False
    return condition != "coloured" or enclosed(strokes).share >= LEAST_INSIDE


def write(
    target: Path,
    drawings: Path,
    *,
    condition: str,
    supplies: Supplies,
    seed: int,
    n: int,
    shape: Shape | None = None,
) -> int:
    """Writes <target>/<class>/* from <drawings>/<class>/*.png, half of each class.

    The order of the drawings is the same under each condition.

    Returns:
        The number of files written: n, or fewer where there are not as many drawings.
    """
    suffix = "jpg" if condition in PAPER else "png"
    n_written = 0
    for code, name in enumerate(CLASSES):
        folder = target / name
        folder.mkdir(parents=True, exist_ok=True)
        usable = _usable(drawings / name, condition, np.random.default_rng([seed, code]))
        for place, (file, drawing) in enumerate(islice(usable, (n + 1 - code) // 2)):
            rng = np.random.default_rng([seed, code, place, zlib.crc32(condition.encode())])
            content = make(drawing, condition, supplies, rng, shape=shape)
            (folder / f"{file.stem}.{suffix}").write_bytes(content)
            n_written += 1
    return n_written


def _usable(
    folder: Path, condition: str, rng: np.random.Generator
) -> Iterator[tuple[Path, UInt8Array]]:
    """The drawings of a folder in an order by chance, without those that cannot be shown so."""
    files = sorted(folder.glob("*.png"))
    for place in rng.permutation(len(files)):
        with Image.open(files[place]) as image:
            drawing = np.asarray(image.convert("L"))
        if fits(drawing, condition):
            yield files[place], drawing


def main() -> int:
    """The exit code, after the pictures were written."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=list(SUPPLIES), default="train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-condition", type=int, default=200)
    parser.add_argument("--only", default=",".join(CONDITIONS), metavar="fibre,mixed")
    arguments = parser.parse_args()
    drawings = arguments.data / "quickdraw" / arguments.split
    if not drawings.is_dir():
        print(f"{drawings}: no such folder. Name the data folder by --data.", file=sys.stderr)
        return 3
    for condition in arguments.only.split(","):
        n = write(
            arguments.out / condition,
            drawings,
            condition=condition,
            supplies=SUPPLIES[arguments.split],
            seed=arguments.seed,
            n=arguments.per_condition,
        )
        print(f"{condition}: {n} pictures", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
