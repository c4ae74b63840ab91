"""Pictures that are nearly the same, also mirrored, moved or framed, without comparing all pairs.

Each picture is looked at twice: as a network sees it, which keeps small drawings sharp, and by its
contents alone, which leaves out bars, frames and plain background (`contents`). Either way a
perceptual hash proposes pairs, and a comparison of their pixels decides (`likeness`). The hash is
the size of the lowest spatial frequencies, the mirrored ones side by side: moving a drawing over an
empty page changes only their phases, mirroring swaps them. The numbers are cut into cells along
random directions, several times, and pictures that share a cell are proposed.

Not seen: what is rotated, cropped, enlarged or redrawn until a twentieth of the pixels' variation
differs; pictures of less than 8 pixels a side; pictures of one flat colour, which are equal or not.
Of many pictures in one cell only neighbours are compared, so of a large pile of copies each is
still paired with some others, but not with all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apple_clf.arrays import BoolArray, FloatArray, IntArray, UInt8Array
from apple_clf.checks.contents import Contents, find_contents
from apple_clf.checks.likeness import compare, standardised

FAR = 0.06
"""1 - correlation of two pictures above which they are two. Of 5,342 drawings by different people
the closest two are 0.08 apart; a drawing enlarged twofold and prepared again is 0.07 from itself
at most in 95 of 100 cases."""

FAR_CONTENTS = 0.075
"""The same for contents, whose edges are known to half a pixel."""

FAR_PHOTOS = 0.12
"""The same for pictures in colour, either way. Of 300 photos no two are closer than 0.25, and one
that was moved by a hundredth of its side, or framed, is up to 0.11 from itself."""

ALIKE = 0.7
"""Structure below which two pictures are two, however well they correlate."""

OTHER_SHAPE = math.log(1.2)  # contents are two if one is longer for its width by more than this
OTHER_COLOUR = 0.35  # mean colours are two if further apart, in standard deviations of gray
MOSTLY_FRAME = 0.75  # of the side; if both contents are smaller, they alone are compared
LEAST_CONTRAST = 16.0  # gray levels; colours of fainter pictures are not held to be further apart

SIDE = 32  # larger pictures are reduced to this
MIN_SIDE = 8
FLAT = 2.0  # gray levels; pictures that vary less are blank
FREQUENCIES = 5
HASH_RADIUS = 0.15  # hashes of enlarged copies differ by this at most in 95 of 100 cases
HASH_RADIUS_CONTENTS = 0.2  # of those in two frames in 98 of 100
TABLES = 16
CELL = 0.5
PER_CELL = 10  # pictures that share a cell by chance, about
NEIGHBOURS = 20  # compared in a crowded cell
CHUNK = 4096


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs of pictures that are nearly the same, the closest first."""

    pairs: IntArray  # (k, 2), the lower index first
    distances: FloatArray  # (k,), 0 to FAR_PHOTOS
    mirrored: BoolArray  # (k,)


def find_near_duplicates(
    images: UInt8Array, *, whole: UInt8Array | None = None, seed: int = 0
) -> NearDuplicates:
    """Pairs of pictures that correlate, as seen or by their contents, and so do their windows.

    Args:
        images: as a network sees them, (n, height, width, channels), best without exact copies.
        whole: the same pictures uncropped and in colour, (n, height, width, channels), to find
            what they show; `images` if left out.
        seed: of the directions along which hashes are cut.

    Source: locality-sensitive hashing in Euclidean space: Datar et al. 2004, SCG, section 3.
    """
    contents = find_contents(images if whole is None else whole)
    rng = np.random.default_rng(seed)
    return _joined([_alike_as_seen(images, contents, rng), _alike_inside(contents, rng)])


def _alike_as_seen(
    images: UInt8Array, contents: Contents, rng: np.random.Generator
) -> NearDuplicates:
    """Pairs that are alike to a network, unless both are mostly frame."""
    pictures = _small(images)
    pairs = _proposed(pictures, rng, radius=HASH_RADIUS)
    pairs = pairs[(contents.shares[pairs] >= MOSTLY_FRAME).any(axis=1)]
    far = FAR_PHOTOS if contents.in_colour else FAR
    return _near(pictures, pairs[_colours_agree(contents, pairs)], far=far)


def _alike_inside(contents: Contents, rng: np.random.Generator) -> NearDuplicates:
    """Pairs whose contents are alike."""
    pairs = _proposed(contents.gray, rng, radius=HASH_RADIUS_CONTENTS)
    pairs = pairs[np.abs(contents.shapes[pairs] @ [1, -1]) <= OTHER_SHAPE]
    far = FAR_PHOTOS if contents.in_colour else FAR_CONTENTS
    return _near(contents.gray, pairs[_colours_agree(contents, pairs)], far=far)


def _near(pictures: UInt8Array, pairs: IntArray, *, far: float) -> NearDuplicates:
    """The pairs that are alike, in the order given."""
    likeness = compare(pictures, pairs, far=far)
    near = (likeness.distances <= far) & (likeness.structures >= ALIKE)
    return NearDuplicates(pairs[near], likeness.distances[near], likeness.mirrored[near])


