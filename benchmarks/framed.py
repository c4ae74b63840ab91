"""Pictures in frames: different ones in one frame, and one in different frames."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageOps

Picture = Image.Image
Frame = Callable[[Picture], Picture]

N = 30  # pictures in each frame
INNER = 0.7  # of the side of a picture that a chequered frame leaves
OBJECT = 0.3  # of the side of a picture that shows a small object on white


def traps(data: Path, folder: Path, rng: np.random.Generator) -> None:
    """Puts different pictures in one frame into a folder, half of each frame in either class.

    Args:
        data: holds quickdraw and grocery, as `planted` says.
        folder: gets a folder of pictures for each class.
        rng: chooses the pictures.
    """
    for source, frames in FRAMES.items():
        frames = frames | DISGUISES[source]
        originals = iter(_chosen(data, source, rng, N * len(frames)))
        for name, frame in frames.items():
            for k in range(N):
                file = f"{source}-{name.replace(' ', '-')}-{k:02d}.png"
                save(frame(opened(next(originals))), folder / ("apple", "not_apple")[k % 2] / file)


def pairs_in_two_frames(
    data: Path, folder: Path, rng: np.random.Generator
) -> Iterator[tuple[str, frozenset[str]]]:
    """What was planted: source, and the files of one picture in two frames.

    Args:
        data: as above.
        folder: gets a folder of pictures for each class.
        rng: chooses the pictures.
    """
    for source, frames in FRAMES.items():
        names = list(frames)
        for k, original in enumerate(_chosen(data, source, rng, N)):
            place = folder / original.parent.name
            files = [place / f"{source}-{k:02d}-{side}.png" for side in "ab"]
            for file, name in zip(
                files, (names[k % len(names)], names[k // 2 % 3 - 3]), strict=True
            ):
                save(frames[name](opened(original)), file)
            yield source, frozenset(map(str, files))


def _chosen(data: Path, source: str, rng: np.random.Generator, n: int) -> Sequence[Path]:
    files = sorted((data / source).glob("train/*/*"))
    return [files[i] for i in rng.choice(len(files), n, replace=False)]


def opened(file: Path) -> Picture:
    """A picture in colour."""
    with Image.open(file) as picture:
        return picture.convert("RGB")


def save(picture: Picture, file: Path) -> None:
    """Writes a picture, and the folder it stands in."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file)


def _bars(color: str, *, share: float, upright: bool) -> Frame:
    """Adds bars at two sides, each of a share of the picture's length."""

    def frame(picture: Picture) -> Picture:
        width, height = picture.size
        more = (round(share * width), 0) if upright else (0, round(share * height))
        return ImageOps.expand(picture, more, color)

    return frame


def _border(*colors: str, share: float) -> Frame:
    """Adds borders around each other, each of a share of the longer side."""

    def frame(picture: Picture) -> Picture:
        for color in colors:
            picture = ImageOps.expand(picture, round(share * max(picture.size)), color)
        return picture

    return frame


def _as_jpeg(frame: Frame, *, quality: int) -> Frame:
    """Saves the framed picture as JPEG, which blurs the frame's edges."""

    def saved(picture: Picture) -> Picture:
        content = io.BytesIO()
        frame(picture).save(content, "JPEG", quality=quality)
        return Image.open(content).convert("RGB")

    return saved


def _vignette(picture: Picture) -> Picture:
    """Darkens towards the corners, to black."""
    light = ImageOps.invert(Image.radial_gradient("L")).resize(picture.size)
    return ImageChops.multiply(picture, Image.merge("RGB", (light,) * 3))


def _patterned(picture: Picture) -> Picture:
    """Puts the middle of the picture into one chequered frame."""
    width, height = picture.size
    squares = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((4, 4))) * 255
    framed = Image.fromarray(squares.astype(np.uint8)).resize(picture.size).convert("RGB")
    inner = picture.resize((round(INNER * width), round(INNER * height)))
    framed.paste(inner, ((width - inner.width) // 2, (height - inner.height) // 2))
    return framed


def _on_white(picture: Picture) -> Picture:
    """Cuts a small disc out of the picture and puts it on white, as shops show their wares."""
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).ellipse((0, 0, *picture.size), fill=255)
    width, height = picture.size
    small = round(OBJECT * width), round(OBJECT * height)
    page = Image.new("RGB", picture.size, "white")
    place = (width - small[0]) // 2, (height - small[1]) // 2
    page.paste(picture.resize(small), place, mask.resize(small))
    return page


FRAMES: dict[str, dict[str, Frame]] = {
    "grocery": {
        "black bars": _bars("black", share=0.3, upright=False),
        "white bars": _bars("white", share=0.4, upright=True),
        "blue border": _border("#2050c0", share=0.2),
        "black in white": _border("black", "white", share=0.1),
        "jpeg border": _as_jpeg(_border("#808080", share=0.25), quality=40),
        "thick white": _border("white", share=0.5),
    },
    "quickdraw": {
        "gray bars": _bars("#808080", share=0.3, upright=True),
        "white border": _border("white", share=0.2),
        "two borders": _border("#c0c0c0", "#404040", share=0.15),
    },
}
"""Frames of one colour, or of one within another."""

CHANGES: dict[str, Frame] = {
    "mirrored": ImageOps.mirror,
    "moved by 4 pixels": lambda picture: ImageChops.offset(picture, 4, -3),
    "jpeg of quality 30": _as_jpeg(lambda picture: picture, quality=30),
    "a third the size": lambda picture: picture.resize([side // 3 for side in picture.size]),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.3),
    "in black bars": _bars("black", share=0.2, upright=False),
    "in a white border": _border("white", share=0.2),
}
"""What is done to copies of photos."""

DISGUISES: dict[str, dict[str, Frame]] = {
    "grocery": {"vignette": _vignette, "chequered": _patterned, "disc on white": _on_white},
    "quickdraw": {"chequered": _patterned},
}
"""What pictures share beyond plain frames."""
