"""How a chain on a small mixture stretches its patches' leading directions: along p_t, and along its own points.

Against it, the Gaussian with the same mean and covariance: whole, and patch by patch, where v_k expands by f_t(lam_k).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pifs_sim.diffusion import Chain, Schedule, geometry
from pifs_sim.dynamics import kaplan_yorke_dimension, lyapunov_spectrum
from theory.marginals import Array, Law

__all__ = ["Chains", "Step"]


@dataclass(frozen=True)
class Step:
    """One step at points x, (n, d)."""

    weights: Array  # (n,), of the points
    jacobians: Array  # (n, d, d) J Phi_t(x)
    deviation: Array  # (n, d) x_hat - L, L the Gaussian's
    gaussian: Array  # (d, d) J Phi_t of the Gaussian
    directions: Array  # (M, d) v_k
    expansion: Array  # (M,) f_t(lam_k)
    expansion_of_all: Array  # (d,) f_t of the eigenvalues of the covariance, increasing

    def mean(self, values: Array) -> Array:
        """Mean over the points, of values (n, ...)."""
        return np.asarray(np.tensordot(self.weights, values, axes=1) / self.weights.sum())

    def along(self, jacobians: Array) -> Array:
        """<v_k, J v_k>, (n, M) or (M,), for jacobians J (n, d, d) or (d, d)."""
        return np.asarray(np.einsum("mi,...ij,mj->...m", self.directions, jacobians, self.directions))


@dataclass(frozen=True)
class Chains:
    """The chain of a law and that of its Gaussian, with patches of `size` coordinates."""

    law: Law
    schedule: Schedule
    size: int = 1
    per_axis: int = 32  # nodes of the averages
    gauss: int | None = None  # order of the rule about each component instead

    @cached_property
    def multiplicities(self) -> Array:
        """(M,) coordinates of each patch."""
        return np.full(self.law.dim // self.size, self.size)

    @cached_property
    def leading(self) -> tuple[Array, Array]:
        """lam_k (M,) and v_k (M, d) of the diagonal blocks of the covariance."""
        starts = range(0, self.law.dim, self.size)
        directions, values = np.zeros((len(starts), self.law.dim)), np.empty(len(starts))
        for k, start in enumerate(starts):
            block = slice(start, start + self.size)
            eigenvalues, vectors = np.linalg.eigh(self.law.covariance[block, block])
            values[k], directions[k, block] = eigenvalues[-1], vectors[:, -1]
        return values, directions

    @cached_property
    def dimension_of_gaussian(self) -> float:
        """d: Kaplan-Yorke, every coordinate of a patch with Lambda(lam_k)."""
        exponents = geometry.lyapunov_exponent(self.schedule, self.leading[0])
        return kaplan_yorke_dimension(exponents, self.multiplicities)

    @cached_property
    def chain(self) -> Chain:
        """The law's chain."""
        return Chain(self.schedule, self.law.denoiser)

    def _step(self, t: int, x: Array, weights: Array) -> tuple[Array, Step]:
        eye, n = np.eye(self.law.dim), self.schedule.steps - t
        moved, jacobians = self.chain.tangent(x, n, np.broadcast_to(eye, (len(x), *eye.shape)))
        whole, angle = Chain(self.schedule, self.law.gaussian), float(self.schedule.angles[t])
        deviation = self.chain.denoiser.posterior(x, angle).mean - whole.denoiser.posterior(x, angle).mean
        (values, directions), spectrum = self.leading, np.linalg.eigvalsh(self.law.covariance)
        step = Schedule(self.schedule.angles[t - 1 : t + 1])
        expansions = (geometry.diagonal_expansion(step, lam)[0] for lam in (values, spectrum))
        gaussian = whole.tangent(x[:1], n, eye[None])[1][0]
        return moved, Step(weights, jacobians, deviation, gaussian, directions, *expansions)

    @cached_property
    def steps(self) -> list[Step]:
        """Every step at x ~ p_t, t = 1..T."""
        return [self._step(t, *self._nodes(t))[1] for t in range(1, self.schedule.steps + 1)]

    def _nodes(self, t: int) -> tuple[Array, Array]:
        law = self.law.marginal(float(self.schedule.angles[t]))
        return law.nodes(self.per_axis) if self.gauss is None else law.gauss_nodes(self.gauss)

    @cached_property
    def own_steps(self) -> list[Step]:
        """Every step at the chain's own points from x_T ~ p_T, t = 1..T."""
        (x, weights), found = self._nodes(self.schedule.steps), []
        for t in range(self.schedule.steps, 0, -1):
            x, step = self._step(t, x, weights)
            found.append(step)
        return found[::-1]

    @cached_property
    def spectrum(self) -> Array:
        """(d,) mean logarithms of the singular values of the whole chain's Jacobian, from x_T ~ p_T."""
        x, weights = self.law.marginal(float(self.schedule.angles[-1])).nodes(self.per_axis)
        found: Any = lyapunov_spectrum(self.chain, x, self.schedule.steps, backend="reference")
        return np.asarray(self.schedule.steps * (weights @ found.per_orbit) / weights.sum())
