"""On average over p_t a step expands less than that of the Gaussian with the same mean and covariance.

With L the Gaussian's estimate, J_G - E J = (sin Delta cos phi_t/sin^3 phi_t) E (x_hat - L)(x_hat - L)^T, and all that
follows from it being positive semidefinite; means over samples, to five standard errors. What fails elsewhere is in
the last tests.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pifs_sim.diffusion import Chain, exact_denoiser, geometry
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud
from pifs_sim.diffusion.schedules import from_angles, uniform_angle
from pifs_sim.dynamics import Patches, block_norms, kaplan_yorke_dimension, lyapunov_spectrum
from tests.diffusion.exact_laws import KINDS, law
from tests.diffusion.mixture_bounds import bounds
from tests.diffusion.mixture_oracle import ExactMixture

HALF_PI = math.pi / 2
SAMPLES = 2000


def not_negative(samples: np.ndarray) -> None:
    """Means over samples (n, ...) are not below 0 by five standard errors, or rounding."""
    error = 5 * samples.std(axis=0) / math.sqrt(len(samples)) + 1e-12 * (1 + np.abs(samples).max())
    assert (samples.mean(axis=0) >= -error).all()


def jacobians(chain: Chain, x: np.ndarray, t: int) -> np.ndarray:
    """J Phi_t at points x, (n, d, d)."""
    eye = np.eye(chain.dim)
    return chain.tangent(x, chain.length - t, np.broadcast_to(eye, (len(x), *eye.shape)))[1]


def along(matrices: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """<u, A u> for rows u of directions, (..., m)."""
    return np.einsum("mi,...ij,mj->...m", directions, matrices, directions)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(15))
def test_on_average_a_law_expands_less_than_its_gaussian(kind: str, number: int) -> None:
    rng = np.random.default_rng([number, KINDS.index(kind)])
    dim, zeros = int(rng.integers(2, 5)), number % 3 == 0
    measure = law(kind, rng, dim=dim, count=int(rng.integers(2, 6)), zeros=zeros).measure
    dim = measure.dim
    start, stop = np.sort(rng.uniform(0.05, 1.5, 2))
    schedule = from_angles([start, stop, HALF_PI]) if number % 2 else from_angles([start, (start + stop) / 2, stop])
    chain = Chain(schedule, exact_denoiser(measure))
    gaussian = Chain(schedule, exact_denoiser(Gaussian(measure.mean, measure.covariance)))
    variances, axes = np.linalg.eigh(measure.covariance)
    variances = np.maximum(variances, 0.0)
    patches, turns = np.eye(dim), np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    effective, errors = np.zeros((SAMPLES, dim)), []
    for t in (1, 2):
        c, s = float(schedule.cos[t]), float(schedule.sin[t])
        x = c * measure.sample(SAMPLES, rng) + s * rng.standard_normal((SAMPLES, dim))
        J, G = jacobians(chain, x, t), jacobians(gaussian, x[:1], t)[0]
        angle, delta = float(schedule.angles[t]), float(schedule.increments[t - 1])
        off = chain.denoiser.posterior_mean(x, angle) - gaussian.denoiser.posterior_mean(x, angle)
        for directions in (patches, axes.T, turns):
            suppression = along(G, directions) - along(J, directions)
            gap = suppression - math.sin(delta) * c / s**3 * (off @ directions.T) ** 2
            not_negative(gap)
            not_negative(-gap)
            not_negative(suppression)
        f = geometry.diagonal_expansion(schedule, np.diag(measure.covariance))[t - 1]
        assert (along(G, patches) <= f * (1 + 1e-12)).all()
        logs = np.log(along(J, patches))
        not_negative(np.log(f) - logs)
        smallest = np.cumsum(np.log(np.linalg.eigvalsh(J)), axis=1)  # all of them: ln det
        not_negative(np.cumsum(geometry.log_expansion(schedule, variances)[t - 1]) - smallest)
        effective += logs
        errors.append(logs.std(axis=0) / math.sqrt(SAMPLES))
    exponents = effective.mean(axis=0) - 5 * np.linalg.norm(errors, axis=0)
    d = kaplan_yorke_dimension(geometry.lyapunov_exponent(schedule, np.diag(measure.covariance)))
    assert kaplan_yorke_dimension(exponents) <= d + 1e-9


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["scalar", "diagonal", "full", "cloud"])
def test_independent_patches_are_not_coupled(kind: str, dtype: Any) -> None:
    """All K_1 K_2 = 12 choices of components, as one mixture: blocks across are rounding, in 50 eps (1 + logit)."""
    rng = np.random.default_rng(KINDS.index(kind))
    parts = [law(kind, rng, dim=2, count=count, dtype=dtype).exact for count in (3, 4)]
    joint = ExactMixture.product(parts)
    arrays = (np.array(field, dtype=np.float64) for field in (joint.weights, joint.means, joint.covariances))
    weights, means, covariances = (np.asarray(array, dtype=dtype) for array in arrays)
    measure = PointCloud(means, weights) if kind == "cloud" else Mixture(weights, means, covariances)
    patches, eps = Patches(4, 2), float(np.finfo(dtype).eps)
    for angle in (1e-3, 0.3, 1.2, HALF_PI):
        x = np.asarray(math.cos(angle) * means[:4] + math.sin(angle) * rng.standard_normal((4, 4)), dtype=dtype)
        posterior, noised = exact_denoiser(measure).posterior(x, angle), joint.at(angle)
        limits = [bounds(noised, point.astype(np.float64), eps, full=kind == "full") for point in x]
        for name in ("covariance", "mean_jacobian", "noise_jacobian"):
            delta = block_norms(getattr(posterior, name), patches).delta
            allowed = [2 * getattr(limit, name) for limit in limits]  # a norm of 2 x 2 entries
            assert (delta <= allowed).all(), f"{name} at {angle}: {delta!r}"


def test_pointwise_suppression_is_negative_between_two_points() -> None:
    """Half-way between +1 and -1 the posterior variance is 1 at every angle, a Gaussian's v/(alpha_bar + v) = sin^2."""
    schedule = from_angles([0.3, 0.8])
    chain = Chain(schedule, exact_denoiser(PointCloud([[-1.0], [1.0]])))
    stretch = jacobians(chain, np.zeros((1, 1)), 1)[0, 0, 0]
    s, c = math.sin(0.8), math.cos(0.8)
    assert stretch == pytest.approx(math.sin(0.3) / s + math.sin(0.5) * c / s**3, rel=1e-13)
    suppression = geometry.diagonal_expansion(schedule, 1.0)[0] - stretch
    assert suppression == pytest.approx(math.sin(0.5) * c / s**3 * (s**2 - 1), rel=1e-13)
    assert suppression < -0.4


