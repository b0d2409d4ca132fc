"""Posteriors of mixtures where the parts tell: logits in double precision, roundings at angle 0, memory asked for."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.denoisers import mixture
from pifs_sim.diffusion.denoisers.aligned import Aligned
from pifs_sim.diffusion.measures import Mixture
from pifs_sim.dynamics.operators import Spectral

EPS = float(np.finfo(np.float64).eps)
TURN = np.linalg.qr(np.array([[1.0, 2.0], [-3.0, 1.0]]))[0]
MEANS = np.array([[0.1, 0.3], [0.1 + 3e-8, 0.3 - 1e-8]])  # nearer to each other than numbers of single precision
SPREADS = {
    "isotropic": np.array([0.0, 1e-16]),
    "diagonal": np.array([[1e-16, 0.0], [0.0, 2e-16]]),
    "spectral": Spectral(np.array([[1e-16, 0.0], [0.0, 2e-16]]), TURN),
    "full": np.array([1e-16 * np.eye(2), 1e-16 * TURN @ np.diag([1.0, 3.0]) @ TURN.T]),
}


def at_zero(law: Any, *points: Any) -> Any:
    return exact_denoiser(law).posterior(np.array(points), 0.0)


@pytest.mark.parametrize("kind", SPREADS)
@pytest.mark.parametrize("xp", [np, strict], ids=["numpy", "strict"])
def test_single_precision_keeps_the_logits_of_double_precision(kind: str, xp: Any) -> None:
    """Components and noise of a size that single precision does not see beside the means."""
    spread = SPREADS[kind]
    if isinstance(spread, np.ndarray) and spread.ndim == 3:
        spread = (spread + spread.swapaxes(1, 2)) / 2
    denoiser = exact_denoiser(Mixture([0.4, 0.6], MEANS, spread))
    x, angle = np.array([[0.1, 0.3], [0.1, np.nextafter(np.float32(0.3), 1)]], dtype=np.float32), 2e-8
    double = denoiser.posterior(x.astype(np.float64), angle)
    single = denoiser.posterior(xp.asarray(x), angle)
    assert single.weights.dtype == xp.float32
    assert (double.weights[0] > 0.01).all()  # both count
    assert_allclose(np.asarray(single.weights), double.weights, rtol=1e-6, atol=1e-30)
    assert_allclose(np.asarray(single.log_density), double.log_density, rtol=1e-6)


def test_single_precision_knows_variances_and_weights_that_it_cannot_hold() -> None:
    x = np.zeros((1, 2), dtype=np.float32)
    posterior = exact_denoiser(Mixture([1.0], [[0.0, 0.0]], np.array([1e-60]))).posterior(x, 0.0)
    assert_allclose(posterior.log_density, [-math.log(2 * math.pi * 1e-60)], rtol=1e-6)
    posterior = exact_denoiser(Mixture([1e-60, 1.0], [[0.0, 0.0], [100.0, 0.0]], np.ones(2))).posterior(x, 0.0)
    assert posterior.weights.tolist() == [[1.0, 0.0]]  # e^-138 beside e^-5000


@pytest.mark.parametrize("kind", ["spectral", "full"])
def test_a_line_wins_over_the_plane_for_rounded_points(kind: str) -> None:
    """In the axes lines through (3, 1) and (2, -1) and the plane; the rounding of a rotation counts as on a line."""
    means, x = np.array([[3.0, 1.0], [2.0, -1.0], [0.0, 0.0]]), np.array([[5.0, 1.0], [2.0, 7.0], [4.0, 4.0]])
    variances, turn = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], np.float32), np.eye(2)
    spread: Any = np.array([np.diag(variances[0]), np.diag(variances[1]), [[2.0, 1.0], [1.0, 2.0]]], np.float32)
    if kind == "spectral":
        spread, turn = Spectral(variances, TURN.astype(np.float32)), TURN
    law = Mixture([0.2, 0.3, 0.5], (means @ turn.T).astype(np.float32), spread)
    assert at_zero(law, *(x @ turn.T).astype(np.float32)).weights.tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_point_is_on_a_support_to_8_d_eps_of_its_size(dtype: Any) -> None:
    """Of the precision of the axes: |x| = 1 and d = 16, so that the bound is 128 eps."""
    unit, d = float(np.finfo(dtype).eps), 16
    law = Mixture([1.0], np.zeros((1, d), dtype), Spectral(np.eye(d, dtype=dtype)[:1], np.eye(d, dtype=dtype)))
    x = np.zeros((2, d), dtype)
    x[:, 0], x[:, 1] = 1.0, (126 * unit, 130 * unit)
    assert at_zero(law, *x).log_density.tolist() == [math.inf, -math.inf]


def test_what_ties_within_rounding_shares_by_the_tilt() -> None:
    """Of lines through mu and -mu - h, |mu| = 1000 and h below the rounding of the axes, x = 0 weighs |mu|^2/2."""
    heights = np.array([1000.0, -1000.0 * (1 + 1e-7)])
    axes = Spectral(np.array([[1.0, 0.0], [1.0, 0.0]], np.float32), np.eye(2, dtype=np.float32))
    law = Mixture([0.5, 0.5], np.stack([0 * heights, heights], axis=-1), axes)
    share = 1 / (1 + math.exp((heights[0] ** 2 - heights[1] ** 2) / 2))
    assert_allclose(at_zero(law, [0.0, 0.0]).weights, [[1 - share, share]], rtol=1e-9)


@pytest.mark.parametrize("isotropic", [True, False])
def test_at_small_angles_the_noise_has_the_jacobian_of_the_score(isotropic: bool) -> None:
    """J eps_hat/sin -> -(ln p)'' = E_r[1/v] - x^2 Var_r(1/v), though the m_k differ by a part in 10^18."""
    w, v, x, angle = np.array([0.3, 0.7]), np.array([1.0, 2.0]), 1.5, 1e-9
    r = w * np.exp(-(x**2) / (2 * v)) / np.sqrt(v)
    r = r / r.sum()
    expected = r @ (1 / v) - x**2 * (r @ v**-2 - (r @ (1 / v)) ** 2)
    law = Mixture(w, np.zeros((2, 1)), v if isotropic else v[:, None])
    found = exact_denoiser(law).posterior(np.array([[x]]), angle).noise_jacobian.dense()
    assert_allclose(found[0, 0, 0] / angle, expected, rtol=1e-12)


def near_ties(*heights: float, spread: float) -> Mixture:
    """Pairs of points (h, +-spread), which tie for every x on the first axis."""
    means = np.array([[h, sign * spread] for h in heights for sign in (1, -1)])
    return Mixture(np.full(len(means), 1 / len(means)), means, np.zeros(len(means)))


@pytest.mark.parametrize(
    ("height", "spread", "jumps"),
    [(1.0, 63, False), (1.0, 64, False), (1.0, 64.5, True), (4.0, 200, False), (4.0, 260, True), (0.25, 20, True)],
)
def test_the_mean_jumps_between_means_that_differ_by_more_than_64_eps(
    height: float, spread: float, jumps: bool
) -> None:
    """Half their distance, beside |x| = 0 and the mean's height."""
    posterior = at_zero(near_ties(height, spread=spread * EPS), [0.0, 0.0])
    assert posterior.weights.tolist() == [[0.5, 0.5]]
    assert np.isnan(posterior.mean_jacobian.dense()).all() == jumps
    assert np.isfinite(posterior.mean_jacobian.dense()).all() != jumps


