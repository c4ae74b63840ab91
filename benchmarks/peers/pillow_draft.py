"""The same limit where JPEGs may be decoded at a smaller scale: FOLDER SIDE."""

import sys
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from PIL import Image


def decode(path: Path, *, side: int) -> None:
    """Decodes one file, JPEG at the smallest eighth of its size that covers side x side pixels."""
    with Image.open(path) as image:
        image.draft("L", (side, side))
        image.convert("L")


if __name__ == "__main__":
    files = [path for path in Path(sys.argv[1]).rglob("*") if path.is_file()]
    with Pool() as pool:
        pool.map(partial(decode, side=int(sys.argv[2])), files)
    print(len(files))
