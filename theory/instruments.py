"""Measurements on pifs_sim that know no formula: step factors, chain growth, and a denoiser with a given Jacobian."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser
from pifs_sim.diffusion.angles import cos_sin
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.dynamics.operators import Spectral

__all__ = [
    "EPS",
    "LinearNoise",
    "LinearVelocity",
    "affine_jacobian",
    "centred_chain",
    "chain_growth",
    "contraction_thresholds",
    "growth_scale",
    "step_factors",
    "step_jacobian",
    "step_thresholds",
    "tangent_product",
]

Array = npt.NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)


def centred_chain(schedule: Schedule, lam: npt.ArrayLike) -> Chain:
    """The chain on N(0, diag(lam)): a step is linear and diagonal, so a vector of ones measures it."""
    variances = np.atleast_1d(np.asarray(lam, dtype=np.float64))
    return Chain(schedule, exact_denoiser(Gaussian(np.zeros(variances.size), np.diag(variances))))


def step_factors(schedule: Schedule, lam: npt.ArrayLike) -> tuple[Array, Array]:
    """Factor of each step along each variance lam (m,), (T, m), and the size of terms that rounding is relative to."""
    chain = centred_chain(schedule, lam)
    ones = np.ones((1, chain.dim))
    factors, sizes = [], []
    for t in range(1, schedule.steps + 1):
        angle, delta = float(schedule.angles[t]), schedule.increments[t - 1]
        factors.append(chain.step(ones, schedule.steps - t)[0])
        posterior = chain.denoiser.posterior(ones, angle)
        terms = schedule.cos[t] * np.abs(posterior.noise[0]) + schedule.sin[t] * np.abs(posterior.mean[0])
        sizes.append(np.cos(delta) + np.sin(delta) * terms)
    return np.array(factors), np.array(sizes)


def chain_growth(schedule: Schedule, lam: npt.ArrayLike) -> Array:
    """Factor of the whole chain along each direction, of variances lam (m,), by running it: (m,)."""
    chain = centred_chain(schedule, lam)
    growth: Array = chain.run(np.ones((1, chain.dim)))[0]
    return growth


def growth_scale(schedule: Schedule, lam: npt.ArrayLike) -> Array:
    """Size that the rounding of `chain_growth` is relative to, (m,) like lam: each step's times the others' factors."""
    factors, sizes = step_factors(schedule, lam)
    ones = np.ones((1, factors.shape[1]))
    later = np.cumprod(np.concatenate([ones, factors[:-1]]), axis=0)  # steps nearer the output
    earlier = np.cumprod(np.concatenate([ones, factors[:0:-1]]), axis=0)[::-1]
    scale: Array = np.sum(later * sizes * earlier, axis=0)
    return scale


def tangent_product(chain: Chain) -> Array:
    """Jacobian (d, d) of the whole chain at the origin: its tangent maps applied to the identity."""
    x, V = np.zeros((1, chain.dim)), np.eye(chain.dim)[None]
    for n in range(chain.length):
        x, V = chain.tangent(x, n, V)
    product: Array = V[0]
    return product


@dataclass(frozen=True)
class _Linear:
    """Q diag(eigenvalues) Q^T, as what a denoiser estimates at every angle."""

    eigenvalues: Array
    eigenvectors: Array

    @property
    def dim(self) -> int:
        """Dimension d."""
        return self.eigenvalues.size

    def of(self, x: Array) -> Array:
        """Q diag(eigenvalues) Q^T x, (B, d)."""
        return (x @ self.eigenvectors * self.eigenvalues) @ self.eigenvectors.T


@dataclass(frozen=True)
class LinearNoise(_Linear):
    """A denoiser with eps_hat(x) = Q diag(eigenvalues) Q^T x: any symmetric Jacobian, exact data law or not."""

    def posterior(self, x: Any, angle: float) -> Any:
        """The estimates at x, (B, d); the angle must be below pi/2."""
        return _LinearPosterior(self, x, *(float(value) for value in cos_sin(angle)))


@dataclass(frozen=True)
class _Estimates:
    denoiser: _Linear
    x: Array
    cos: float
    sin: float

    @property
    def linear(self) -> Array:
        return self.denoiser.of(self.x)


class _LinearPosterior(_Estimates):
    @property
    def noise(self) -> Array:
        return self.linear

    @property
    def mean(self) -> Array:
        return (self.x - self.sin * self.noise) / self.cos

    @property
    def mean_jacobian(self) -> Spectral:
        values = (1 - self.sin * self.denoiser.eigenvalues) / self.cos
        return Spectral(np.broadcast_to(values, self.x.shape), self.denoiser.eigenvectors)


@dataclass(frozen=True)
class LinearVelocity(_Linear):
    """A denoiser with v_hat(x) = Q diag(eigenvalues) Q^T x at every angle, pi/2 included."""

    def posterior(self, x: Any, angle: float) -> Any:
        """The estimates at x, (B, d): the rotation of (x, v_hat) by the angle."""
        return _VelocityPosterior(self, x, *(float(value) for value in cos_sin(angle)))


class _VelocityPosterior(_Estimates):
    @property
    def noise(self) -> Array:
        return self.sin * self.x + self.cos * self.linear

    @property
    def mean(self) -> Array:
        return self.cos * self.x - self.sin * self.linear

    @property
    def mean_jacobian(self) -> Spectral:
        values = self.cos - self.sin * self.denoiser.eigenvalues
        return Spectral(np.broadcast_to(values, self.x.shape), self.denoiser.eigenvectors)


def affine_jacobian(function: Callable[[Array], Array], dim: int) -> Array:
    """Jacobian (dim, dim) of an affine function of batches (B, dim), by unit differences: exact but for rounding."""
    values = function(np.concatenate([np.zeros((1, dim)), np.eye(dim)]))
    return np.asarray(values[1:] - values[0]).T


def step_jacobian(chain: Chain, t: int) -> Array:
    """Jacobian (d, d) of the step t of a chain whose denoiser is affine, by unit differences."""
    return affine_jacobian(lambda x: chain.step(x, chain.length - t), chain.dim)


def contraction_thresholds(schedule: Schedule) -> tuple[Array, Array]:
    """Noise slope at which each step neither stretches nor shrinks, and the size that rounding is relative to.

    From a step's factors at the noise slopes 0 and 1, between which it is linear; (T,), or (T - 1,) without the
    step from pi/2, which has no noise slopes.
    """
    chain = Chain(schedule, LinearNoise(np.array([0.0, 1.0]), np.eye(2)))
    steps = range(1, int(np.count_nonzero(schedule.cos > 0)))
    at_0, at_1 = np.array([chain.step(np.ones((1, 2)), schedule.steps - t)[0] for t in steps]).reshape(-1, 2).T
    return (at_0 - 1) / (at_0 - at_1), at_0 / (at_0 - at_1) + 1


def step_thresholds(schedule: Schedule) -> tuple[Array, Array]:
    """Variance at which each step neither stretches nor shrinks, by bracketing, and its relative rounding error.

    (T,), nan where the factor's rounding hides the root (the step is too short) or where there is none: the error is
    that of the factor over its slope in ln lam, and at most 1e-3.
    """
    roots, errors = np.full(schedule.steps, np.nan), np.full(schedule.steps, np.nan)
    for t in range(1, schedule.steps + 1):
        step = Schedule(schedule.angles[t - 1 : t + 1])

        def stretches(log_lam: Array, step: Schedule = step) -> Array:
            chain = centred_chain(step, np.exp(log_lam))
            return np.asarray(chain.step(np.ones((1, chain.dim)), 0)[0] > 1)

        low, high, near = -7.0, 14.0, 0.05  # ln lam
        if list(stretches(np.array([low, high]))) != [False, True]:
            continue
        for _ in range(9):  # to 21/64^9 = 1e-15
            grid = np.linspace(low, high, 65)
            first = 1 + int(np.append(stretches(grid[1:-1]), True).argmax())
            low, high = grid[first - 1], grid[first]
        factors, sizes = step_factors(step, np.exp([low - near, low, low + near]))
        slope, rounding = (factors[0, 2] - factors[0, 0]) / (2 * near), 32 * EPS * sizes[0, 1]
        if rounding < 1e-3 * slope:
            roots[t - 1], errors[t - 1] = math.exp(low), rounding / slope + 8 * EPS * (1 + abs(low))
    return roots, errors
