"""Strokes as a hand draws them, x and y from 0 to 1."""

import math

Point = tuple[float, float]
Strokes = list[list[Point]]


def apple() -> Strokes:
    """A round body with a dent, a stem and a leaf."""
    body = []
    for i in range(41):
        angle = -math.pi / 2 + 2 * math.pi * i / 40
        from_top = min(abs(angle + math.pi / 2), abs(angle - 1.5 * math.pi))
        radius = 0.3 * (1 - 0.18 * math.exp(-((from_top / 0.35) ** 2)))
        body.append((0.5 + 1.08 * radius * math.cos(angle), 0.56 + radius * math.sin(angle)))
    leaf = [(0.53, 0.24), (0.6, 0.2), (0.68, 0.2), (0.62, 0.27), (0.53, 0.25)]
    return [body, [(0.5, 0.32), (0.52, 0.22), (0.56, 0.15)], leaf]


def pear() -> Strokes:
    """Narrow above, wide below, and a stem."""
    body = []
    for i in range(41):
        angle = -math.pi / 2 + 2 * math.pi * i / 40
        height = math.sin(angle)
        width = 0.11 + 0.065 * (height + 1) + 0.05 * max(0, height)
        body.append((0.5 + width * math.cos(angle), 0.54 + 0.34 * height))
    return [body, [(0.5, 0.2), (0.52, 0.1)]]


def scribble() -> Strokes:
    """To and fro."""
    points = [(0.1, 0.9), (0.25, 0.1), (0.5, 0.7), (0.75, 0.1), (0.9, 0.9), (0.2, 0.4)]
    return [[*points, (0.8, 0.3), (0.15, 0.75)]]
