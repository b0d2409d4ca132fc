"""Many samples and many points: what is streamed over the points is what their probabilities make."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.denoisers import cloud
from pifs_sim.diffusion.measures import PointCloud

KINDS = [(np.float64, np.float64), (np.float32, np.float32), (np.float32, np.float64)]


@pytest.mark.parametrize(("kind", "points_kind"), KINDS)
@pytest.mark.parametrize("angle", [1e-3, 0.05, 0.8, np.pi / 2, "each"])
def test_means_and_noises_are_those_of_the_probabilities(kind: Any, points_kind: Any, angle: Any) -> None:
    rng = np.random.default_rng(0)
    law = PointCloud(
        rng.standard_normal((2000, 6)).astype(points_kind), rng.dirichlet(np.ones(2000)).astype(points_kind)
    )
    phi = rng.uniform(0.01, 1.5, 100) if angle == "each" else angle
    x = (np.cos(phi) * law.sample(100, rng).T + np.sin(phi) * rng.standard_normal((6, 100))).T.astype(kind)
    streamed, summed = (exact_denoiser(law).posterior(x, phi) for _ in range(2))
    assert summed.weights.shape == (100, 2000)
    assert streamed._streamed is not None
    assert summed._streamed is None
    eps, sin = float(np.finfo(kind).eps), np.min(np.sin(phi))
    assert streamed.mean.dtype == streamed.noise.dtype == kind
    assert "_responsibilities" not in streamed.__dict__
    assert np.abs(streamed.mean - summed.mean).max() <= max(100 * eps, 1e-12)
    assert np.abs(streamed.noise - summed.noise).max() <= max(100 * eps, 1e-12) / sin


def test_probabilities_are_not_kept() -> None:
    """A tenth of an array (B, K)."""
    rng = np.random.default_rng(1)
    denoiser, x = exact_denoiser(PointCloud(rng.standard_normal((5000, 2)))), rng.standard_normal((1000, 2))
    denoiser.posterior_mean(x[:500], 0.5)
    tracemalloc.start()
    denoiser.posterior_mean(x, 0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * 8 * 1000 * 5000


@pytest.mark.parametrize("reason", ["angle 0", "a tiny angle", "one angle 0", "far out"])
def test_limits_are_left_to_the_probabilities(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "_SMALL", 1)
    rng = np.random.default_rng(2)
    points, angle = rng.standard_normal((50, 2)), np.full(30, 0.5)
    if reason == "far out":
        points *= 1e120
    else:
        angle[0] = 1e-50 if "tiny" in reason else 0.0
    angle = angle if "one" in reason else angle[0]
    posterior = exact_denoiser(PointCloud(points)).posterior(points[:30], angle)
    assert posterior._streamed is None
    assert np.isfinite(posterior.mean).all()