def test_whether_the_mean_jumps_is_judged_by_the_sizes_at_each_point() -> None:
    beside = at_zero(near_ties(1.0, spread=1000 * EPS), [0.0, 0.0], [1e6, 0.0]).mean_jacobian.dense()
    assert np.isnan(beside[0]).all()
    assert np.isfinite(beside[1]).all()
    means = at_zero(near_ties(1.0, -1e7, spread=1000 * EPS), [0.0, 0.0], [-1e7 + 1, 0.0]).mean_jacobian.dense()
    assert np.isnan(means[0]).all()
    assert np.isfinite(means[1]).all()


def test_at_angle_0_the_noise_does_not_move_even_where_components_tie() -> None:
    posterior = at_zero(near_ties(1.0, spread=1.0), [0.0, 0.0])
    assert_allclose(posterior.covariance.dense()[0], [[0.0, 0.0], [0.0, 1.0]], rtol=4 * EPS)
    assert not posterior.noise_jacobian.dense().any()


def test_supports_are_looked_at_only_at_angle_0(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    limit = Aligned.limit
    monkeypatch.setattr(Aligned, "limit", lambda self, here: asked.append(here.tolist()) or limit(self, here))
    denoiser, x = exact_denoiser(near_ties(1.0, spread=1.0)), np.array([[0.0, 0.5], [0.0, -0.5]])
    assert_allclose(denoiser.posterior(x, 1e-3).weights, np.eye(2), atol=1e-100)
    assert not asked
    assert denoiser.posterior(x, np.array([0.0, 1e-3])).weights[0].tolist() == [1.0, 0.0]
    assert asked == [[[True], [False]]]


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("kind", ["isotropic", "diagonal", "spectral", "full"])
def test_the_posterior_asks_for_eight_tables_of_variances_and_four_of_responsibilities(
    monkeypatch: pytest.MonkeyPatch, kind: str, each: bool
) -> None:
    """A x K x m and B x K numbers; with axes of its own a component has a row of d numbers for each point."""
    asked: list[Any] = []
    monkeypatch.setattr(mixture, "check_memory", lambda *words: asked.append(words))
    batch, count, d = 3, 2, 5
    full = np.array([np.eye(d), np.eye(d) + 0.5])
    spreads = {"isotropic": np.ones(count), "diagonal": np.ones((count, d)), "full": full}
    spread = Spectral(np.ones((count, d)), np.eye(d)) if kind == "spectral" else spreads[kind]
    denoiser = exact_denoiser(Mixture([0.5, 0.5], np.zeros((count, d)), spread))
    denoiser.posterior(np.zeros((batch, d)), np.full(batch, 0.3) if each else 0.3)
    variances = (batch if each else 1) * count * (1 if kind == "isotropic" else d)
    responsibilities = batch * count * (d if kind == "full" else 1)
    assert asked == [("the posterior", (8 * variances + 4 * responsibilities,))]
