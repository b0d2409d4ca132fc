"""Steps of components with diagonal covariances of their own: distances from differences, then products.

The sums of ((x - p) - q)^2 sigma^2 are made for ROWS components and VECTORS registers of samples at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes
from pifs_sim.kernels.mixture_chain.expanded import packed
from pifs_sim.kernels.mixture_chain.tables import Array, coefficients, parted
from pifs_sim.kernels.tiles import VECTORS, samples

if TYPE_CHECKING:
    from pifs_sim.kernels.mixture_chain import Law, Steps

__all__ = ["Tables", "add_distances", "tables"]

ROWS = 2


class Tables(NamedTuple):
    """For S steps, K components, d coordinates, in the points' dtype.

    Attributes:
        centres: (S, K/2, d, 2, 3) both parts of the diffused centre and sigma, of rows of tiles.
        along: (S, d/4, K, 4) alpha; onto: (S, d/4, K, 4) gamma mu.
        terms: (S, K, 3) kappa, -1 and 0; mixing: (S, K, 2) ones.
        sharpness: (S,) H.
    """

    centres: Array
    along: Array
    onto: Array
    terms: Array
    mixing: Array
    sharpness: Array


def tables(law: Law, steps: Steps, dtype: Any) -> Tables:
    """Of a law with a diagonal covariance for each component."""
    known = coefficients(law, steps, dtype)
    sharpness = known.halves.max(axis=(1, 2))
    sigma = np.sqrt(known.halves / sharpness[:, None, None])
    priors = known.prior / sharpness[:, None]
    ones = np.ones_like(priors)
    rows = np.stack([*parted(known, law.means, dtype), sigma], axis=3).astype(dtype)
    centres = np.stack([packed(rows[..., i], ROWS) for i in range(3)], axis=4)
    return Tables(
        centres,
        packed(known.along.swapaxes(1, 2).astype(dtype)),
        packed((known.onto * law.means).swapaxes(1, 2).astype(dtype)),
        np.stack([priors, -ones, 0 * ones], axis=2).astype(dtype),
        np.stack([ones, ones], axis=2).astype(dtype),
        sharpness.astype(dtype),
    )


def _add_distances(_context: Any, table: Any, a: Any, columns: Any, b: Any, count: Any, sums: Any, c: Any) -> Any:
    """add_distances(table, a, columns, b, count, sums, c): sums[c + W r + w] += the distances of ROWS components.

    Parts and sigma of coordinate j and row r begin at table[a + 3 (ROWS j + r)]; x_jw is columns[b + W j + w].
    """
    size = 4 if columns.dtype == types.float32 else 8

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = WIDTH // size, samples(size)
        code = Lanes(context, builder, width)
        rows, x, D = (code.data(signature.args[i], arguments[i]) for i in (0, 2, 5))
        D = code.place(D, arguments[6])
        tile = [(r, u) for r in range(ROWS) for u in range(VECTORS)]
        total = {(r, u): code.variable(code.load(D, r * stride + u * width)) for r, u in tile}
        with code.loop(arguments[4]) as j:
            column = code.place(x, arguments[3], code.times(j, stride))
            row = code.place(rows, arguments[1], code.times(j, 3 * ROWS))
            vectors = [code.load(column, u * width) for u in range(VECTORS)]
            for r in range(ROWS):
                near, far, sigma = (code.spread(row, 3 * r + i) for i in range(3))
                for u in range(VECTORS):
                    e = ((vectors[u] - near) - far) * sigma
                    total[r, u].set(e.times_plus(e, total[r, u].get()))
        for r, u in tile:
            code.store(total[r, u].get(), D, r * stride + u * width)
        return context.get_dummy_value()

    return types.void(table, a, columns, b, count, sums, c), emit


add_distances = intrinsic(_add_distances)
