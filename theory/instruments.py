"""Measurements on pifs_sim that know no formula: step factors, chain growth, and a denoiser with a given Jacobian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser
from pifs_sim.diffusion.angles import cos_sin
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.dynamics.operators import Spectral

__all__ = ["EPS", "LinearNoise", "centred_chain", "chain_growth", "step_factors"]

Array = npt.NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)


def centred_chain(schedule: Schedule, lam: npt.ArrayLike) -> Chain:
    """The chain on N(0, diag(lam)): a step is linear and diagonal, so a vector of ones measures it."""
    variances = np.atleast_1d(np.asarray(lam, dtype=np.float64))
    return Chain(schedule, exact_denoiser(Gaussian(np.zeros(variances.size), np.diag(variances))))


def step_factors(schedule: Schedule, lam: npt.ArrayLike) -> tuple[Array, Array]:
    """Factor of each step along each direction, (T, m), and the size of the terms that rounding is relative to."""
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
    """Factor of the whole chain along each direction, (m,), by running it."""
    chain = centred_chain(schedule, lam)
    growth: Array = chain.run(np.ones((1, chain.dim)))[0]
    return growth


@dataclass(frozen=True)
class LinearNoise:
    """A denoiser with eps_hat(x) = Q diag(eigenvalues) Q^T x: any symmetric Jacobian, exact data law or not."""

    eigenvalues: Array
    eigenvectors: Array

    @property
    def dim(self) -> int:
        """Dimension d."""
        return self.eigenvalues.size

    def posterior(self, x: Any, angle: float) -> Any:
        """The estimates at x, (B, d); the angle must be below pi/2."""
        return _LinearPosterior(self, x, *(float(value) for value in cos_sin(angle)))


@dataclass(frozen=True)
class _LinearPosterior:
    denoiser: LinearNoise
    x: Array
    cos: float
    sin: float

    @property
    def noise(self) -> Array:
        rotation = self.denoiser.eigenvectors
        return (self.x @ rotation * self.denoiser.eigenvalues) @ rotation.T

    @property
    def mean(self) -> Array:
        return (self.x - self.sin * self.noise) / self.cos

    @property
    def mean_jacobian(self) -> Spectral:
        values = (1 - self.sin * self.denoiser.eigenvalues) / self.cos
        return Spectral(np.broadcast_to(values, self.x.shape), self.denoiser.eigenvectors)
