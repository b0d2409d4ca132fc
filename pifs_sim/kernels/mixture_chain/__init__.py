"""Chains of DDIM steps with the exact denoiser of a normal mixture, all steps in one go.

The law is sum_k w_k N(mu_k, diag v_k). From the angle phi_t to phi_s, s = t - 1, with c = cos, s = sin, Delta_t the
turn, and N_k = v_k c_t^2 + s_t^2 (along each axis, if the components have different ones), component k moves x to
alpha_k x + gamma_k mu_k,

    alpha_k = (v_k c_t c_s + s_t s_s)/N_k,     gamma_k = s_t sin(Delta_t)/N_k,     c_t alpha_k + gamma_k = c_s,

and Phi_t(x) = sum_k r_k (alpha_k x + gamma_k mu_k), r the posterior probabilities: proportional to
w_k det(N_k)^{-1/2} exp(-<e, e/N_k>/2), e = x - c_t mu_k. It is the velocity form, cos(Delta) x - sin(Delta) v_hat, put
together: no factor is negative and nothing is divided by c, so it holds at phi_t = pi/2, at phi_s = 0 and for variances
0. After every step x is rounded to its dtype: a chain is its steps, one after the other, in every bit, whatever samples
and threads there are.

Shapes: weights (K,), means (K, d), variances (K or 1, d or 1), float64; cos and sin (T + 1,) and turn (T,), float64 of
NumPy; x (B, d) float32 or float64. Time is linear in B T (K d + K); memory beyond the result does not grow with T.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from pifs_sim.kernels import device
from pifs_sim.kernels.backends import Backend, chosen, module_of

__all__ = ["Law", "Steps", "check", "compute"]

_LIMITS = {4: 1e15, 8: 1e140}  # of points and means, by the size of a number of x: squares and their sums are finite
_ROWS = 1 << 12  # of x that are looked at together, to need little memory


class Law(NamedTuple):
    """The mixture."""

    weights: Any
    means: Any
    variances: Any


class Steps(NamedTuple):
    """Cosines and sines of phi_0 < .. < phi_T, and sin(phi_t - phi_{t-1}): NumPy arrays for every backend."""

    cos: npt.NDArray[np.float64]
    sin: npt.NDArray[np.float64]
    turn: npt.NDArray[np.float64]


def compute(
    law: Law,
    steps: Steps,
    x: Any,
    *,
    at: Sequence[int] | None = None,
    threads: int | None = None,
    max_memory: float | None = None,
    backend: Backend | None = None,
) -> Any:
    """The points at phi_0, (B, d), from the points x at phi_T.

    Args:
        law: the mixture.
        steps: the angles.
        x: (B, d).
        at: t in 0..T of the points to return, (len(at), B, d), in that order; T gives x itself.
        threads: of the CPU; None takes Numba's number.
        max_memory: bytes beside the arguments and the result that may be in use, on the GPU if that computes; samples
            then go in pieces, to the same bits. None: all at once.
        backend: None takes the one of the arrays' library.

    Raises:
        ValueError: arrays of other shapes or dtypes, values out of range, a backend that is unknown or cannot take the
            arrays, `max_memory` too little for one sample, or a GPU's memory too little for what is asked for.
    """
    backend = chosen(backend, x=x, **law._asdict())
    check(law, steps, x, threads)
    T = len(steps.turn)
    rows = (0,) if at is None else tuple(at)
    if not rows or not all(isinstance(t, (int, np.integer)) and 0 <= t <= T for t in rows):
        raise ValueError(f"`at` must list integers in 0..{T}, got {at!r}.")
    once = tuple(sorted({int(t) for t in rows}))
    room = module_of(__name__, backend)
    need = room.need(law, steps, x, rows=once)
    parts = need.pieces(len(x), max_memory)
    if len(parts) == 1:
        found = room.compute(law, steps, x, rows=once, threads=threads)
    else:
        xp = array_namespace(x)
        if backend == "cuda":
            device.current().require(x.dtype.itemsize * len(once) * x.size + max_memory, "mixture_chain")
        found = xp.empty((len(once), *x.shape), dtype=x.dtype)
        for part in parts:
            found[:, part] = room.compute(law, steps, x[part], rows=once, threads=threads)
    if at is None:
        return found[0]
    return found if rows == once else found[[once.index(int(t)) for t in rows]]


def check(law: Law, steps: Steps, x: Any, threads: int | None) -> None:
    """ValueError unless all of them are as the door says; for the doors of chains."""
    _check_points(x)
    _check_law(law, _LIMITS[x.dtype.itemsize])
    if x.shape[1] != law.means.shape[1]:
        raise ValueError(f"`x` must have shape (batch, {law.means.shape[1]}) like `means`, got {tuple(x.shape)}.")
    _check_steps(steps)
    if threads is not None and threads < 1:
        raise ValueError(f"`threads` must be at least 1, got {threads!r}.")


def _check_law(law: Law, limit: float) -> None:
    w, mu, v = law
    if mu.ndim != 2 or 0 in mu.shape or w.shape != mu.shape[:1]:
        raise ValueError(f"`weights` and `means` must have shapes (K,) and (K, d), got {w.shape} and {mu.shape}.")
    if v.ndim != 2 or v.shape[0] not in (1, len(mu)) or v.shape[1] not in (1, mu.shape[1]):
        raise ValueError(f"`variances` must have shape (K or 1, d or 1) for means {mu.shape}, got {v.shape}.")
    for name, values in law._asdict().items():
        if values.dtype != np.float64:
            raise ValueError(f"`{name}` must be of float64, got {values.dtype}.")
        most = limit**2 if name == "variances" else limit
        _check_range(name, abs(values) <= most, most)
    if (v < 0).any() or (w < 0).any() or not (w > 0).any():
        raise ValueError("`weights` and `variances` must not be negative, nor all weights 0.")


def _check_steps(steps: Steps) -> None:
    for name, values in steps._asdict().items():
        if not (isinstance(values, np.ndarray) and values.dtype == np.float64 and values.ndim == 1):
            raise ValueError(f"`{name}` must be a one-dimensional NumPy array of float64, got {values!r:.80}.")
    cos, sin, turn = steps
    if not len(cos) == len(sin) == len(turn) + 1 > 1:
        raise ValueError(f"`cos`, `sin` and `turn` must have T + 1, T + 1 and T entries, got {list(map(len, steps))}.")
    if not ((cos >= 0).all() and (np.diff(sin) >= 0).all() and (turn > 0).all() and sin[0] >= 0 and sin[1] > 0):
        raise ValueError("`steps` must be of angles that increase within [0, pi/2].")


def _check_points(x: Any) -> None:
    if x.dtype not in (np.float32, np.float64):
        raise ValueError(f"`x` must be of float32 or float64, got {x.dtype}.")
    if x.ndim != 2:
        raise ValueError(f"`x` must have shape (batch, d), got {tuple(x.shape)}.")
    limit = _LIMITS[x.dtype.itemsize]
    for first in range(0, len(x), _ROWS):
        _check_range("x", ~(abs(x[first : first + _ROWS]) > limit), limit)  # what is not a number stays that


def _check_range(name: str, inside: Any, limit: float) -> None:
    if not inside.all():
        raise ValueError(f"`{name}` must lie within {limit:g} of 0.")
