"""For every range block the domain block, isometry, contrast and brightness of the least error after quantisation.

A range r and a domain d are vectors of n pixels; an isometry g permutes pixels, (g d)_a = d[g_a]. With

    A = sum r,  B = sum d,  Q = n sum d^2 - B^2,  R = n sum r^2 - A^2,  P = n <r, g d> - A B

a pair has the contrast s = j Delta, j the integer nearest to P/(Q Delta) within -L..L, the brightness m = low + k step,
k the integer nearest to ((A - s B)/n - low)/step within 0..K-1 (halves away from 0), and the error

    |r - s g d - m|^2 = (R - s (2 P - s Q))/n + n ((A - s B)/n - m)^2.

The least error wins; of equal ones the smallest (domain, isometry), but one without a domain before all: s = 0 is
domain 0 with isometry 0. Pixels that are whole numbers, or such over a power of two, make A, B, P, Q and R exact, so
that backends agree in every choice; other pixels round P, and errors that agree to that rounding may swap.

Shapes: ranges (K, n), domains (C, n), isometries (G, n), each row a permutation; all computed in float64.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pifs_sim.kernels.block_matching.law import Match, Quantisation, moments

__all__ = ["Match", "Quantisation", "compute"]


def compute(
    ranges: npt.NDArray[Any],
    domains: npt.NDArray[Any],
    isometries: npt.NDArray[Any],
    *,
    quantisation: Quantisation,
    backend: Literal["reference", "cpu"] | None = None,
) -> Match:
    """The best match of each range; `backend` None takes "cpu".

    Raises:
        ValueError: arrays that are not NumPy's, of other shapes, or not finite, isometries that are not permutations,
            or an unknown backend.
    """
    for name, blocks in (("ranges", ranges), ("domains", domains)):
        if not isinstance(blocks, np.ndarray) or blocks.ndim != 2 or not np.isfinite(blocks).all():
            raise ValueError(f"`{name}` must be a finite NumPy array (blocks, pixels), got {blocks!r:.80}.")
    if len(domains) == 0 or domains.shape[1:] != ranges.shape[1:] or domains.shape[1] == 0:
        raise ValueError(f"`domains` must be blocks of {ranges.shape[1]} pixels, got shape {domains.shape}.")
    pixels = np.arange(ranges.shape[1])
    sorted_rows = np.sort(isometries, axis=-1) if isinstance(isometries, np.ndarray) and isometries.size else None
    if sorted_rows is None or sorted_rows.shape[1:] != pixels.shape or (sorted_rows != pixels).any():
        raise ValueError(f"`isometries` must hold permutations of 0..{pixels.size - 1}, got {isometries!r:.80}.")
    of_ranges, of_domains = moments(ranges), moments(domains)
    if backend == "reference":
        from pifs_sim.kernels.block_matching import reference

        return reference.compute(of_ranges, of_domains, isometries, quantisation)
    if backend in (None, "cpu"):
        from pifs_sim.kernels.block_matching import cpu

        return cpu.compute(of_ranges, of_domains, isometries, quantisation)
    raise ValueError(f'`backend` must be "reference" or "cpu", got {backend!r}.')
