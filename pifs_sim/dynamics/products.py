"""Singular values of the tangent map of a whole finite chain, A = J_T ... J_1, to high relative accuracy.

Factors J Q = Q' R are formed along the chain, so A = Q_T (R_n ... R_1). QR of a random frame alone is not enough: the
triangular product is swept back and forth, R_i^T taking the place of J, which orders and decouples it (Stewart 1997,
"On graded QR decompositions of products of matrices"; Dieci, Elia 2008), so that it is diag(e^s) U with U of modest
size; Jacobi rotations finish (`kernels.graded_singular_values`).

A few of many directions (k + 8 < d/24; short of that the whole product is quicker) are found by `cotangent`: a frame of
k + 8 vectors X is improved within span(X, P, A^T A X), P being what the last improvement added, until the k leading
values settle (Knyazev 2001, SIAM J. Sci. Comput. 23, 517-541).

A product that stretches a direction and later contracts it again is ill-conditioned: its small singular values change
by eps times |J_T ... J_{n+1}| |J_n ... J_1| when a factor is rounded, which no algorithm in floats can undo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from pifs_sim.dynamics.compiled import Backend
from pifs_sim.dynamics.frames import random_frame
from pifs_sim.dynamics.system import System
from pifs_sim.kernels import graded_singular_values, orthonormal

__all__ = ["log_singular_values", "triangular_log_singular_values"]

Array = npt.NDArray[np.float64]
Push = Callable[[int, Any], Any]

_CONDITION, _SIZE, _LONGEST = 9.2, 300.0, 64  # ln of a frame's largest condition and size, and steps, between two QRs
_SPARE = 8
_FEW = 24  # d/(k + spare) above which an iteration is quicker than the whole product
_SETTLED = 450.0  # roundings of the points' floats, 1e-13 in float64
_ITERATIONS = 300


def _plain(values: Any) -> Array:
    return np.asarray(values.get() if hasattr(values, "get") else values, dtype=np.float64)


def _factors(push: Push, order: Sequence[int], V: Any, backend: Backend) -> tuple[Any, list[Array]]:
    """The last frame Q and the factors R of pushing V through the steps in `order`.

    A stretch of steps between two QRs whose factor turns out ill-conditioned is done again, shorter. A probe vector
    tells the size of the tangent map, against which a column is nothing but rounding.
    """
    xp = array_namespace(V)
    d = V.shape[1]
    rounding = 8 * d * float(xp.finfo(V.dtype).eps)
    probe = xp.asarray(np.random.default_rng(0).standard_normal((1, d, 1)), dtype=V.dtype)
    probe = xp.broadcast_to(probe / xp.linalg.vector_norm(probe), (V.shape[0], d, 1))
    factors: list[Array] = []
    begin, interval, longest = 0, 1, _LONGEST
    while begin < len(order):
        end = min(begin + interval, len(order))
        W = xp.concat([V, probe], axis=2)
        for n in order[begin:end]:
            W = push(n, W)
        reach, W = xp.linalg.vector_norm(W[:, :, -1:], axis=1, keepdims=True), W[:, :, :-1]
        lengths = xp.linalg.vector_norm(W, axis=1, keepdims=True)
        W = xp.where(lengths <= rounding * reach, 0.0, W)  # what is left of an annihilated direction is rounding
        Q, R = orthonormal.compute(W, backend=backend)
        lengths = np.diagonal(_plain(R), axis1=1, axis2=2)
        live = (np.diagonal(factors[-1], axis1=1, axis2=2) > 0) if factors else np.full(lengths.shape, fill_value=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(live, np.log(lengths), 0.0)
            spread = float(np.where(live, logs, -np.inf).max() - np.where(live, logs, np.inf).min())
        size = float(np.abs(logs).max())
        if end - begin == 1 and np.isnan(lengths).any():
            orbit = int(np.isnan(lengths).any(axis=1).argmax())
            raise ValueError(f"the tangent map is not finite at step n={order[begin]}, orbit {orbit}.")
        if end - begin > 1 and not (spread <= _CONDITION and size <= _SIZE):  # nan and dead directions too
            interval = max(1, (end - begin) // 2) if np.isfinite(spread) else 1
            longest = interval if np.isfinite(spread) else longest
            continue
        V, begin = Q, end
        factors.append(_plain(R))
        rate = max(spread / _CONDITION, size / _SIZE) if np.isfinite(spread) else 1.0
        interval = int(np.clip(0.7 * interval / rate if rate > 0 else longest, 1, longest))
    return V, factors


def triangular_log_singular_values(factors: Sequence[Array], *, backend: Backend = None) -> Array:
    """ln of the singular values of R_n ... R_1, (B, p), descending; -inf where the product has no rank.

    Args:
        factors: R_1, ..., R_n, each (B, p, p) upper triangular with a non-negative diagonal.
        backend: of the kernels.
    """
    for _ in range(2 if len(factors) > 1 else 1):
        factors = _sweep(factors, backend)[1]
    return np.asarray(graded_singular_values.compute(*_graded(factors), backend=backend))


def _sweep(factors: Sequence[Array], backend: Backend) -> tuple[Array, list[Array]]:
    """The last frame Q (B, p, p) and the triangular factors of the transposed product."""
    batch, p, _ = factors[0].shape
    Q, swept = np.broadcast_to(np.eye(p), (batch, p, p)), []
    for R in reversed(factors):
        Q, S = orthonormal.compute(R.transpose(0, 2, 1) @ Q, backend=backend)
        swept.append(S)
    return Q, swept


def _graded(factors: Sequence[Array]) -> tuple[Array, Array]:
    """(s, U) with R_n ... R_1 = diag(e^s) U, U upper triangular with unit diagonal (rows without rank: 0)."""
    batch, p, _ = factors[0].shape
    s, U = np.zeros((batch, p)), np.broadcast_to(np.eye(p), (batch, p, p)).copy()
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for R in factors:
            lengths = np.diagonal(R, axis1=1, axis2=2)
            live = (lengths > 0) & (s > -np.inf)
            ratio = np.where(live[:, :, None], R / np.where(live, lengths, 1.0)[:, :, None], 0.0)
            gap = np.where(live[:, None, :], s[:, None, :] - np.where(live, s, 0.0)[:, :, None], -np.inf)
            weights = np.triu(ratio * np.exp(np.minimum(gap, 700.0)))
            U = np.where(live[:, :, None], weights @ U, 0.0)
            s = np.where(live, s + np.log(np.where(live, lengths, 1.0)), -np.inf)
    return s, np.where(np.isfinite(U), U, np.inf)


def _orbits(system: System, x0: Any, steps: int) -> tuple[list[Any], tuple[str | None, ...]]:
    """The points at which steps begin, with a sound orbit in the place of those that left the finite points."""
    xp = array_namespace(x0)
    points = [x0]
    reasons: list[str | None] = [None] * x0.shape[0]
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(steps):
            points.append(system.step(points[-1], n))
            for orbit in np.flatnonzero(_plain(~xp.all(xp.isfinite(points[-1]), axis=1))):
                if reasons[orbit] is None:
                    reasons[orbit] = f"orbit {orbit} left the finite points at step n={n}, from x={points[n][orbit, :]}"
    if None in reasons:
        source = xp.asarray([b if reason is None else reasons.index(None) for b, reason in enumerate(reasons)])
        points = [xp.take(x, source, axis=0) for x in points]
    return points[:-1], tuple(reasons)


def log_singular_values(
    system: System, x0: Any, steps: int, *, k: int, rng: np.random.Generator, backend: Backend = None
) -> tuple[Array, Array, tuple[str | None, ...]]:
    """ln of the k leading singular values of the first `steps` steps' tangent map, and how far they settled.

    Args:
        system: for k < d it needs `cotangent`.
        x0: (B, d).
        steps: T.
        k: how many.
        rng: for the first frame.
        backend: of the kernels.

    Returns:
        (B, k) descending, nan for orbits that left the finite points; the change (B, k) in the last iteration (0 for
        k = d); and for each orbit why it failed, or None.

    Raises:
        ValueError: k < d for a system without `cotangent`.
    """
    points, reasons = _orbits(system, x0, steps)
    failed = np.array([reason is not None for reason in reasons])
    if failed.all():
        nothing = np.full((len(reasons), k), np.nan)
        return nothing, nothing, reasons

    def push(n: int, V: Any) -> Any:
        return system.tangent(points[n], n, V)[1]

    def pull(n: int, U: Any) -> Any:
        return system.cotangent(points[n], n, U)  # type: ignore[attr-defined]

    d = system.dim
    if k < d and not callable(getattr(system, "cotangent", None)):
        raise ValueError(
            f"`k`={k} of d={d} exponents of a finite chain need the system's `cotangent(x, n, U)`: ask for k={d}."
        )
    few = d > _FEW * (k + _SPARE)
    V = random_frame(x0, k + _SPARE if few else d, rng, backend)
    if few:
        found, change = _leading(push, pull, steps, V, k, backend)
    else:
        factors = _factors(push, range(steps), V, backend)[1]
        found = triangular_log_singular_values(factors, backend=backend)[:, :k]
        change = np.zeros_like(found)
    return np.where(failed[:, None], np.nan, found), change, reasons


def _leading(push: Push, pull: Push, steps: int, X: Any, k: int, backend: Backend) -> tuple[Array, Array]:
    """ln of the k leading singular values, (B, k), from a frame X (B, d, b), and their change in the last iteration."""
    xp = array_namespace(X)
    V, b, found = X, X.shape[2], np.full((X.shape[0], k), np.inf)
    settled = _SETTLED * float(xp.finfo(X.dtype).eps) * (1 + steps)
    for _ in range(_ITERATIONS):
        Q, factors = _factors(push, range(steps), V, backend)
        previous, found = found, triangular_log_singular_values(factors, backend=backend)[:, :k]
        with np.errstate(invalid="ignore"):
            change = np.where(found == previous, 0.0, np.abs(found - previous))
        if float(change.max()) <= settled:
            break
        right, left = (xp.asarray(basis[:, :, :b], dtype=X.dtype) for basis in _ordered(factors, backend))
        added = xp.where(xp.arange(V.shape[2])[:, None] < b, 0.0, right)
        parts = [V @ right, V @ added, _factors(pull, range(steps - 1, -1, -1), Q @ left, backend)[0]]
        V, _ = orthonormal.compute(xp.concat(parts if V.shape[2] > b else parts[::2], axis=2), backend=backend)
        V, _ = orthonormal.compute(V, backend=backend)  # what a small remainder lost of its right angles
    return found, change


def _ordered(factors: Sequence[Array], backend: Backend) -> tuple[Array, Array]:
    """Right and left singular vectors of R_n ... R_1, roughly, in order of size: bases (B, p, p)."""
    first, swept = _sweep(factors, backend)
    second, swept = _sweep(swept, backend)
    turned, _ = _sweep(swept, backend)
    return first @ turned, second
