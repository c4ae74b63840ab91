"""Writes FOLDER/<number>.jpg: five pictures of twelve megapixels, linked to 200 names."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from apple_clf.data.simulation import simulate

WIDTH, HEIGHT = 4000, 3000
DISTINCT, NAMES = 5, 200


def write_photos(folder: Path) -> None:
    """Simulated pictures enlarged, with the grain of a camera, as a phone would save them."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i, pixels in enumerate(
        simulate(DISTINCT, image_size=(300, 400), seed=0, line_drawings=0.6).images
    ):
        large = Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        grain = rng.normal(scale=4, size=(HEIGHT, WIDTH, 3)).astype(np.float32)
        noisy = np.asarray(large, np.float32)[:, :, np.newaxis] + grain
        photo = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        photo.save(folder / f"{i:03d}.jpg", quality=85)
    for i in range(DISTINCT, NAMES):
        (folder / f"{i:03d}.jpg").hardlink_to(folder / f"{i % DISTINCT:03d}.jpg")


if __name__ == "__main__":
    write_photos(Path(sys.argv[1]))
