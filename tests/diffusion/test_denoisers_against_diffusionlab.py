"""The estimates of diffusionlab (Pai 2025, github.com/DruvPai/DiffusionLab), a JAX library, where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import Mixture, PointCloud

pytest.importorskip("diffusionlab", reason="diffusionlab is not installed (it needs Python 3.12 and JAX)")

import jax
from diffusionlab.distributions.empirical import EmpiricalDistribution
from diffusionlab.distributions.gmm.gmm import GMM
from diffusionlab.dynamics import DiffusionProcess
from jax import numpy as jnp


@pytest.fixture(autouse=True)
def double_precision() -> Any:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def estimates(law: Any, x: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Their E[x_0|x] and E[eps|x], (n, d)."""
    process, t = DiffusionProcess(alpha=jnp.cos, sigma=jnp.sin), jnp.asarray(angle)
    pairs = [(law.x0(jnp.asarray(point), t, process), law.eps(jnp.asarray(point), t, process)) for point in x]
    mean, noise = (np.array(part) for part in zip(*pairs, strict=True))
    return mean, noise


@pytest.mark.parametrize("angle", [0.2, 0.8, 1.4])
def test_mixtures_agree_with_diffusionlab(angle: float) -> None:
    rng = np.random.default_rng(1)
    weights, means = rng.dirichlet(np.ones(4)), 2 * rng.standard_normal((4, 3))
    roots = rng.standard_normal((4, 3, 3))
    covariances = roots @ roots.transpose(0, 2, 1)
    x = 2 * rng.standard_normal((6, 3))
    mean, noise = estimates(GMM(jnp.asarray(means), jnp.asarray(covariances), jnp.asarray(weights)), x, angle)
    posterior = exact_denoiser(Mixture(weights, means, covariances)).posterior(x, angle)
    np.testing.assert_allclose(posterior.mean, mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(posterior.noise, noise, rtol=0, atol=1e-12)


@pytest.mark.parametrize("angle", [0.05, 0.8, 1.4])
def test_point_clouds_agree_with_diffusionlab(angle: float) -> None:
    rng = np.random.default_rng(2)
    points, x = rng.standard_normal((20, 3)), rng.standard_normal((6, 3))
    mean, noise = estimates(EmpiricalDistribution([(jnp.asarray(points), None)]), x, angle)
    posterior = exact_denoiser(PointCloud(points)).posterior(x, angle)
    np.testing.assert_allclose(posterior.mean, mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(posterior.noise, noise, rtol=0, atol=1e-11)
