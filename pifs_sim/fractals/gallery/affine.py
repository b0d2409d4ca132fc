"""Sets of affine maps that are no similarities: no equation sum_i r_i^s = 1 holds for them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from pifs_sim.fractals.gallery.entry import Cube, Entry
from pifs_sim.fractals.ifs import IFS

__all__ = ["barnsley_fern", "bedford_mcmullen"]


def barnsley_fern() -> Entry:
    """Barnsley's fern, with his probabilities: bounds only.

    The convex hulls of the four images have a connected union (the first holds f_4(0, 0), the third f_2(0, 0), and a
    point of the fourth lies inside of the second's), so every projection of the fern to a line is an interval: the
    dimension is at least 1. It is at most the affinity dimension.
    """
    matrices = [
        [[0.0, 0.0], [0.0, 0.16]],
        [[0.85, 0.04], [-0.04, 0.85]],
        [[0.2, -0.26], [0.23, 0.22]],
        [[-0.15, 0.28], [0.26, 0.24]],
    ]
    return Entry(
        name="barnsley_fern",
        ifs=IFS(
            np.array(matrices), np.array([[0.0, 0.0], [0.0, 1.6], [0.0, 1.6], [0.0, 0.44]]), [0.01, 0.85, 0.07, 0.07]
        ),
        source="Barnsley 1988, Fractals Everywhere, table III.3",
        dimension=None,
        hausdorff=None,
        bounds=(1.0, 1.8389),
        open_set=None,
        note="Its maps are no similarities, so it has no similarity dimension; the bounds are 1, as its projections "
        "are intervals, and the affinity dimension.",
    )


def bedford_mcmullen(
    columns: int = 3, rows: int = 2, digits: Sequence[tuple[int, int]] = ((0, 0), (1, 1), (2, 0))
) -> Entry:
    """The carpet of x -> ((x_0 + i)/columns, (x_1 + j)/rows), (i, j) one of the digits; columns > rows.

    With N digits, N_j of them in row j and r rows met, the box-counting dimension is ln r/ln rows + ln(N/r)/ln columns,
    the Hausdorff dimension log_rows sum_j N_j^{log_columns rows}. By default McMullen's example.

    Args:
        columns: n, into which the square is cut.
        rows: m, 2 <= m < n.
        digits: (i, j) different, 0 <= i < n, 0 <= j < m; two of them at least.

    Raises:
        ValueError: other numbers.

    Source: McMullen 1984, Nagoya Math. J. 96, 1, doi:10.1017/S0027763000021085; Bedford 1984, thesis, Warwick.
    """
    if not 2 <= rows < columns:
        raise ValueError(f"`rows` and `columns` must satisfy 2 <= rows < columns, got {rows!r} and {columns!r}.")
    inside = all(0 <= i < columns and 0 <= j < rows for i, j in digits)
    if len(digits) < 2 or len(set(digits)) < len(digits) or not inside:
        raise ValueError(f"`digits` must be two or more different cells of the grid, got {digits!r}.")
    count, met = len(digits), Counter(j for _, j in digits)
    power = math.log(rows) / math.log(columns)
    dimension = math.log(len(met)) / math.log(rows) + math.log(count / len(met)) / math.log(columns)
    square = columns == rows**2  # then boxes of side columns^-k meet the set exactly: k letters, k more rows
    return Entry(
        name="bedford_mcmullen",
        ifs=IFS(np.tile(np.diag([1 / columns, 1 / rows]), (count, 1, 1)), np.array(digits) / [columns, rows]),
        source="McMullen 1984, Nagoya Math. J. 96, 1, doi:10.1017/S0027763000021085; Bedford 1984, thesis, Warwick",
        dimension=dimension,
        hausdorff=math.log(sum(n**power for n in met.values())) / math.log(rows),
        bounds=(dimension, dimension),
        open_set=True,
        ratio=columns if square else None,
        cube=Cube((0.0, 0.0), 1.0),
        boxes=count * len(met) if square else None,
        note="Self-affine: box-counting and Hausdorff dimension agree only if all rows met hold equally many digits.",
    )
