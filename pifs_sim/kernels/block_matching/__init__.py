"""For every range block the domain block, isometry, contrast and brightness of the least error after quantisation.

A range r and a domain d are vectors of n pixels; an isometry g permutes pixels, (g d)_a = d[g_a]. With

    A = sum r,  B = sum d,  Q = n sum d^2 - B^2,  R = n sum r^2 - A^2,  P = n <r, g d> - A B

a pair has the contrast s = j Delta, j the integer nearest to P/(Q Delta) within -L..L, the brightness m = low + k step,
k the integer nearest to ((A - s B)/n - low)/step within 0..K-1 (halves away from 0), and the error

    |r - s g d - m|^2 = (R - s (2 P - s Q))/n + n ((A - s B)/n - m)^2.

The least error wins; of equal ones the smallest (domain, isometry), but one without a domain before all: s = 0 is
domain 0 with isometry 0. Pixels that are whole numbers, or such over a power of two, make A, B, P, Q and R exact, so
that backends agree in every choice; other pixels round P, and errors that agree to that rounding may swap.

Shapes: ranges (K, n), domains (C, n), isometries (G, n), each row a permutation; all computed in float64. NumPy or CuPy
arrays, the same kind out.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from pifs_sim.kernels.backends import Backend, chosen, module_of
from pifs_sim.kernels.block_matching.law import Match, Quantisation, moments

__all__ = ["Match", "Quantisation", "compute"]


def compute(
    ranges: Any, domains: Any, isometries: Any, *, quantisation: Quantisation, backend: Backend | None = None
) -> Match:
    """The best match of each range; `backend` None takes that of the arrays.

    Raises:
        ValueError: arrays of other shapes, or not finite, isometries that are not permutations, or a backend that is
            unknown or cannot take the arrays.
        MemoryError: blocks that do not fit into the GPU's memory.
    """
    backend = chosen(backend, ranges=ranges, domains=domains, isometries=isometries)
    xp = array_namespace(ranges)
    for name, blocks in (("ranges", ranges), ("domains", domains)):
        if blocks.ndim != 2 or not xp.isfinite(blocks).all():
            raise ValueError(f"`{name}` must be finite blocks (blocks, pixels), got {blocks!r:.80}.")
    if len(domains) == 0 or domains.shape[1:] != ranges.shape[1:] or domains.shape[1] == 0:
        raise ValueError(f"`domains` must be blocks of {ranges.shape[1]} pixels, got shape {domains.shape}.")
    pixels = xp.arange(ranges.shape[1])
    sorted_rows = xp.sort(isometries, axis=-1) if isometries.size else None
    if sorted_rows is None or sorted_rows.shape[1:] != pixels.shape or (sorted_rows != pixels).any():
        raise ValueError(f"`isometries` must hold permutations of 0..{pixels.size - 1}, got {isometries!r:.80}.")
    of_ranges, of_domains = moments(ranges), moments(domains)
    return module_of(__name__, backend).compute(of_ranges, of_domains, isometries, quantisation)
