"""The limit of reading pictures: Pillow decodes all files of FOLDER to gray, on all cores."""

import sys
from multiprocessing import Pool
from pathlib import Path

from PIL import Image


def decode(path: Path) -> None:
    """Decodes one file and forgets it."""
    with Image.open(path) as image:
        image.convert("L")


if __name__ == "__main__":
    files = [path for path in Path(sys.argv[1]).rglob("*") if path.is_file()]
    with Pool() as pool:
        pool.map(decode, files)
    print(len(files))