def _joined(found: Sequence[NearDuplicates]) -> NearDuplicates:
    """Pairs of either search, each once, the closest first."""
    pairs = np.concatenate([near.pairs for near in found])
    distances = np.concatenate([near.distances for near in found])
    mirrored = np.concatenate([near.mirrored for near in found])
    order = np.lexsort((*pairs.T[::-1], distances))
    _, firsts = np.unique(pairs[order], axis=0, return_index=True)
    order = order[np.sort(firsts)]
    return NearDuplicates(pairs[order], distances[order], mirrored[order])


def _colours_agree(contents: Contents, pairs: IntArray) -> BoolArray:
    """Whether the mean colours are alike, brightness and contrast aside, (k,)."""
    contrast = np.maximum(_deviations(contents.gray), LEAST_CONTRAST)
    one, other = (contents.colours / contrast[:, None])[pairs.T]
    agree: BoolArray = np.hypot(*(one - other).T) <= OTHER_COLOUR
    return agree


def _proposed(pictures: UInt8Array, rng: np.random.Generator, *, radius: float) -> IntArray:
    """Pairs of gray pictures that may be alike, (k, 2), the lower index first."""
    if min(pictures.shape[1:]) < MIN_SIDE or len(pictures) < 2:
        return np.empty((0, 2), np.int64)
    (varied,) = np.nonzero(_deviations(pictures) >= FLAT)
    pairs: IntArray = varied[_candidates(_hashes(pictures[varied]), rng, radius=radius)]
    return pairs


def _small(images: UInt8Array) -> UInt8Array:
    """Gray pictures of at most SIDE pixels a side, (n, height, width)."""
    height, width, channels = images.shape[1:]
    shrink = max(1.0, max(height, width) / SIDE)
    if shrink == 1 and channels == 1:
        return images[..., 0]
    size = (max(1, round(height / shrink)), max(1, round(width / shrink)))
    small = np.empty((len(images), *size), np.uint8)
    for i, image in enumerate(images):
        picture = Image.fromarray(image[..., 0] if channels == 1 else image).convert("L")
        small[i] = picture.resize(size[::-1], Image.Resampling.BOX)
    return small


def _deviations(pictures: UInt8Array) -> FloatArray:
    """Standard deviation of each picture's pixels, in gray levels, (n,)."""
    deviations = np.empty(len(pictures), np.float32)
    for start in range(0, len(pictures), CHUNK):
        chunk = pictures[start : start + CHUNK]
        deviations[start : start + CHUNK] = chunk.std(axis=(1, 2), dtype=np.float32)
    return deviations


def _hashes(pictures: UInt8Array) -> NDArray[np.float32]:
    """Sizes of the low frequencies of pictures that are not flat, (n, 2 * FREQUENCIES**2 - 10)."""
    k = FREQUENCIES
    parts = [np.empty((0, 2 * k * k - 2 * k), np.float32)]
    for start in range(0, len(pictures), CHUNK):
        chunk = pictures[start : start + CHUNK]
        flat = standardised(chunk).reshape(chunk.shape)
        sizes = np.abs(np.fft.fft2(flat)) * math.sqrt(2 / flat[0].size)
        right = sizes[:, :k, 1:k]
        left = sizes[:, :k, :-k:-1]  # the same frequencies of the mirrored picture
        parts.append(
            np.concatenate(
                [
                    sizes[:, 1:k, 0],
                    right[:, 0],
                    np.maximum(left, right)[:, 1:].reshape(len(chunk), -1),
                    np.minimum(left, right)[:, 1:].reshape(len(chunk), -1),
                ],
                axis=1,
            ).astype(np.float32)
        )
    return np.concatenate(parts)


def _candidates(
    hashes: NDArray[np.float32], rng: np.random.Generator, *, radius: float
) -> IntArray:
    """Pairs whose hashes lie within a radius and in one cell of a table, (k, 2)."""
    n, width = hashes.shape
    n_directions = max(1, round(math.log(max(n, 1) / PER_CELL, 2.4)))
    line = hashes @ rng.normal(size=width)  # orders a cell; one for all, so pairs come again
    found = [np.empty(0, np.int64)]
    for _ in range(TABLES):
        directions = rng.normal(size=(width, n_directions)).astype(np.float32)
        offsets = rng.uniform(0, 1, n_directions)
        cells = np.floor(hashes @ directions / CELL + offsets).astype(np.int64)
        keys = cells @ rng.integers(1, 2**62, n_directions)  # wraps around; a clash costs little
        order = np.lexsort((line, keys))
        keys = keys[order]
        for step in range(1, NEIGHBOURS + 1):
            (same,) = np.nonzero(keys[step:] == keys[:-step])
            if not len(same):
                break
            found.append(_close(hashes, order[same], order[same + step], radius))
    codes = np.unique(np.concatenate(found))
    return np.column_stack((codes // max(n, 1), codes % max(n, 1)))


def _close(
    hashes: NDArray[np.float32], one: IntArray, other: IntArray, radius: float
) -> NDArray[np.int64]:
    """The pairs within a radius, each as lower index * n + higher index."""
    squares = np.empty(len(one), np.float32)
    for start in range(0, len(one), 16 * CHUNK):
        part = slice(start, start + 16 * CHUNK)
        difference = hashes[one[part]] - hashes[other[part]]
        squares[part] = np.einsum("nd,nd->n", difference, difference)
    near = squares <= radius**2
    low, high = np.minimum(one, other)[near], np.maximum(one, other)[near]
    return (low * len(hashes) + high).astype(np.int64)
