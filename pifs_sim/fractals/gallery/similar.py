"""Sets of similarities, whose dimension is the D with sum_i r_i^D = 1, except where images overlap."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from pifs_sim.fractals.gallery import cells
from pifs_sim.fractals.gallery.entry import HUTCHINSON, Cube, Entry, digit_set, similarities, turn
from pifs_sim.fractals.ifs import IFS

__all__ = [
    "cantor",
    "cantor_dust",
    "carpet",
    "dragon",
    "golden",
    "koch",
    "levy",
    "menger",
    "overlapping",
    "sierpinski",
    "sierpinski_right",
    "tetrahedron",
    "vicsek",
]


def cantor() -> Entry:
    """Cantor's set {x/3, (x + 2)/3}, ln 2/ln 3."""
    return digit_set("cantor", 3, [(0,), (2,)], f"Cantor 1883, Math. Ann. 21, 545; {HUTCHINSON}")


def cantor_dust() -> Entry:
    """The product of Cantor's set with itself, ln 4/ln 3."""
    return digit_set("cantor_dust", 3, [(0, 0), (0, 2), (2, 0), (2, 2)], HUTCHINSON)


def golden() -> Entry:
    """{x/2, (x + 3)/4}: ratios 1/2 and 1/4, log2 of the golden ratio."""
    return similarities(
        "golden",
        [1 / 2, 1 / 4],
        [[0.0], [3 / 4]],
        source=HUTCHINSON,
        dimension=math.log2((1 + math.sqrt(5)) / 2),
        ratio=2,
        cube=Cube((0.0,), 1.0),
    )


def sierpinski() -> Entry:
    """Sierpinski's triangle, equilateral with side 1, ln 3/ln 2."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, math.sqrt(0.75)]])
    return similarities(
        "sierpinski",
        [1 / 2] * 3,
        corners / 2,
        source=f"Sierpinski 1915, C. R. Acad. Sci. Paris 160, 302; {HUTCHINSON}",
        dimension=math.log(3) / math.log(2),
        ratio=2,
        cube=Cube((0.0, 0.0, 0.0), 1.0),
        boxes=3,
        cells=cells.triangles,
    )


def sierpinski_right() -> Entry:
    """Sierpinski's triangle with a right angle, ln 3/ln 2: points whose binary digits are never both 1."""
    source = f"Sierpinski 1915, C. R. Acad. Sci. Paris 160, 302; {HUTCHINSON}"
    return digit_set("sierpinski_right", 2, [(0, 0), (1, 0), (0, 1)], source)


def carpet() -> Entry:
    """Sierpinski's carpet, ln 8/ln 3."""
    digits = [cell for cell in product(range(3), repeat=2) if cell != (1, 1)]
    return digit_set("carpet", 3, digits, f"Sierpinski 1916, C. R. Acad. Sci. Paris 162, 629; {HUTCHINSON}")


def vicsek() -> Entry:
    """The cross, ln 5/ln 3."""
    digits = [cell for cell in product(range(3), repeat=2) if 1 in cell]
    return digit_set("vicsek", 3, digits, "Vicsek 1983, J. Phys. A 16, L647, doi:10.1088/0305-4470/16/17/003")


def menger() -> Entry:
    """Menger's sponge in space, ln 20/ln 3."""
    digits = [cell for cell in product(range(3), repeat=3) if cell.count(1) < 2]
    return digit_set("menger", 3, digits, f"Menger 1926, Proc. Kon. Akad. Wet. Amsterdam 29, 1125; {HUTCHINSON}")


def tetrahedron() -> Entry:
    """Sierpinski's tetrahedron in space, ln 4/ln 2 = 2: a regular one, on four corners of a cube."""
    return digit_set("tetrahedron", 2, [(0, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1)], HUTCHINSON)


def koch() -> Entry:
    """Koch's curve from 0 to 1, ln 4/ln 3.

    The piece over a step of its k-th polygon lies in the triangle of side 3^-k on the step's left. No triangle has two
    steps: they would follow each other, as the polygon is simple, by a left turn of 120 degrees, and it makes none.
    """
    corners = np.array([[0.0, 0.0], [1 / 3, 0.0], [1 / 2, math.sqrt(1 / 12)], [2 / 3, 0.0]])
    return similarities(
        "koch",
        [1 / 3] * 4,
        corners,
        rotations=[turn(0.0), turn(math.pi / 3), turn(-math.pi / 3), turn(0.0)],
        source=f"von Koch 1904, Ark. Mat. Astron. Fys. 1, 681; {HUTCHINSON}",
        dimension=math.log(4) / math.log(3),
        ratio=3,
        cube=Cube((0.0, 0.0, 0.0), 1.0),
        boxes=4,
        cells=cells.triangles,
    )


def dragon() -> Entry:
    """Heighway's dragon, of area 1/2.

    Squares of side s that meet it number A s^-2 + B s^-1.52: at 1e6 points their slopes have risen to 1.86. Its own
    tiles of 2k levels number 4^k.
    """
    return similarities(
        "dragon",
        [math.sqrt(0.5)] * 2,
        [[0.0, 0.0], [1.0, 0.0]],
        rotations=[turn(math.pi / 4), turn(3 * math.pi / 4)],
        source="Davis, Knuth 1970, J. Recreational Math. 3, 66; Ngai, Nguyen 2003, Discrete Comput. Geom. 29, 603",
        dimension=2.0,
        ratio=2,
        cube=Cube((0.0, 0.0), 1.0),
        boxes=4,
        cells=cells.heighway,
        note="It has interior points; only its boundary, of dimension 1.5236, is a fractal.",
    )


def levy() -> Entry:
    """Levy's curve (or dragon), of area 1/4.

    Squares of side s that meet it number A s^-2 + B s^-1.93: at 1e6 points their slopes have risen to 1.88. Its own
    tiles of 2k levels number 4^k. So they do inside of the cube; with the tiles around, into which rounding puts points
    (`cells.levy`), their slopes rise to 1.75, and fall where these tiles hold few points.
    """
    return similarities(
        "levy",
        [math.sqrt(0.5)] * 2,
        [[0.0, 0.0], [0.5, 0.5]],
        rotations=[turn(math.pi / 4), turn(-math.pi / 4)],
        source="Levy 1938, J. Ecole Polytech., 227; Bailey, Kim, Strichartz 2002, Amer. Math. Monthly 109, 689",
        dimension=2.0,
        ratio=2,
        cube=Cube((0.0, 0.0), 1.0),
        boxes=4,
        cells=cells.levy,
        note="It has interior points; only its boundary, of dimension 1.9340, is a fractal.",
    )


def overlapping() -> Entry:
    """{x/3, (x + 1)/3, (x + 3)/3}: D = 1, but f_0 f_2 = f_1 f_0, and the dimension is ln((3 + sqrt 5)/2)/ln 3.

    The words of n letters give F_{2n + 2} maps (3, 8, 21, 55, ..), which take [0, 3/2] to intervals that begin at
    different multiples of 3^-n, so they number as the boxes do.
    """
    dimension = math.log((3 + math.sqrt(5)) / 2) / math.log(3)
    return Entry(
        name="overlapping",
        ifs=IFS(np.full((3, 1, 1), 1 / 3), np.array([[0.0], [1 / 3], [1.0]])),
        source="Rao, Wen 1998, Adv. Appl. Math. 20, 50",
        dimension=dimension,
        hausdorff=dimension,
        bounds=(dimension, dimension),
        open_set=False,
        ratio=3,
        cube=Cube((0.0,), 1.5),
        note="Images overlap exactly: the similarity dimension 1 is only an upper bound.",
    )
