"""Outlines of apples and look-alikes: pure geometry, many drawings at once.

A drawing is a list of parts, and a part is one pen stroke in each of n drawings. Points are complex
numbers x + iy, so that adding moves, multiplying turns and scales; x runs right, y down, and a body
has a radius of about 1 around 0. Where a drawing lacks a part, the points are NaN.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import BoolArray, FloatArray

Points = NDArray[np.complexfloating]

TURN: Final = 2 * np.pi
MAX_ROLLS: Final = 256
"""Random numbers that one drawing may use."""


class Dice:
    """Random numbers for n drawings, handed out column by column.

    Every drawing owns a row, so that it looks the same whichever others are drawn along with it.
    """

    def __init__(self, rolls: FloatArray) -> None:
        """Take the numbers to hand out, each in [0, 1), (n, MAX_ROLLS)."""
        self._rolls = rolls
        self._used = 0

    def uniform(self, low: float, high: float, *, columns: int = 1) -> FloatArray:
        """Numbers in [low, high), float64, (n, columns)."""
        which = np.arange(self._used, self._used + columns)
        self._used += columns
        return low + (high - low) * self._rolls[:, which]

    def within(self, reach: float) -> Points:
        """Points of the square from -reach to reach, complex128, (n, 1)."""
        return self.uniform(-reach, reach) + 1j * self.uniform(-reach, reach)

    def chance(self, probability: float) -> BoolArray:
        """True with the given probability, bool, (n, 1)."""
        return self.uniform(0, 1) < probability

    def pick(self, *options: float) -> FloatArray:
        """One of the options, all equally likely, float64, (n, 1)."""
        return np.array(options, float)[self.uniform(0, len(options)).astype(np.int64)]


@dataclass(frozen=True)
class Part:
    """One stroke in each of n drawings."""

    points: Points
    """Complex128, (n, K), or (1, K) or (K,) where it is the same in all."""

    filled: bool = False
    """Whether the stroke goes around something solid; such parts come in the order of painting."""


def _strokes(mask: BoolArray, *curves: Points) -> list[Part]:
    """Parts that exist where the mask is true."""
    return [Part(np.where(mask, curve, np.nan)) for curve in curves]


def _solid(curve: Points, *, mask: BoolArray | bool = True) -> Part:
    return Part(np.where(mask, curve, np.nan), filled=True)


def _turned(parts: list[Part], angle: FloatArray) -> list[Part]:
    return [Part(part.points * np.exp(1j * angle), filled=part.filled) for part in parts]


def _squeezed(points: Points, x: FloatArray | float, y: FloatArray | float) -> Points:
    return points.real * x + 1j * points.imag * y


def _circle(n_sides: int = 48) -> Points:
    """The unit circle, clockwise from its top, (n_sides + 1,)."""
    points: Points = -1j * np.exp(1j * np.linspace(0, TURN, n_sides + 1))
    return points


def _line(start: Points | complex, end: Points | complex) -> Points:
    return start + (end - start) * np.array([0.0, 1.0])


def _arc(start: Points | complex, bend: Points, end: Points | complex) -> Points:
    """Quadratic Bezier curves, (n, 9), from control points (n, 1)."""
    t = np.linspace(0, 1, 9)
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end


def _petal(length: FloatArray, width: FloatArray) -> Points:
    """Pointed ovals from 0 to the right, (n, 17); width is from the middle line to the edge."""
    t = np.linspace(-1, 1, 17)
    points: Points = length * (1 - np.abs(t)) + 1j * width * np.sin(np.pi * t)
    return points


def _stem(dice: Dice, base: Points, *, low: float, high: float) -> Points:
    """Bent stems that rise from a base by low to high, (n, 9)."""
    base = base + dice.uniform(-0.12, 0.12)
    tip = base + dice.uniform(-0.5, 0.5) - 1j * dice.uniform(low, high)
    return _arc(base, (base + tip) / 2 + dice.within(0.15), tip)


def _leaf_on(dice: Dice, stem: Points) -> Points:
    """Small leaves that grow sideways from anywhere on a stem, mostly upwards, (n, 17)."""
    at = np.take_along_axis(stem, dice.uniform(0, 9).astype(np.int64), axis=1)
    angle = dice.uniform(-0.45, 0.05) * np.pi
    angle = np.where(dice.chance(0.75), angle, np.pi - angle)
    leaf: Points = _petal(dice.uniform(0.3, 1.1), dice.uniform(0.1, 0.3)) * np.exp(1j * angle)
    return at + leaf


def apple(dice: Dice) -> list[Part]:
    """Apples: a round body, mostly dimpled on top, with a stem; some with a leaf or a bite."""
    angle = np.linspace(0, TURN, 73)
    from_top = np.minimum(angle, TURN - angle)
    top = np.where(dice.chance(0.75), dice.uniform(0.1, 0.5), 0)
    bottom = np.where(dice.chance(0.45), dice.uniform(0.05, 0.3), 0)
    bite = np.where(dice.chance(0.08), dice.uniform(0.25, 0.5), 0)
    from_bite = np.abs(angle - TURN * dice.pick(0.25, 0.75) + dice.uniform(-0.4, 0.4))
    radius = (
        1
        - top * np.exp(-from_top / dice.uniform(0.15, 0.5))
        - bottom * np.exp(-(((np.pi - from_top) / dice.uniform(0.2, 0.5)) ** 2))
        - bite * np.clip(2.5 - from_bite / 0.18, 0, 1) * (1 + 0.2 * np.cos(9 * from_bite))
    )
    body = radius * _circle(72)
    taper = dice.uniform(-0.05, 0.3)
    body = _squeezed(body, dice.uniform(0.75, 1.4) * (1 - taper * body.imag), 1.0)
    stem = _stem(dice, 1j * (0.9 * top - 0.95 + dice.uniform(0, 0.15)), low=0.3, high=1.1)
    has_stem = dice.chance(0.93)
    leaf = _solid(_leaf_on(dice, stem), mask=dice.chance(0.4) | ~has_stem)
    shine = dice.uniform(-0.6, 0.6) - 0.4j
    glint = _arc(shine - 0.2j, 1.2 * shine, shine - 0.1 + 0.2j)
    return [
        _solid(body),
        *_strokes(has_stem, stem),
        leaf,
        *_strokes(dice.chance(0.1), glint),
    ]


def pear(dice: Dice) -> list[Part]:
    """Pears: a round bottom that narrows to a neck, mostly a stem, seldom a leaf."""
    height = _circle(64).imag
    neck = dice.uniform(0.25, 0.42)
    belly = 1 / (1 + np.exp(-dice.uniform(4, 7) * (height - 0.05)))
    width = neck + (dice.uniform(0.7, 0.95) - neck) * belly
    tall = dice.uniform(1.1, 1.4)
    stem = _stem(dice, 0.05j - 1j * tall, low=0.2, high=0.5)
    leaf = _solid(_leaf_on(dice, stem), mask=dice.chance(0.25))
    return [
        _solid(_squeezed(_circle(64), width, tall)),
        *_strokes(dice.chance(0.8), stem),
        leaf,
    ]


def orange(dice: Dice) -> list[Part]:
    """Oranges: a round body, cut into segments, or with pores and some with a star on top."""
    style, first = dice.pick(0, 1, 2), dice.uniform(0, TURN)
    spokes = [0.8 * np.exp(1j * (first + TURN * j / 7)) for j in range(7)]
    star, up = dice.uniform(0.1, 0.25), -1j * dice.uniform(0.3, 0.8)
    points = [star * np.exp(1j * (first + TURN * j / 5)) for j in range(5)]
    pores = [
        0.8 * np.sqrt(dice.uniform(0, 1)) * np.exp(1j * dice.uniform(0, TURN)) for _ in range(8)
    ]
    return [
        _solid(_squeezed(_circle(64), dice.uniform(0.9, 1.1), 1.0)),
        *_strokes(style == 0, 0.82 * _circle(), *(_line(0, end) for end in spokes)),
        *_strokes(style == 1, *(_line(up, up + end) for end in points)),
        *_strokes(style > 0, *(_line(pore, pore + 0.03) for pore in pores)),
    ]


def cherry(dice: Dice) -> list[Part]:
    """Cherries: two balls that hang from long stems joined on top, half of them with a leaf."""
    apart, size = dice.uniform(0.55, 0.8), dice.uniform(0.42, 0.55)
    top = dice.uniform(-0.4, 0.6) - 1j * dice.uniform(1.1, 1.4)
    bodies, stems = [], []
    for side in (-1, 1):
        center = side * apart + 1j * dice.uniform(0.45, 0.8)
        bodies.append(_solid(center + size * _squeezed(_circle(), dice.uniform(0.9, 1.1), 1.0)))
        base = center - 0.85j * size
        stems.append(Part(_arc(top, (top + base) / 2 + 0.2 * side, base)))
    angle = dice.pick(0, np.pi) + dice.uniform(-0.4, 0.4)
    leaf = _petal(dice.uniform(0.5, 0.9), dice.uniform(0.1, 0.22)) * np.exp(1j * angle)
    return [*bodies, *stems, _solid(top + leaf, mask=dice.chance(0.5))]


def banana(dice: Dice) -> list[Part]:
    """Bananas: a crescent in any direction, some with a ridge along it."""
    t = np.linspace(0, 1, 25)
    middle = 1j * np.exp(1j * (2 * t - 1) * dice.uniform(0.8, 1.3))
    thick = dice.uniform(0.16, 0.34) * np.sin(np.pi * (0.04 + 0.92 * t)) ** 0.6
    outer, inner = middle * (1 + thick), middle * (1 - thick)
    body = np.concatenate([outer, inner[:, ::-1], outer[:, :1]], axis=1)
    parts = [_solid(body), *_strokes(dice.chance(0.4), middle[:, 3:-3])]
    return _turned(parts, dice.pick(0, 0.25, 0.5, 0.75) * TURN + dice.uniform(-0.6, 0.6))


def ball(dice: Dice) -> list[Part]:
    """Balls: a circle with seams, stripes or rings, or with nothing on it."""
    style = dice.pick(0, 1, 2, 3, 4)
    corner = np.exp(0.25j * np.pi)
    seams = [
        _arc(side * corner, dice.uniform(-0.2, 0.4) * side + 0j, side / corner) for side in (-1, 1)
    ]
    equator = _line(-1, 1) + 1j * dice.uniform(-0.1, 0.1)
    parts = [
        _solid(_circle(64)),
        *_strokes(style <= 1, *seams),
        *_strokes(style <= 2, equator),
        *_strokes((style == 1) | (style == 2), 0.85 * equator - 0.45j, 0.85 * equator + 0.45j),
        *_strokes(style == 3, 0.3 * _circle(), 0.6 * _circle()),
    ]
    return _turned(parts, dice.uniform(0, TURN))


def leaf(dice: Dice) -> list[Part]:
    """Leaves: a pointed oval with a midrib, some with veins, in any direction."""
    length, width = dice.uniform(1.8, 2.2), dice.uniform(0.35, 0.75)
    veins = [
        _line(length * at + 0j, length * at + 0.2 + 0.7j * side * width * np.sin(np.pi * at))
        for at in (0.25, 0.45, 0.65)
        for side in (-1, 1)
    ]
    parts = [
        _solid(_petal(length, width)),
        *_strokes(dice.chance(0.85), _line(dice.within(0.2) - 0.3, 0.9 * length + 0j)),
        *_strokes(dice.chance(0.6), *veins),
    ]
    return _turned(parts, dice.uniform(0, TURN))


def _curve(dice: Dice) -> Points:
    """One curve each of a wide family, (n, 49), within about 1 from 0.

    A polar curve whose turns, shrinking, lobes and number of corners are drawn by lot: circles,
    arcs, polygons, stars, flowers and spirals; pressed flat it is a line, unrolled a zigzag.
    """
    turns = np.where(dice.chance(0.6), 1, dice.pick(0.3, 0.5, 0.75, 2, 3))
    shrink = np.where(turns > 1, dice.uniform(0.3, 0.9), 0)
    lobes = dice.pick(2, 3, 4, 5, 6)
    depth = np.where(dice.chance(0.25), dice.uniform(0.2, 0.6), 0)
    corners = np.where(dice.chance(0.5), 48, dice.pick(3, 4, 4, 5, 6, 8, 10, 12))
    unrolled = dice.chance(0.08)

    def corner(index: FloatArray) -> Points:
        t = index / corners
        angle = TURN * turns * t
        radius = (1 - shrink * t) * (1 - depth * (0.5 + 0.5 * np.cos(lobes * angle)))
        zigzag = 2 * t - 1 + 0.4j * np.cos(1.5 * lobes * angle)
        return np.where(unrolled, zigzag, radius * np.exp(1j * angle))

    place = np.linspace(0, 1, 49) * corners
    last = np.floor(place)
    points = corner(last) + (place - last) * (corner(last + 1) - corner(last))
    flat = np.where(dice.chance(0.2), dice.uniform(0, 0.1), dice.uniform(0.4, 1))
    turned = points * np.exp(1j * dice.uniform(0, TURN))
    pressed: Points = _squeezed(turned, 1.0, flat) * np.exp(1j * dice.uniform(0, TURN))
    return pressed


def clutter(dice: Dice) -> list[Part]:
    """Drawings of no fruit: up to eight curves in one of seven arrangements."""
    curves = [_curve(dice) for _ in range(4)]
    plan = dice.pick(*range(7)).astype(np.int64)
    count = np.where(dice.chance(0.2), 1, np.floor(dice.uniform(2, 9)))
    alike = dice.chance(0.4)
    parts = []
    for j in range(8):
        first, later = float(j == 0), float(j > 0)
        step, spin = 1.6 * (j - (count - 1) / 2) / count, np.exp(1j * TURN * j / count)
        size = 1.2 / count * dice.uniform(0.7, 1.2)
        curve = np.where(alike, curves[0], curves[j % 4])
        arranged = [
            (1 - 0.8 * j / count) * curve,  # one within the other
            1j * step + size * curve,  # a column
            step + size * curve,  # a row
            (0.7 + 0.45 * curve) * spin,  # a ring
            dice.within(0.8) + dice.uniform(0.2, 0.7) * curve,  # scattered
            later * dice.within(0.5) + (0.2 + 0.8 * first) * curve,  # small ones in a big one
            later * (step + 1.1j) + (0.5 + 0.5 * first) * curve,  # a row below a big one
        ]
        points = np.choose(plan, arranged)
        parts.append(Part(np.where(j < count, points, np.nan), filled=j == 0))
    return parts


DRAW: Final[Mapping[str, Callable[[Dice], list[Part]]]] = MappingProxyType(
    {
        "apple": apple,
        "pear": pear,
        "orange": orange,
        "cherry": cherry,
        "banana": banana,
        "ball": ball,
        "leaf": leaf,
        "clutter": clutter,
    }
)
"""What draws each kind."""
