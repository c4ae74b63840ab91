"""Other views of the drawings, and pictures that are no drawings, as folders of PNGs."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

Change = Callable[[Image.Image], Image.Image]

TURN = 15  # degrees
NOISE_SIDES = (8, 28, 64, 128)
PER_KIND = 100


def inverted(drawing: Image.Image) -> Image.Image:
    """Dark strokes on light ground."""
    return ImageOps.invert(drawing)


def enlarged(drawing: Image.Image) -> Image.Image:
    """Twice the size."""
    return drawing.resize((2 * drawing.width, 2 * drawing.height), Image.Resampling.BICUBIC)


def off_centre(drawing: Image.Image) -> Image.Image:
    """In the lower right corner of a canvas twice the size."""
    canvas = Image.new("L", (2 * drawing.width, 2 * drawing.height))
    canvas.paste(drawing, (drawing.width, drawing.height))
    return canvas


def turned(drawing: Image.Image) -> Image.Image:
    """Rotated counterclockwise, nothing cut off."""
    return drawing.rotate(TURN, Image.Resampling.BICUBIC, expand=True)


VIEWS: dict[str, Change] = {
    "polarity inverted": inverted,
    "2x larger": enlarged,
    "off-centre": off_centre,
    f"rotated {TURN} degrees": turned,
}


def write_view(source: Path, target: Path, change: Change) -> None:
    """Copies the images of a folder with its classes, changed."""
    for path in sorted(source.rglob("*.png")):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        change(Image.open(path).convert("L")).save(copy)


def write_no_drawings(folder: Path) -> list[Path]:
    """Noise of several sizes and densities and blank pictures, 100 of each kind."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    written = []
    for kind, pictures in (("noise", _noise(rng)), ("blank", _blank(rng))):
        for i, pixels in enumerate(pictures):
            written.append(folder / f"{kind}-{i:03d}.png")
            Image.fromarray(pixels).save(written[-1])
    return written


def _noise(rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Uniform noise, and light specks on dark of a density between 2 and 50 %."""
    for i in range(PER_KIND):
        side = NOISE_SIDES[i % len(NOISE_SIDES)]
        pixels = rng.integers(256, size=(side, side), dtype=np.uint8)
        if i % 2:
            pixels[rng.random((side, side)) > rng.uniform(0.02, 0.5)] = 0
        yield pixels


def _blank(rng: np.random.Generator) -> Iterator[np.ndarray]:
    """One level everywhere; black and white among them."""
    for level in (0, 255, *rng.integers(256, size=PER_KIND - 2).tolist()):
        yield np.full((28, 28), level, np.uint8)


def write_imbalanced(source: Path, target: Path, *, rare: str, ratio: int) -> None:
    """Copies a folder with splits, with few training images of one class.

    For each `ratio` of the others one is kept, the first by name.
    """
    train = source / "train"
    n_others = sum(len(list(path.iterdir())) for path in train.iterdir() if path.name != rare)
    for path in sorted(source.glob("*/*")):
        copy = target / path.relative_to(source)
        copy.mkdir(parents=True)
        files = sorted(path.iterdir())
        if path == train / rare:
            files = files[: round(n_others / ratio)]
        for file in files:
            shutil.copyfile(file, copy / file.name)
