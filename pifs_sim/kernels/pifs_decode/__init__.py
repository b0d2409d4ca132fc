"""One sweep of all block maps of a PIFS: every pixel takes the scaled average of some others, and is shifted.

    y_i = f_i (x_{s_1i} + x_{s_2i} + .. + x_{s_qi}) + o_i,

f_i the contrast of pixel i's range over q, s_1i.. the pixels of its domain that are averaged there, o_i the brightness.
The sum is taken in the order of the rows of s, from 0, and each operation is rounded: backends agree in every bit.
Without o it is the linear part, for tangent vectors.

Shapes: x (B, d) or (B, d, p), sources (q, d) int64 below d, factors and offsets (d,) of x's dtype; y like x.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["compute"]


def compute(x: Any, sources: Any, factors: Any, offsets: Any = None, *, backend: Backend | None = None) -> Any:
    """The images y; `backend` None takes the one of x's library, "reference" for others than NumPy and CuPy.

    Raises:
        ValueError: shapes or dtypes that do not match, sources out of range, or a backend that cannot take the arrays.
    """
    given = {"x": x, "sources": sources, "factors": factors} | ({} if offsets is None else {"offsets": offsets})
    backend = chosen(backend, generic=True, **given)
    xp = array_namespace(x)
    d = x.shape[1] if x.ndim in (2, 3) else -1
    if d < 1 or sources.ndim != 2 or sources.shape[1] != d or sources.dtype != xp.int64:
        raise ValueError(
            f"`x` and `sources` must be (B, d, ..) and (q, d) int64, got {tuple(x.shape)} and {tuple(sources.shape)} "
            f"of {sources.dtype}."
        )
    if x.dtype not in (xp.float32, xp.float64):
        raise ValueError(f"`x` must be of float32 or of float64, got {x.dtype}.")
    for name in ("factors", "offsets"):
        if name in given and (given[name].shape != (d,) or given[name].dtype != x.dtype):
            values = given[name]
            raise ValueError(f"`{name}` must be ({d},) {x.dtype}, got {tuple(values.shape)} of {values.dtype}.")
    if sources.shape[0] and (int(xp.min(sources)) < 0 or int(xp.max(sources)) >= d):
        raise ValueError(f"`sources` must lie in 0..{d - 1}, got {int(xp.min(sources))}..{int(xp.max(sources))}.")
    return module_of(__name__, backend).compute(x, sources, factors, offsets)
