"""Pictures that are nearly the same, also mirrored or moved, without comparing all pairs.

A perceptual hash proposes pairs, and a comparison of their pixels decides. The hash is the size of
the lowest spatial frequencies, the mirrored ones side by side: moving a drawing over an empty page
changes only their phases, mirroring swaps them. The numbers are cut into cells along random
directions, several times, and pictures that share a cell are proposed.

Not seen: what is rotated, cropped, enlarged or redrawn until a twentieth of the pixels' variation
differs; pictures of less than 8 pixels a side; pictures of one flat colour, which are equal or not.
Of many pictures in one cell only neighbours are compared, so of a large pile of copies each is
still paired with some others, but not with all.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apple_clf.arrays import FloatArray, IntArray, UInt8Array

FAR = 0.06
"""1 - correlation of two pictures above which they are two. Of 5,342 drawings by different people
the closest two are 0.08 apart; a drawing enlarged twofold and prepared again is 0.07 from itself
at most in 95 of 100 cases."""

SIDE = 32  # larger pictures are reduced to this
MIN_SIDE = 8
FLAT = 2.0  # gray levels; pictures that vary less are blank
FREQUENCIES = 5
HASH_RADIUS = 0.15  # hashes of enlarged copies differ by this at most in 95 of 100 cases
TABLES = 16
CELL = 0.5
PER_CELL = 10  # pictures that share a cell by chance, about
NEIGHBOURS = 20  # compared in a crowded cell
CHUNK = 4096


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs of pictures that are nearly the same, the closest first."""

    pairs: IntArray  # (k, 2), the lower index first
    distances: FloatArray  # (k,), 0 to FAR
    mirrored: NDArray[np.bool_]  # (k,)


def find_near_duplicates(images: UInt8Array, *, seed: int = 0) -> NearDuplicates:
    """Pairs of pictures that correlate by more than 1 - FAR, mirrored or moved by a pixel or not.

    Args:
        images: (n, height, width, channels), best without exact copies.
        seed: of the directions along which hashes are cut.

    Source: locality-sensitive hashing in Euclidean space: Datar et al. 2004, SCG, section 3.
    """
    pictures = _small(images)
    if min(pictures.shape[1:]) < MIN_SIDE or len(pictures) < 2:
        pairs = np.empty((0, 2), np.int64)
    else:
        (varied,) = np.nonzero(_deviations(pictures) >= FLAT)
        pairs = varied[_candidates(_hashes(pictures[varied]), np.random.default_rng(seed))]
    distances, mirrored = _compare(pictures, pairs)
    near = np.flatnonzero(distances <= FAR)
    order = near[np.lexsort((*pairs[near].T[::-1], distances[near]))]
    return NearDuplicates(pairs[order], distances[order], mirrored[order])


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
        flat = _standardised(chunk.reshape(len(chunk), -1)).reshape(chunk.shape)
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


def _candidates(hashes: NDArray[np.float32], rng: np.random.Generator) -> IntArray:
    """Pairs whose hashes lie within HASH_RADIUS and in one cell of a table, (k, 2)."""
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
            found.append(_close(hashes, order[same], order[same + step]))
    codes = np.unique(np.concatenate(found))
    return np.column_stack((codes // max(n, 1), codes % max(n, 1)))


def _close(hashes: NDArray[np.float32], one: IntArray, other: IntArray) -> NDArray[np.int64]:
    """The pairs within HASH_RADIUS, each as lower index * n + higher index."""
    squares = np.empty(len(one), np.float32)
    for start in range(0, len(one), 16 * CHUNK):
        part = slice(start, start + 16 * CHUNK)
        difference = hashes[one[part]] - hashes[other[part]]
        squares[part] = np.einsum("nd,nd->n", difference, difference)
    near = squares <= HASH_RADIUS**2
    low, high = np.minimum(one, other)[near], np.maximum(one, other)[near]
    return (low * len(hashes) + high).astype(np.int64)


def _compare(pictures: UInt8Array, pairs: IntArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """1 - the best correlation over mirroring and moves by a pixel, and whether it is mirrored."""
    height, width = pictures.shape[1:]
    distances = np.empty(len(pairs), np.float32)
    mirrored = np.empty(len(pairs), np.bool_)
    for start in range(0, len(pairs), CHUNK):
        one, other = (pictures[column] for column in pairs[start : start + CHUNK].T)
        n = len(one)
        middle = _standardised(one[:, 1:-1, 1:-1].reshape(n, -1))
        best = []
        for view in (other, other[:, :, ::-1]):
            windows = (
                view[:, y : y + height - 2, x : x + width - 2] for y in range(3) for x in range(3)
            )
            found = [
                np.einsum("np,np->n", middle, _standardised(window.reshape(n, -1)))
                for window in windows
            ]
            best.append(np.max(found, axis=0))
        distances[start : start + n] = 1 - np.maximum(*best)
        mirrored[start : start + n] = best[1] > best[0]
    return np.maximum(distances, 0), mirrored


def _standardised(pixels: UInt8Array) -> NDArray[np.float32]:
    """Rows less their mean, of length 1; a flat row is all 0, (n, n_pixels)."""
    centred = pixels - pixels.mean(axis=1, keepdims=True, dtype=np.float32)
    lengths = np.sqrt(np.einsum("np,np->n", centred, centred))
    standardised: NDArray[np.float32] = centred / np.maximum(lengths, 1e-3)[:, None]
    return standardised