def test_mean_suppression_is_negative_along_the_chains_own_points() -> None:
    """.6 N(-2.5, .3) + .4 N(2.5, .3) at the angles .05, .42, pi/2: E S = -0.496, for x ~ p_t +0.355; by quadrature."""
    measure, schedule = Mixture([0.6, 0.4], [[-2.5], [2.5]], [0.3, 0.3]), from_angles([0.05, 0.42, HALF_PI])
    chain, f = Chain(schedule, exact_denoiser(measure)), geometry.diagonal_expansion(schedule, 6.3)[0]
    assert measure.covariance[0, 0] == pytest.approx(6.3)
    x = np.linspace(-8, 8, 4001)[:, None]
    weights = np.exp(-(x[:, 0] ** 2) / 2)
    own = jacobians(chain, chain.step(x, 0), 1)[:, 0, 0]
    assert f - weights @ own / weights.sum() == pytest.approx(-0.49562, abs=1e-4)
    density = np.exp(chain.denoiser.posterior(x, 0.42).log_density)
    assert f - density @ jacobians(chain, x, 1)[:, 0, 0] / density.sum() == pytest.approx(0.35506, abs=1e-4)


def test_lengths_are_not_suppressed() -> None:
    """A Gaussian of correlation .9: |J v|^2 = (f(1.9)^2 + f(.1)^2)/2 > f(1)^2; needles of covariance I: 0.4 % more."""
    schedule = from_angles([0.01, 1.4])
    chain = Chain(schedule, exact_denoiser(Gaussian([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]])))
    length = np.linalg.norm(jacobians(chain, np.zeros((1, 2)), 1)[0, :, 0])
    ends = geometry.diagonal_expansion(schedule, np.array([1.9, 0.1]))[0]
    assert length == pytest.approx(math.sqrt(np.sum(ends**2) / 2), rel=1e-12)
    assert math.log(length / geometry.diagonal_expansion(schedule, 1.0)[0]) == pytest.approx(0.2469, abs=1e-4)
    schedule = from_angles([0.01, 1.2])
    needles = Mixture([0.5, 0.5], np.zeros((2, 2)), [[[1.0, 0.99], [0.99, 1.0]], [[1.0, -0.99], [-0.99, 1.0]]])
    chain, axis = Chain(schedule, exact_denoiser(needles)), np.linspace(-7, 7, 71)
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(chain.denoiser.posterior(x, 1.2).log_density)
    logs = np.log(np.linalg.norm(jacobians(chain, x, 1)[:, :, 0], axis=1))
    excess = density @ logs / density.sum() - geometry.log_expansion(schedule, 1.0)[0]
    assert excess == pytest.approx(0.00398, abs=1e-5)


def test_the_chains_own_spectrum_is_not_suppressed() -> None:
    """Crossed needles of covariance .8 I, 200 uniform angles from .02: the Gaussian has d = 0, the chain d_eff = 1.14.

    Nodes are graded to the basin boundary |x_1| = |x_2|, where the expansion has a logarithmic peak.
    """
    measure = Mixture([0.5, 0.5], np.zeros((2, 2)), [[1.59, 0.01], [0.01, 1.59]])
    schedule = uniform_angle(200, 0.02)
    assert kaplan_yorke_dimension(geometry.lyapunov_exponent(schedule, np.linalg.eigvalsh(measure.covariance))) == 0.0
    half_squares, shares = np.polynomial.laguerre.laggauss(20)
    places, lengths = np.polynomial.legendre.leggauss(20)
    turns = math.pi / 4 * (1 - ((places + 1) / 2) ** 3)  # an eighth of the plane
    weights = np.outer(shares, 3 * ((places + 1) / 2) ** 2 * lengths / 2).ravel()
    radii = np.sqrt(2 * half_squares)[:, None]
    x = np.stack([radii * np.cos(turns), radii * np.sin(turns)], axis=-1).reshape(-1, 2)
    logs = 200 * lyapunov_spectrum(Chain(schedule, exact_denoiser(measure)), x, 200).per_orbit
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert kaplan_yorke_dimension(weights @ logs) == pytest.approx(1.137, abs=0.01)
