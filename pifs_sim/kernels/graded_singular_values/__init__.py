"""ln of the singular values of diag(e^{s_1}, .., e^{s_d}) U, whatever the range of s.

One-sided Jacobi on the rows e^{s_r} u_r, which are kept as unit vectors and logarithms of lengths. For s_p >= s_q,
g = e^{s_q - s_p}, c = <u_p, u_q> and tau = 2c/((1 - g^2) + sqrt((1 - g^2)^2 + 4 g^2 c^2)), the rotation that makes
the rows orthogonal is u_p <- u_p + g^2 tau u_q, u_q <- u_q - tau u_p, both over sqrt(1 + g^2 tau^2): nothing over- or
underflows, and as g -> 0 it becomes a Gram-Schmidt step. The relative error of every singular value is that of
rounding times the condition of U, not of the product (Demmel, Veselic 1992, SIAM J. Matrix Anal. Appl. 13).

Shapes: s (B, d), -inf for a zero row; U (B, d, d) rows; result (B, d), descending. NumPy or CuPy arrays, the same kind
out.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["compute"]


def compute(s: Any, U: Any, *, backend: Backend | None = None) -> Any:
    """ln of the singular values, (B, d), descending; `backend` None takes that of the arrays.

    Raises:
        ValueError: shapes that do not match, rows that are not finite, or a backend that is unknown or cannot take the
            arrays.
        MemoryError: matrices that do not fit into the GPU's memory.
    """
    backend = chosen(backend, s=s, U=U)
    xp = array_namespace(s)
    if U.ndim != 3 or U.shape[1] != U.shape[2] or s.shape != U.shape[:2]:
        raise ValueError(f"`s` and `U` must have shapes (B, d) and (B, d, d), got {s.shape} and {U.shape}.")
    if not xp.isfinite(U).all() or not (s < xp.inf).all():
        raise ValueError("`U` must be finite, and `s` finite or -inf.")
    return module_of(__name__, backend).compute(s, U)
