"""V = Q R for batches of frames: Q with orthonormal columns, R upper triangular with a non-negative diagonal.

A column that lies in the span of those before it, to the rounding of its own entries, is *dead*: its diagonal entry
is exactly 0 and its column of Q is zero, so that ln R_jj = -inf and never ln eps, and the later columns are
orthogonalised as if it were absent.

V has shape (B, d, k), k <= d; Q has that shape and R (B, k, k).
"""

from __future__ import annotations

from typing import Any, Literal

from pifs_sim.kernels.orthonormal import reference

__all__ = ["compute"]


def compute(V: Any, *, backend: Literal["reference", "cpu"] | None = None) -> tuple[Any, Any]:
    """Q and R; `backend` None takes "cpu" for NumPy arrays and "reference" for others.

    Raises:
        ValueError: a shape that is not (B, d, k) with k <= d, or a backend that cannot take the array.
    """
    if V.ndim != 3 or V.shape[2] > V.shape[1]:
        raise ValueError(f"`V` must have shape (batch, d, k) with k <= d, got {tuple(V.shape)}.")
    if backend is None:
        backend = "cpu" if type(V).__module__ == "numpy" else "reference"
    if backend == "reference":
        return reference.compute(V)
    if backend == "cpu" and type(V).__module__ == "numpy":
        from pifs_sim.kernels.orthonormal import cpu

        return cpu.compute(V)
    raise ValueError(f'`backend` must be "reference", or "cpu" for NumPy arrays, got {backend!r}.')
