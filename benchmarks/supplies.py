"""What is in the drawer: pens, papers and tables, one set to choose recipes by, one to report.

The two share no colour, no table and hardly a width, so that what was fitted to the pictures of
the one is judged on pictures of the other.
"""

from dataclasses import dataclass

from benchmarks.pens import Colour

Range = tuple[float, float]


@dataclass(frozen=True)
class Supplies:
    """What the pictures of one set are made with; widths are shares of the page's width."""

    wobble: Range  # of a hand, as a share of the drawing
    fibre_width: Range
    fibre_colours: tuple[Colour, ...]
    ball_width: Range
    ball_colours: tuple[Colour, ...]
    pencil_width: Range
    pencil_contrast: Range  # of the light, what a line's middle takes
    crayons: tuple[Colour, ...]  # to colour shapes in
    tints: tuple[Colour, ...]  # of paper
    line_colours: tuple[Colour, ...]  # printed on paper
    tables: tuple[str, ...]
    skins: tuple[Colour, ...]


CHOOSING = Supplies(
    wobble=(0.004, 0.011),
    fibre_width=(0.006, 0.013),
    fibre_colours=((0.08, 0.08, 0.09), (0.10, 0.16, 0.42), (0.70, 0.12, 0.14), (0.08, 0.38, 0.20)),
    ball_width=(0.0026, 0.0036),
    ball_colours=((0.13, 0.18, 0.45), (0.12, 0.12, 0.13)),
    pencil_width=(0.004, 0.007),
    pencil_contrast=(0.35, 0.60),
    crayons=((0.88, 0.22, 0.20), (0.45, 0.72, 0.25), (0.97, 0.83, 0.25), (0.35, 0.60, 0.85),
             (0.95, 0.60, 0.25)),
    tints=((0.96, 0.96, 0.95), (0.95, 0.95, 0.97), (0.97, 0.95, 0.90)),
    line_colours=((0.70, 0.78, 0.90), (0.75, 0.75, 0.77)),
    tables=("oak", "walnut", "plain", "checked"),
    skins=((0.86, 0.66, 0.55), (0.52, 0.36, 0.27)),
)  # fmt: skip

REPORTING = Supplies(
    wobble=(0.005, 0.013),
    fibre_width=(0.005, 0.015),
    fibre_colours=((0.14, 0.12, 0.12), (0.13, 0.28, 0.58), (0.78, 0.20, 0.22), (0.16, 0.46, 0.26),
                   (0.42, 0.16, 0.48)),
    ball_width=(0.0025, 0.0038),
    ball_colours=((0.18, 0.26, 0.58), (0.17, 0.17, 0.20)),
    pencil_width=(0.0035, 0.008),
    pencil_contrast=(0.38, 0.65),
    crayons=((0.80, 0.16, 0.26), (0.55, 0.78, 0.36), (0.99, 0.90, 0.40), (0.50, 0.72, 0.92),
             (0.72, 0.48, 0.30), (0.93, 0.55, 0.66)),
    tints=((0.98, 0.98, 0.98), (0.93, 0.94, 0.95), (0.96, 0.93, 0.86), (0.92, 0.92, 0.89)),
    line_colours=((0.62, 0.72, 0.88), (0.68, 0.70, 0.72), (0.72, 0.80, 0.84)),
    tables=("pine", "cherry", "stone", "striped", "dotted"),
    skins=((0.92, 0.74, 0.64), (0.70, 0.50, 0.38), (0.40, 0.27, 0.20)),
)  # fmt: skip
