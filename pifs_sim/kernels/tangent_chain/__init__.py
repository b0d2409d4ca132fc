"""Chains of DDIM steps of a normal mixture, and tangent vectors carried along.

With the notation of `mixture_chain`, m_k = alpha_k x + gamma_k mu_k and, e_k = x - c_t mu_k,

    J Phi_t V = (sum_k r_k alpha_k) V + sum_k u_k m_k,     u_k = r_k (l_k - sum_j r_j l_j),   l_k = -<e_k, V>/N_k,

a scalar and a matrix of rank K - 1: two products with the centres for every tangent vector, none with a Jacobian. As
sum_k u_k = 0, any origin will do for the m_k: one near them. Where variances differ along the axes, alpha_k, gamma_k
and N_k are diagonal matrices, and it takes four products.

After every `interval` steps, and at the end, V = Q R is replaced by Q (as in `orthonormal`: dead columns are zero, and
ln R_jj = -inf), by Gram-Schmidt, or from 33 vectors on by Cholesky factors wherever these can be trusted; `logs` are
the sums of ln R_jj, and the factors R are kept on demand: D Phi V_0 = Q R_n .. R_1. With `interval` 0, V is left as it
is. After every step x and V are rounded to their dtype, so that a chain is its steps.

Shapes: x (B, d), V (B, d, p) of one dtype, p <= d; logs (B, p), factors (n, B, p, p). The law and the steps are as in
`mixture_chain`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from array_api_compat import array_namespace

from pifs_sim.kernels import device
from pifs_sim.kernels.backends import Backend, chosen, module_of
from pifs_sim.kernels.mixture_chain import Law, Steps, check

__all__ = ["Tangents", "compute"]


class Tangents(NamedTuple):
    """Where points and frames are led, the logarithms of what the frames grew by, and the factors R, if kept."""

    x: Any
    V: Any
    logs: Any
    factors: Any


def compute(
    law: Law,
    steps: Steps,
    x: Any,
    V: Any,
    *,
    interval: int = 1,
    factors: bool = False,
    threads: int | None = None,
    max_memory: float | None = None,
    backend: Backend | None = None,
) -> Tangents:
    """The points at phi_0 from the points x at phi_T, with their frames V.

    Args:
        law: the mixture.
        steps: the angles.
        x: (B, d).
        V: (B, d, p).
        interval: steps between two factorisations; 0 for none.
        factors: whether to return all R, the first one's first.
        threads: of the CPU; None takes Numba's number.
        max_memory: bytes beside the arguments and the result that may be in use, on the GPU if that computes; samples
            then go in pieces, to the same bits. None: all at once.
        backend: None takes the one of the arrays' library.

    Raises:
        ValueError: arrays of other shapes or dtypes, values out of range, a backend that is unknown or cannot take the
            arrays, `max_memory` too little for one sample, or a GPU's memory too little for what is asked for.
    """
    backend = chosen(backend, x=x, V=V, **law._asdict())
    check(law, steps, x, threads)
    if V.ndim != 3 or V.shape[:2] != x.shape or V.shape[2] > x.shape[1]:
        expected = f"({x.shape[0]}, {x.shape[1]}, p) with p <= {x.shape[1]}"
        raise ValueError(f"`V` must have shape {expected} like `x`, got {tuple(V.shape)}.")
    if V.dtype != x.dtype:
        raise ValueError(f"`x` and `V` must be of one dtype, got {x.dtype} and {V.dtype}.")
    if interval < 0:
        raise ValueError(f"`interval` must be at least 0, got {interval!r}.")
    room = module_of(__name__, backend)
    parts = room.need(law, steps, x, V, interval=interval, factors=factors).pieces(len(x), max_memory)
    if len(parts) == 1:
        return cast(Tangents, room.compute(law, steps, x, V, interval=interval, factors=factors, threads=threads))
    (batch, d, p), xp = V.shape, array_namespace(x)
    times = -(-len(steps.turn) // interval) if interval and factors else 0
    if backend == "cuda":
        size = x.dtype.itemsize * batch * (d + d * p + p + times * p * p)
        device.current().require(size + max_memory, "tangent_chain")
    shapes = (batch, d), (batch, d, p), (batch, p), (times, batch, p, p)
    points, vectors, logs, R = (xp.empty(shape, dtype=x.dtype) for shape in shapes)
    for part in parts:
        found = room.compute(law, steps, x[part], V[part], interval=interval, factors=factors, threads=threads)
        points[part], vectors[part], logs[part] = found[:3]
        if factors:
            R[:, part] = found.factors
    return Tangents(points, vectors, logs, R if factors else None)
