"""The posterior of a batch is that of each of its points alone, however large the others are and however it is cut."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.denoisers import mixture
from pifs_sim.diffusion.measures import Gaussian, Mixture
from pifs_sim.dynamics.operators import Dense, algebra

TURN = np.linalg.qr(np.array([[1.0, 2.0, 0.5], [-3.0, 1.0, 1.0], [0.2, 0.4, 2.0]]))[0]
MEANS = np.array([[1.0, 0.0, 2.0], [-1.0, 0.5, 0.0]])
DIAGONALS = np.array([[0.5, 1.0, 0.0], [2.0, 0.1, 0.3]])
KINDS = {
    "isotropic": np.array([0.5, 2.0]),
    "diagonal": np.array([np.diag(v) for v in DIAGONALS]),
    "spectral": np.array([TURN @ np.diag(v) @ TURN.T for v in DIAGONALS]),
    "full": np.array([np.diag(DIAGONALS[0]), TURN @ np.diag(DIAGONALS[1]) @ TURN.T]),
}
X = np.array([[0.3, -0.2, 1.0], [2.0, 1.0, -1.0], [-1.0, 0.4, 0.2]])


def law(kind):
    covariances = KINDS[kind]
    symmetric = (covariances + covariances.swapaxes(1, 2)) / 2 if covariances.ndim == 3 else covariances
    return Mixture([0.3, 0.7], MEANS, symmetric)


def values(posterior):
    operators = (posterior.covariance, posterior.mean_jacobian, posterior.noise_jacobian)
    arrays = (posterior.mean, posterior.noise, posterior.weights, posterior.log_density)
    return [*arrays, *(operator.dense() for operator in operators)]


def test_one_component_may_have_an_angle_at_every_point():
    denoiser = exact_denoiser(Mixture([1.0], MEANS[:1], KINDS["diagonal"][:1]))
    together = values(denoiser.posterior(X, [0.1, 0.4, 1.2]))
    for b, angle in enumerate([0.1, 0.4, 1.2]):
        for found, expected in zip(together, values(denoiser.posterior(X[b : b + 1], angle)), strict=True):
            assert_allclose(found[b], expected[0], rtol=1e-12, atol=1e-13)


def test_a_law_without_volume_has_a_density_at_every_angle_but_zero():
    denoiser = exact_denoiser(Gaussian(np.zeros(2), np.diag([1.0, 0.0])))
    x, angles = np.array([[0.5, 0.0], [0.5, 0.2], [0.5, 0.2]]), [0.0, 0.7, 0.0]
    at_07 = -0.5 * (0.25 + 0.04 / math.sin(0.7) ** 2) - math.log(2 * math.pi * math.sin(0.7))
    found = denoiser.posterior(x, angles).log_density
    assert found[[0, 2]].tolist() == [math.inf, -math.inf]
    assert math.isclose(found[1], at_07, rel_tol=1e-14)


@pytest.mark.parametrize(("kind", "numbers"), [("diagonal", 8 * 6 + 4 * 6), ("full", 8 * 6 + 12 * 6)])
def test_memory_for_all_that_is_kept_is_asked_for(kind, numbers, monkeypatch):
    asked = []
    monkeypatch.setattr(mixture, "check_memory", lambda what, shape, *_: asked.append((what, shape)))
    exact_denoiser(law(kind)).posterior(X, 0.3)
    exact_denoiser(law(kind)).posterior(X, [0.3, 0.4, 0.5])
    assert asked == [("the posterior", (numbers,)), ("the posterior", (numbers + 2 * 8 * 6,))]


@pytest.mark.parametrize("angles", [0.4, [0.1, 1.2], [0.1, 0.4, 1.2]], ids=str)
@pytest.mark.parametrize("width", [1, 1 << 18])
@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_its_points(kind, width, angles, monkeypatch):
    monkeypatch.setattr(algebra, "_RUN", width)
    denoiser, batch = exact_denoiser(law(kind)), X[: np.size(angles)] if np.ndim(angles) else X
    together = values(denoiser.posterior(batch, angles))
    for b, x in enumerate(batch):
        alone = values(denoiser.posterior(x[None], float(np.broadcast_to(angles, len(batch))[b])))
        for found, expected in zip(together, alone, strict=True):
            assert_allclose(found[b], expected[0], rtol=1e-12, atol=1e-13)


NORMAL = TURN[:, 0]
SPIN = np.array([[1.0, 0.0, 0.0], [0.0, 0.6, -0.8], [0.0, 0.8, 0.6]])
PLANES = {  # across the normal, with the same axes or with axes of their own
    "spectral": [TURN @ np.diag([0.0, 1.0, 1.0]) @ TURN.T] * 3,
    "full": [TURN @ spin @ np.diag([0.0, 1.0, 3.0]) @ spin.T @ TURN.T for spin in (np.eye(3), SPIN, SPIN @ SPIN)],
}


def planes(kind, *places):
    """Planes through places of the normal; at angle 0 the nearest takes all, to the rounding of point and place."""
    flat = np.array(PLANES[kind][: len(places)])
    means = np.array(places)[:, None] * NORMAL
    return exact_denoiser(Mixture(np.full(len(places), 1 / len(places)), means, (flat + flat.swapaxes(1, 2)) / 2))


@pytest.mark.parametrize("kind", PLANES)
def test_a_point_far_out_blurs_no_decision_at_another(kind):
    x = np.array([(0.5 - 1e-6) * NORMAL, 1e12 * np.ones(3)])
    assert planes(kind, 0.0, 1.0).posterior(x, 0.0).weights[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("kind", PLANES)
def test_a_component_far_out_blurs_no_decision_between_others(kind):
    x = (0.5 - 1e-6) * NORMAL[None]
    assert planes(kind, 0.0, 1.0, 1e12).posterior(x, 0.0).weights.tolist() == [[1.0, 0.0, 0.0]]


def test_as_many_components_as_directions_make_dense_covariances():
    measure = Mixture([0.2, 0.3, 0.5], TURN, np.array([np.diag([1.0, 2.0, 3.0])] * 3))
    posterior = exact_denoiser(measure).posterior(X, 0.5)
    assert isinstance(posterior.covariance, Dense)
    assert math.isclose(posterior.weights.sum(), 3.0, rel_tol=1e-15)
