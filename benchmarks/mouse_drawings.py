"""Twelve drawings made by hand, as the paths of a mouse: six apples, six that are none."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Stroke = list[Point]
"""x to the right and y down, each from 0 to 100 of the paper."""


@dataclass(frozen=True)
class Drawing:
    """What somebody draws."""

    kind: str  # apple, pear and so on, as a class would be called
    style: str
    strokes: list[Stroke]

    @property
    def name(self) -> str:
        """Kind and style."""
        return f"{self.kind}, {self.style}" if self.style else self.kind


def drawings() -> list[Drawing]:
    """All of them, an apple and something else in turn."""
    apples = [
        Drawing("apple", "stem and leaf", [_smooth(BODY), _smooth(STEM), _smooth(LEAF)]),
        Drawing("apple", "deep dent", [_smooth(DENTED), [(50, 42), (51, 24)]]),
        Drawing("apple", "one line", [_smooth(ONE_LINE)]),
        Drawing("apple", "small", _scaled([_smooth(BODY), _smooth(STEM)], 0.3, around=(85, 15))),
        Drawing("apple", "large", _scaled([_smooth(DENTED), _smooth(STEM)], 1.3, around=(50, 56))),
        Drawing("apple", "shaky", _shaky([_smooth(BODY), _smooth(STEM), _smooth(LEAF)])),
    ]
    others = [
        Drawing("pear", "", [_smooth(PEAR), [(50, 14), (54, 4)]]),
        Drawing("banana", "", [_smooth(BANANA)]),
        Drawing("star", "", [_star(points=5, outer=42, inner=17)]),
        Drawing("house", "", HOUSE),
        Drawing("smiley", "", SMILEY),
        Drawing("flower", "", _flower(petals=6)),
    ]
    return [drawing for pair in zip(apples, others, strict=True) for drawing in pair]


BODY = [
    *((50, 37), (43, 31), (31, 31), (21, 41), (19, 57), (25, 73), (36, 84), (45, 84), (50, 82)),
    *((56, 84), (65, 83), (75, 72), (81, 57), (79, 41), (69, 31), (58, 31), (50, 37)),
]
STEM = [(50, 37), (51, 28), (56, 19)]
LEAF = [(53, 27), (60, 18), (73, 16), (68, 25), (54, 27)]
DENTED = [
    *((50, 42), (46, 33), (36, 27), (24, 31), (17, 44), (18, 61), (28, 76), (42, 83), (58, 83)),
    *((71, 77), (81, 63), (84, 46), (77, 31), (65, 27), (54, 33), (50, 42)),
]
ONE_LINE = [
    *((57, 13), (53, 24), (51, 34), (42, 30), (29, 34), (20, 48), (23, 66), (35, 81), (50, 83)),
    *((66, 80), (78, 66), (80, 47), (71, 33), (59, 30), (50, 35)),
]
PEAR = [
    *((50, 14), (42, 20), (41, 32), (37, 44), (27, 57), (25, 73), (35, 87), (50, 91), (66, 87)),
    *((76, 73), (73, 57), (63, 44), (59, 32), (58, 20), (50, 14)),
]
BANANA = [
    *((22, 16), (24, 36), (34, 55), (52, 66), (72, 66), (86, 58), (89, 63), (76, 79), (54, 84)),
    *((32, 76), (17, 56), (13, 34), (16, 17), (22, 16)),
]
HOUSE: list[Stroke] = [
    [(22, 46), (22, 88), (78, 88), (78, 46), (22, 46), (50, 15), (78, 46)],
    [(43, 88), (43, 64), (57, 64), (57, 88)],
]


def _smooth(points: Sequence[Point], *, between: int = 8) -> Stroke:
    """A curve through all points, `between` steps from each to the next.

    Source: Catmull and Rom 1974, the uniform spline with tension 1/2.
    """
    around = [points[0], *points, points[-1]]
    if points[0] == points[-1]:
        around = [points[-2], *points, points[1]]
    curve = [points[0]]
    for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False):
        for step in range(1, between + 1):
            t = step / between
            x, y = (
                (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t**2
                 + (3 * q - p - 3 * r + s) * t**3) / 2
                for p, q, r, s in zip(a, b, c, d, strict=True)
            )  # fmt: skip
            curve.append((x, y))
    return curve


def _scaled(strokes: Sequence[Stroke], factor: float, *, around: Point) -> list[Stroke]:
    """The strokes larger or smaller; what is at `around` stays there."""
    left, top = around
    return [
        [(left + factor * (x - left), top + factor * (y - top)) for x, y in stroke]
        for stroke in strokes
    ]


def _shaky(strokes: Sequence[Stroke], *, by: float = 1.6) -> list[Stroke]:
    """The strokes drawn by a trembling hand, which is up to twice `by` off at every point."""
    chance = random.Random(3)
    hand = [0.0, 0.0]

    def tremble(point: Point) -> Point:
        hand[:] = [0.5 * at + by * chance.uniform(-1, 1) for at in hand]
        return point[0] + hand[0], point[1] + hand[1]

    return [[tremble(point) for point in stroke] for stroke in strokes]


def _ring(middle: Point, radius: float, *, steps: int = 40) -> Stroke:
    angles = [2 * math.pi * step / steps for step in range(steps + 1)]
    return [_at(middle, radius, angle) for angle in angles]


def _at(middle: Point, radius: float, angle: float) -> Point:
    """The point on a circle; angle 0 is at the top, and it goes on clockwise."""
    return middle[0] + radius * math.sin(angle), middle[1] - radius * math.cos(angle)


def _star(*, points: int, outer: float, inner: float) -> Stroke:
    radii = [outer, inner] * points + [outer]
    return [_at((50, 52), radius, math.pi * i / points) for i, radius in enumerate(radii)]


def _flower(*, petals: int) -> list[Stroke]:
    middle = (50, 36)
    turns = [2 * math.pi * petal / petals for petal in range(petals)]
    blossom = [_ring(_at(middle, 19, turn), 8, steps=16) for turn in turns]
    leaf = _smooth([(51, 80), (60, 70), (72, 69), (66, 79), (51, 82)])
    return [_ring(middle, 9), *blossom, _smooth([(50, 64), (51, 78), (49, 95)]), leaf]


SMILEY = [
    _ring((50, 50), 38),
    _ring((36, 40), 3, steps=8),
    _ring((64, 40), 3, steps=8),
    _smooth([(31, 60), (39, 70), (50, 74), (61, 70), (69, 60)]),
]
