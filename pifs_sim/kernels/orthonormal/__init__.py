"""V = Q R for batches of frames: Q with orthonormal columns, R upper triangular with a non-negative diagonal.

A column that lies in the span of those before it, to the rounding of its own entries, is *dead*: its diagonal entry
is exactly 0 and its column of Q is zero, so that ln R_jj = -inf and never ln eps, and the later columns are
orthogonalised as if it were absent.

V has shape (B, d, k), k <= d; Q has that shape and R (B, k, k).
"""

from __future__ import annotations

from typing import Any

from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["compute"]


def compute(V: Any, *, backend: Backend | None = None) -> tuple[Any, Any]:
    """Q and R; `backend` None takes the one of V's library, "reference" for others than NumPy and CuPy.

    Raises:
        ValueError: a shape that is not (B, d, k) with k <= d, or a backend that is unknown or cannot take the array.
        MemoryError: factors that do not fit into the GPU's memory.
    """
    if V.ndim != 3 or V.shape[2] > V.shape[1]:
        raise ValueError(f"`V` must have shape (batch, d, k) with k <= d, got {tuple(V.shape)}.")
    backend = chosen(backend, generic=True, V=V)
    return module_of(__name__, backend).compute(V)
