"""The deterministic DDIM chain Phi = Phi_1 o ... o Phi_T (Phi_T first) as a dynamical system.

In velocity form, v_hat = cos(phi_t) eps_hat - sin(phi_t) x_hat, a step is the rotation
Phi_t(x) = cos(Delta_t) x - sin(Delta_t) v_hat(x, t), valid at phi_t = pi/2 too, and its Jacobian is
(sin phi_s/sin phi_t) I + (sin Delta_t/sin phi_t) J x_hat. DDIM: Song, Meng, Ermon 2020, arXiv:2010.02502.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.diffusion.denoisers import Denoiser
from pifs_sim.diffusion.fused import fused
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.dynamics.arrays import check_generator, check_points
from pifs_sim.dynamics.display import shown
from pifs_sim.dynamics.operators import Operator

__all__ = ["Chain"]

Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, eq=False)
class Chain:
    """T DDIM steps with a denoiser: a finite non-autonomous `System`, whose step n = 0 is t = T.

    Args:
        schedule: the angles.
        denoiser: anything with `dim` and `posterior(x, angle)`.

    Raises:
        ValueError: arguments that are neither; in its methods, x of another shape or not finite, n outside 0..T-1, or
            rows `at` outside 0..T.

    Arrays x have shape (B, d), NumPy or any array-API kind that the denoiser takes.

    >>> from pifs_sim.diffusion import exact_denoiser, measures, schedules
    >>> denoiser = exact_denoiser(measures.Gaussian([0.0, 0.0], [[4.0, 0.0], [0.0, 0.25]]))
    >>> chain = Chain(schedules.uniform_angle(3), denoiser)
    >>> chain.length, chain.step(np.array([[1.0, 1.0]]), 0).round(4).tolist()
    (3, [[0.866, 0.866]])
    """

    schedule: Schedule
    denoiser: Denoiser

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, Schedule):
            raise ValueError(f"`schedule` must be a Schedule, got {type(self.schedule).__name__}.")
        if not callable(getattr(self.denoiser, "posterior", None)):
            raise ValueError(
                f"`denoiser` must have a method `posterior`, got {type(self.denoiser).__name__}: "
                "use exact_denoiser(measure)."
            )

    def __repr__(self) -> str:
        return f"Chain({self.schedule.name}, T={self.length}, {shown(self.denoiser)})"

    @property
    def dim(self) -> int:
        """Dimension d of the state."""
        return self.denoiser.dim

    @property
    def length(self) -> int:
        """Number of steps T."""
        return self.schedule.steps

    def _time(self, n: int) -> int:
        if not (isinstance(n, Integral) and 0 <= n < self.length):
            raise ValueError(f"`n` must be an integer in 0..{self.length - 1}, got {n!r}.")
        return self.length - int(n)

    def _moved(self, x: Any, t: int, posterior: Any) -> Any:
        cos, sin, delta = self.schedule.cos, self.schedule.sin, float(self.schedule.increments[t - 1])
        velocity = float(cos[t]) * posterior.noise - float(sin[t]) * posterior.mean
        # a long step's cosine is the sum of two positive terms, accurate where it nears 0
        turn = math.cos(delta) if delta < 1 else float(cos[t] * cos[t - 1] + sin[t] * sin[t - 1])
        return turn * x - math.sin(delta) * velocity

    def _jacobian(self, t: int, posterior: Any) -> Any:
        """The operator (sin phi_s/sin phi_t) I + (sin Delta/sin phi_t) J x_hat."""
        sin, delta = self.schedule.sin, float(self.schedule.increments[t - 1])
        return posterior.mean_jacobian.affine(math.sin(delta) / float(sin[t]), float(sin[t - 1] / sin[t]))

    def step(self, x: Any, n: int) -> Any:
        """Phi_t(x) with t = T - n, (B, d) -> (B, d)."""
        t, x = self._time(n), check_points(x, self.dim)
        return self._moved(x, t, self.denoiser.posterior(x, float(self.schedule.angles[t])))

    def jacobian(self, x: Any, n: int) -> Operator:
        """J Phi_t(x) with t = T - n, a batch of operators: symmetric where the denoiser is exact."""
        t, x = self._time(n), check_points(x, self.dim)
        operator: Operator = self._jacobian(t, self.denoiser.posterior(x, float(self.schedule.angles[t])))
        return operator

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:
        """(Phi_t(x), J Phi_t(x) V) with t = T - n, for V of shape (B, d, p)."""
        t, x = self._time(n), check_points(x, self.dim)
        posterior = self.denoiser.posterior(x, float(self.schedule.angles[t]))
        return self._moved(x, t, posterior), self._jacobian(t, posterior) @ V

    def cotangent(self, x: Any, n: int, U: Any) -> Any:
        """J Phi_t(x)^T U with t = T - n, for U of shape (B, d, p)."""
        return self.jacobian(x, n).T @ U

    def run(self, x: Any, *, progress: Progress = None) -> Any:
        """The whole chain: x at phi_T, (B, d), to the output at phi_0, (B, d)."""
        x = check_points(x, self.dim)
        found = None if progress else fused(self.schedule, self.denoiser, x)
        if found is not None:
            return found
        for n in range(self.length):
            t = self.length - n
            found = fused(self.schedule, self.denoiser, x, span=(t - 1, t))
            x = self.step(x, n) if found is None else found
            if progress:
                progress(n + 1, self.length)
        return x

    def sample(
        self,
        n: int,
        rng: np.random.Generator,
        *,
        start: Literal["normal", "marginal"] = "normal",
        progress: Progress = None,
    ) -> Any:
        """n outputs of the chain, (n, d), from x_T ~ N(0, I) or from the exact marginal p_T.

        Raises:
            ValueError: a denoiser without a `measure`, n < 1, or another `start`.
        """
        measure = getattr(self.denoiser, "measure", None)
        if measure is None:
            raise ValueError("`sample` needs a denoiser with a `measure`; draw x_T yourself and call `run`.")
        if not (isinstance(n, Integral) and n >= 1):
            raise ValueError(f"`n` must be an integer of at least 1, got {n!r}.")
        if start not in ("normal", "marginal"):
            raise ValueError(f'`start` must be "normal" or "marginal", got {start!r}.')
        check_generator(rng)
        xp = array_namespace(measure.mean)
        x = xp.asarray(rng.standard_normal((n, self.dim)), dtype=measure.mean.dtype)
        if start == "marginal":
            x = float(self.schedule.cos[-1]) * measure.sample(n, rng) + float(self.schedule.sin[-1]) * x
        return self.run(x, progress=progress)

    def trajectory(self, x: Any, *, at: Sequence[int] | None = None) -> Any:
        """The points of the chain from x at phi_T: (T+1, B, d), row t at angle phi_t; row 0 is the output.

        `at` keeps only the rows listed, in that order: (len(at), B, d).
        """
        rows = range(self.length + 1) if at is None else at
        if not isinstance(rows, Iterable) or not all(isinstance(t, Integral) and 0 <= t <= self.length for t in rows):
            raise ValueError(f"`at` must list integers in 0..{self.length}, got {at!r}.")
        if not len(rows):
            raise ValueError("`at` must list at least one row, got none.")
        x = check_points(x, self.dim)
        found = fused(self.schedule, self.denoiser, x, at=list(rows))
        if found is not None:
            return found
        wanted, kept = set(rows), {}
        for t in range(self.length, -1, -1):
            if t in wanted:
                kept[t] = x
            if t > 0:
                x = self.step(x, self.length - t)
        return array_namespace(x).stack([kept[t] for t in rows])

    def invert(self, x: Any, *, progress: Progress = None) -> Any:
        """The x_T that the chain takes to x, (B, d) -> (B, d), by Newton's method on each step.

        A step is the gradient of a convex function, so where it is injective its Jacobian is positive
        definite; on Gaussian data it is affine and Newton's method exact. The error is that of rounding times
        the condition number of the chain.

        Raises:
            ValueError: a step that is not injective (its Jacobian is singular), or no convergence.
        """
        x = check_points(x, self.dim)
        for t in range(1, self.length + 1):
            x = self._inverse_step(x, t) if x.shape[0] else x
            if progress:
                progress(t, self.length)
        return x

    def _inverse_step(self, y: Any, t: int) -> Any:
        xp = array_namespace(y)
        x, best, found = y, math.inf, y
        for _ in range(100):
            posterior = self.denoiser.posterior(x, float(self.schedule.angles[t]))
            residual = y - self._moved(x, t, posterior)
            size = float(xp.max(xp.abs(residual)))
            if not size < best:
                break
            best, found = size, x
            try:
                x = x + self._jacobian(t, posterior).solve(residual[:, :, None])[:, :, 0]
            except ValueError:
                raise ValueError(
                    f"the chain cannot be inverted: step t={t} is not injective (its Jacobian is singular)."
                ) from None
        scale = float(xp.max(xp.abs(found))) + float(xp.max(xp.abs(y)))
        if not best <= 1e4 * self.dim * float(xp.finfo(y.dtype).eps) * scale:
            raise ValueError(
                f"the chain cannot be inverted: Newton's method stalled at step t={t}, residual {best:.3g}."
            )
        return found
