"""Lyapunov spectra: averages of ln R_jj along orbits (Benettin et al. 1980, Meccanica 15; Shimada, Nagashima 1979).

lambda_j = lim 1/N sum ln R_jj, V <- Df(x, n) V, V = Q R, V <- Q; x <- f(x, n). The interval between two QRs follows a
running estimate of lambda_1 - lambda_k, so that the condition of V at a QR is about 1e4 and at worst 1e11, and its size
within the range of floats. A finite chain has no such limit: its exponents are the logarithms of the singular values
of the tangent map of the whole chain over its steps (`products`), and are called finite-time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import check_count, check_points
from pifs_sim.dynamics.averages import standard_error
from pifs_sim.dynamics.compiled import Backend
from pifs_sim.dynamics.dimension import Estimate, kaplan_yorke_estimate
from pifs_sim.dynamics.display import number, table
from pifs_sim.dynamics.frames import random_frame
from pifs_sim.dynamics.products import log_singular_values
from pifs_sim.dynamics.running import Run
from pifs_sim.dynamics.system import System

__all__ = ["LyapunovSpectrum", "lyapunov_spectrum"]

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None] | None

_SHOWN = 20  # exponents in a notebook


@dataclass(frozen=True)
class LyapunovSpectrum:
    """Exponents per step, natural logarithm, descending.

    Attributes:
        exponents: (k,) means over the orbits that did not fail; -inf for dead directions; nan if every orbit failed.
        per_orbit: (B, k); nan for orbits that failed.
        stderr: (k,) standard errors by batch means; nan from fewer than two batches and one orbit. For a finite chain
            the spread of the orbits (none for one) and how far the values settled.
        history: (H, k) running means after `history_steps` (H,) steps; empty for a finite chain.
        rank: number of exponents above -inf.
        steps: steps averaged.
        finite_time: whether these are exponents of a finite chain, which are not asymptotic.
        kaplan_yorke: the Kaplan-Yorke dimension with its propagated error; nan where k < d exponents do not fix it.
        reasons: (B,) why an orbit failed, or None.
        interval: steps between the last renormalisations; 0 for a finite chain.
        dim: number of directions d.
    """

    exponents: Array
    per_orbit: Array
    stderr: Array
    history: Array
    history_steps: npt.NDArray[np.int64]
    rank: int
    steps: int
    finite_time: bool
    kaplan_yorke: Estimate
    reasons: tuple[str | None, ...]
    interval: int
    dim: int

    def __repr__(self) -> str:
        d, error = (number(value, digits) for value, digits in zip(self.kaplan_yorke, (5, 2), strict=True))
        first = ", ".join(number(float(value)) for value in self.exponents[:3])
        more = ", …" if len(self.exponents) > 3 else ""
        return f"LyapunovSpectrum([{first}{more}] of d={self.dim}, steps={self.steps}, Kaplan–Yorke {d} ± {error})"

    def _repr_html_(self) -> str:
        pairs = zip(self.exponents[:_SHOWN], self.stderr[:_SHOWN], strict=True)
        rows = [(str(i), number(float(x), 6), number(float(e), 2)) for i, (x, e) in enumerate(pairs, start=1)]
        more = f", the first {_SHOWN}" if len(self.exponents) > _SHOWN else ""
        d, error = self.kaplan_yorke
        caption = (
            f"{len(self.exponents)} Lyapunov exponents per step{more}; {self.steps} steps, "
            f"{len(self.per_orbit)} orbit(s); Kaplan–Yorke dimension {number(d, 6)} ± {number(error, 2)}"
        )
        return table(caption, ("i", "exponent", "standard error"), rows)

    @property
    def dimensions(self) -> Array:
        """(B,) the Kaplan-Yorke dimension of each orbit's own exponents; nan where it failed or k < d do not fix it.

        Their mean is not `kaplan_yorke`, which is that of the mean exponents.
        """
        rows = -np.sort(-self.per_orbit, axis=1)
        return np.array([kaplan_yorke_estimate(row, self.dim, lambda _: math.nan).value for row in rows])


def lyapunov_spectrum(
    system: System,
    x0: Any,
    steps: int,
    *,
    k: int | None = None,
    transient: int = 0,
    renormalise: int | None = None,
    target_stderr: float | None = None,
    rng: np.random.Generator | None = None,
    progress: Progress = None,
    backend: Backend = None,
    checkpoint: str | Path | None = None,
) -> LyapunovSpectrum:
    """The k leading Lyapunov exponents of a system, with standard errors.

    Args:
        system: see `System`.
        x0: (B, d) starting points, one an orbit.
        steps: steps that are averaged, or the most that are; for a finite chain, how many of its first steps.
        k: number of exponents; d by default.
        transient: steps that evolve point and frame before, and are not counted; 0 for a finite chain.
        renormalise: steps between two QRs; chosen from the growth by default.
        target_stderr: stop when every standard error is at most this, checked when a batch is full.
        rng: for the first frame; a generator with seed 0 by default.
        progress: called with (steps done, steps).
        backend: of the kernels, "cpu", "cuda" or "reference" (NumPy, slow); chosen by the arrays by default.
        checkpoint: a file (.npz) that keeps the state of a long run, from which the same call goes on exactly.

    Raises:
        ValueError: x0 of another dimension or not finite, k outside 1..d, steps < 1, transient < 0, a Jacobian that
            is not finite, a finite chain with transient, target_stderr, checkpoint or too many steps, or k < d without
            `cotangent`; a checkpoint of another run.

    Source: Benettin, Galgani, Giorgilli, Strelcyn 1980, Meccanica 15, 9-20.

    >>> from pifs_sim.dynamics import Map
    >>> A = np.array([[2.0, 1.0], [1.0, 1.0]])
    >>> cat = Map(lambda x, n: x @ A % 1.0, jacobian=lambda x, n: np.broadcast_to(A, (len(x), 2, 2)), dim=2)
    >>> lyapunov_spectrum(cat, [[0.1, 0.2]], 100, transient=20).exponents.round(6).tolist()
    [0.962424, -0.962424]
    """
    if not (hasattr(system, "dim") and hasattr(system, "tangent")):
        hint = ": take its `system`" if hasattr(system, "system") else ""
        raise ValueError(f"`system` must have `dim`, `step` and `tangent`, got {type(system).__name__}{hint}.")
    x0 = check_points(x0, system.dim, "x0")
    k = system.dim if k is None else k
    check_count("k", k, 1, system.dim)
    check_count("steps", steps, 1, None)
    check_count("transient", transient, 0, None)
    if renormalise is not None:
        check_count("renormalise", renormalise, 1, None)
    if target_stderr is not None and not target_stderr > 0:
        raise ValueError(f"`target_stderr` must be positive, got {target_stderr!r}.")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise ValueError(f"`rng` must be a numpy.random.Generator or None, got {rng!r}.")
    if checkpoint is not None and not isinstance(checkpoint, str | Path):
        raise ValueError(f"`checkpoint` must be a path or None, got {checkpoint!r}.")
    if backend not in (None, "reference", "cpu", "cuda"):
        raise ValueError(f'`backend` must be "reference", "cpu", "cuda" or None, got {backend!r}.')
    xp = array_namespace(x0)
    if x0.shape[0] == 0 or not xp.all(xp.isfinite(x0)):
        raise ValueError(f"`x0` must hold at least one point, all finite, got {x0!r}.")
    rng = np.random.default_rng(0) if rng is None else rng
    if system.length is None:
        run = Run(system, backend, k, transient, renormalise, int(steps), early=target_stderr is not None)
        run.start(x0, random_frame(x0, k, rng, backend), None if checkpoint is None else Path(checkpoint))
        return _averaged(run, target_stderr, progress)
    check_count("steps", steps, 1, system.length)
    for name, value, neutral in (
        ("transient", transient, 0),
        ("renormalise", renormalise, None),
        ("target_stderr", target_stderr, None),
        ("checkpoint", checkpoint, None),
    ):
        if value != neutral:
            raise ValueError(f"`{name}` must be {neutral} for a finite chain, got {value!r}.")
    return _whole(system, x0, int(steps), k, rng, backend)


def _averaged(run: Run, target: float | None, progress: Progress) -> LyapunovSpectrum:
    while run.left:
        full = run.go_on()
        if progress:
            progress(run.total - run.left, run.total)
        if full and target is not None and len(run.means.sums) >= 16 and (run.means.standard_error() <= target).all():
            break
    run.save()
    per_orbit = run.means.per_orbit()
    exponents = _mean(per_orbit)
    stderr = run.means.standard_error()
    history_steps, history = run.means.history()
    order = np.argsort(-exponents, kind="stable")
    dimension = kaplan_yorke_estimate(exponents[order], run.system.dim, lambda g: _combine(run, order, g))
    return LyapunovSpectrum(
        exponents=exponents[order],
        per_orbit=per_orbit[:, order],
        stderr=stderr[order],
        history=history[:, order],
        history_steps=history_steps,
        rank=int((exponents > -math.inf).sum()),
        steps=run.means.steps,
        finite_time=False,
        kaplan_yorke=dimension,
        reasons=tuple(run.reasons),
        interval=run.interval,
        dim=run.system.dim,
    )


def _combine(run: Run, order: npt.NDArray[np.intp], gradient: Array) -> float:
    weights = np.zeros(len(order))
    weights[order[: len(gradient)]] = gradient
    return float(run.means.standard_error(weights))


def _mean(per_orbit: Array) -> Array:
    """Over the orbits that did not fail."""
    good = ~np.isnan(per_orbit).any(axis=1)
    return per_orbit[good].mean(axis=0) if good.any() else np.full(per_orbit.shape[1], np.nan)


def _whole(system: System, x0: Any, steps: int, k: int, rng: np.random.Generator, backend: Backend) -> LyapunovSpectrum:
    logs, change, reasons = log_singular_values(system, x0, steps, k=k, rng=rng, backend=backend)
    per_orbit = logs / steps
    exponents = _mean(per_orbit)
    good = np.array([reason is None for reason in reasons])
    unsettled = change[good].mean(axis=0) / steps if good.any() else np.full(k, np.nan)
    spread = unsettled + (standard_error(per_orbit[None]) if len(per_orbit) > 1 else 0.0)

    def error(gradient: Array) -> float:
        felt = np.flatnonzero(gradient)
        used = per_orbit[:, felt] @ gradient[felt]
        between = float(standard_error(used[None])) if len(used) > 1 else 0.0
        return between + float(np.abs(gradient[felt]) @ unsettled[felt])

    return LyapunovSpectrum(
        exponents=exponents,
        per_orbit=per_orbit,
        stderr=spread,
        history=np.empty((0, k)),
        history_steps=np.empty(0, dtype=np.int64),
        rank=int((exponents > -math.inf).sum()),
        steps=steps,
        finite_time=True,
        kaplan_yorke=kaplan_yorke_estimate(exponents, system.dim, error),
        reasons=reasons,
        interval=0,
        dim=system.dim,
    )
