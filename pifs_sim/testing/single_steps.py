"""The rules that a system keeps in every single step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics import System
from pifs_sim.dynamics.frames import advance, random_frame
from pifs_sim.testing.subject import EPS, ROUNDING, SINGULAR, ConformanceError, Subject, compare

__all__ = ["check_batch", "check_cotangent", "check_growth", "check_kind", "check_tangent"]

Array = npt.NDArray[np.float64]


def _calls(system: System, x: Any, V: Any) -> dict[str, tuple[tuple[Any, ...], Callable[[], tuple[Any, ...]]]]:
    """The shapes of the results of each function of a system, and its call at n = 0."""

    def step() -> tuple[Any, ...]:
        return (system.step(x, 0),)

    def tangent() -> tuple[Any, ...]:
        return system.tangent(x, 0, V)

    def cotangent() -> tuple[Any, ...]:
        return (system.cotangent(x, 0, V),)  # type: ignore[attr-defined]

    found = {"step": ((x.shape,), step), "tangent": ((x.shape, V.shape), tangent), "cotangent": ((V.shape,), cotangent)}
    return {name: call for name, call in found.items() if callable(getattr(system, name, None))}


def check_kind(system: System, x: Array, V: Array, *, single: bool) -> None:
    """Shapes and precision are kept, arguments left alone, and the same ones give the same; ConformanceError if not."""
    for dtype in (np.float64, np.float32) if single else (np.float64,):
        points, frame = x.astype(dtype), V.astype(dtype)
        for name, (shapes, call) in _calls(system, points, frame).items():
            results = call()
            if not (np.array_equal(points, x.astype(dtype)) and np.array_equal(frame, V.astype(dtype))):
                raise ConformanceError(f"`{name}` must not write to its arguments, but it does.")
            found = tuple(tuple(result.shape) for result in results)
            if found != shapes:
                raise ConformanceError(f"`{name}` must return shapes {shapes}, got {found}.")
            kinds = [str(result.dtype) for result in results]
            if set(kinds) != {np.dtype(dtype).name}:
                raise ConformanceError(f"`{name}` must return {np.dtype(dtype)} for such points, got {kinds}.")
            if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(results, call(), strict=True)):
                raise ConformanceError(f"`{name}` must give the same result when called again, but it does not.")


def check_tangent(subject: Subject, n: int, V: Array) -> None:
    """`tangent` gives f and its derivative, linear in V, as differences of f do.

    Central differences over h and 2h err by a h^2 and 4 a h^2: they differ by more than their extrapolation to h = 0
    errs, so |D(2h) - D(h)| is allowed, and the rounding of f over h.
    """
    system, x, J = subject.system, subject.points[n], subject.jacobians[n]
    where, size, norm = f"at step n={n}", subject.sizes[n], subject.norms[n]
    moved, pushed = system.tangent(x, n, V)
    rule = "`step` must equal the first result of `tangent`"
    compare(rule, where, subject.points[n + 1], moved, ROUNDING * EPS * size)
    compare("`tangent` must be linear in V, column by column", where, pushed, J @ V, subject.unit * norm)
    reach = np.abs(x).max(axis=1)
    h = EPS ** (1 / 3) * np.where(reach > 0, reach, 1.0)
    for j in range(V.shape[2]):
        v = V[:, :, j]
        widths = h[:, None], 2 * h[:, None]
        near, far = ((system.step(x + w * v, n) - system.step(x - w * v, n)) / (2 * w) for w in widths)
        allowed = np.abs(far - near) + (1e2 * EPS * (size / h + norm) + subject.unit * norm)[:, None]
        rule = "`tangent` must be the derivative of `step`, here by central differences"
        compare(rule, where, pushed[:, :, j], (4 * near - far) / 3, allowed)


def check_cotangent(subject: Subject, n: int, V: Array, U: Array) -> None:
    """<Df^T U, V> = <U, Df V>, if the system has `cotangent`."""
    x = subject.points[n]
    pull_back = getattr(subject.system, "cotangent", None)
    if callable(pull_back):
        pulled = pull_back(x, n, U).transpose(0, 2, 1) @ V
        pushed = U.transpose(0, 2, 1) @ subject.system.tangent(x, n, V)[1]
        rule = "`cotangent` must satisfy <Df^T U, V> = <U, Df V>"
        compare(rule, f"at step n={n}", pulled, pushed, subject.unit * subject.system.dim * subject.norms[n])


def check_growth(subject: Subject, n: int) -> None:
    """The engine's growth in one step, by a kernel if the system has one, is that of `tangent` (ln R_jj)."""
    d, x = subject.system.dim, subject.points[n]
    frame = random_frame(x, d, np.random.default_rng(subject.seed))
    growth = advance(subject.system, x, frame, first=n, steps=1, interval=1).growth
    condition = subject.conditions[n]
    allowed = np.where(condition < SINGULAR, subject.unit * condition, np.inf)
    with np.errstate(divide="ignore"):
        lengths = np.log(np.abs(np.diagonal(np.linalg.qr(subject.jacobians[n] @ frame)[1], axis1=1, axis2=2)))
    compare("a step's growth must be that of `tangent`", f"at step n={n}", growth, lengths, allowed)


def check_batch(subject: Subject, n: int, V: Array) -> None:
    """An orbit does alone what it does in a batch, to rounding."""
    system, x = subject.system, subject.points[n]
    together = system.tangent(x, n, V)
    alone = [system.tangent(x[b : b + 1], n, V[b : b + 1]) for b in range(len(x))]
    scales = ROUNDING * EPS * subject.sizes[n], subject.unit * subject.norms[n]
    for part, batch, allowed in zip(("f(x, n)", "Df V"), together, scales, strict=True):
        ones = np.concatenate([one[part == "Df V"] for one in alone])
        rule = f"an orbit must do in a batch what it does alone, here {part}"
        compare(rule, f"at step n={n}", batch, ones, allowed)
