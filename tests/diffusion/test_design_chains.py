"""The two chains that schedules are designed for, against samplers written separately and 50-digit arithmetic."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.diffusion import geometry, schedules
from pifs_sim.diffusion.angles import HALF_PI
from pifs_sim.diffusion.design import chain_error, single_step, two_step
from pifs_sim.diffusion.design.directions import directions
from pifs_sim.testing import strategies

GAINS = {"ddim": single_step.log_gain, "2m": two_step.log_gain}
RNG = np.random.default_rng(11)
ANGLES = np.sort(RNG.uniform(0.02, 1.55, 9))
VARIANCES = np.array([1e-3, 0.3, 1.0, 50.0])


def multistep(sigmas, denoise, x, order=2):
    """DPM-Solver++(2M) as Lu et al. 2022 write it (Algorithm 2, data prediction), in logSNR; sigmas fall."""
    alpha = [1 / (1 + s * s) ** 0.5 for s in sigmas]
    noise = [s * a for s, a in zip(sigmas, alpha, strict=True)]
    log = mp.log if isinstance(sigmas[0], mp.mpf) else np.log
    exp = mp.exp if isinstance(sigmas[0], mp.mpf) else np.exp
    half = [log(a / n) if n else None for a, n in zip(alpha, noise, strict=True)]
    before = None
    for i in range(len(sigmas) - 1):
        data = denoise(x, alpha[i], noise[i])
        guess = data
        decay = exp(half[i] - half[i + 1]) if half[i + 1] is not None else 0
        if before is not None and order == 2 and half[i + 1] is not None:
            ratio = (half[i] - half[i - 1]) / (half[i + 1] - half[i])
            guess = (1 + 1 / (2 * ratio)) * data - before / (2 * ratio)
        x = noise[i + 1] / noise[i] * x - alpha[i + 1] * (decay - 1) * guess
        before = data
    return x


def gain(angles, lam, order):
    """ln c by the sampler on one direction, with mpmath's digits."""
    sigmas = [mp.tan(phi) for phi in angles][::-1]
    start = mp.sqrt((lam + sigmas[0] ** 2) / (1 + sigmas[0] ** 2))
    end = mp.sqrt((lam + sigmas[-1] ** 2) / (1 + sigmas[-1] ** 2))
    out = multistep(sigmas, lambda x, a, n: lam * a / (lam * a * a + n * n) * x, start, order)
    return mp.log(abs(out / end))


@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("2m", 2)])
def test_the_gain_is_that_of_the_sampler(solver, order):
    got, _ = GAINS[solver](ANGLES, np.diff(ANGLES), np.sqrt(VARIANCES))
    with mp.workdps(50):
        expected = [float(gain([mp.mpf(a) for a in ANGLES], mp.mpf(v), order)) for v in VARIANCES.tolist()]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("2m", 2)])
def test_the_slopes_are_the_derivatives_of_the_sampler(solver, order):
    _, got = GAINS[solver](ANGLES, np.diff(ANGLES), np.sqrt(VARIANCES))
    with mp.workdps(50):
        exact, h = [mp.mpf(a) for a in ANGLES], mp.mpf(10) ** -20
        for t in range(1, ANGLES.size - 1):
            up, down = ([*exact[:t], exact[t] + e, *exact[t + 1 :]] for e in (h, -h))
            expected = [
                float((gain(up, mp.mpf(v), order) - gain(down, mp.mpf(v), order)) / (2 * h)) for v in VARIANCES.tolist()
            ]
            np.testing.assert_allclose(got[t - 1], expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("solver", ["ddim", "2m"])
def test_many_steps_keep_the_digits_of_a_small_error(solver):
    angles = schedules.log_linear(1000, 0.02, 80.0).angles
    got, _ = GAINS[solver](angles, np.diff(angles), np.array([0.5, 3.0]))
    with mp.workdps(50):
        exact = [mp.mpf(a) for a in angles]
        expected = [float(gain(exact, mp.mpf(v), 1 if solver == "ddim" else 2)) for v in (0.25, 9.0)]
    np.testing.assert_allclose(got, expected, rtol=1e-11 if solver == "ddim" else 1e-7)  # ln c is 4e-3 and 2e-6


def covariances(schedule, order):
    """Covariance of the sampler's output and of p_{phi_0}, for a full covariance in three dimensions."""
    Q, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    lam = np.array([0.05, 1.3, 20.0])
    cov = Q @ np.diag(lam) @ Q.T

    def denoise(x, a, n):
        return a * cov @ np.linalg.solve(a * a * cov + n * n * np.eye(3), x)

    def marginal(sigma):
        return (cov + sigma**2 * np.eye(3)) / (1 + sigma**2)

    sigmas = schedule.sigma[::-1].tolist()
    chain = multistep(sigmas, denoise, np.eye(3), order)
    return lam, chain @ marginal(sigmas[0]) @ chain.T, marginal(sigmas[-1])


def square_root(matrix):
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return vectors * np.sqrt(values) @ vectors.T


@pytest.mark.parametrize("sigma_min", [0.0, 0.05])
@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("2m", 2)])
def test_kl_and_w2_are_those_of_a_basis_pushed_through_the_sampler(solver, order, sigma_min):
    schedule = schedules.from_sigma([sigma_min, *np.geomspace(0.1, 30.0, 6)])
    lam, out, wanted = covariances(schedule, order)
    ratio = np.linalg.solve(wanted, out)
    kl = (np.trace(ratio) - 3 - np.linalg.slogdet(ratio)[1]) / 2
    root = square_root(wanted)
    w2 = np.sqrt(np.trace(out + wanted - 2 * square_root(root @ out @ root)))
    assert chain_error(schedule, lam, solver=solver) == pytest.approx(kl, rel=1e-10)
    assert chain_error(schedule, lam, solver=solver, objective="w2") == pytest.approx(w2, rel=1e-7)


@settings(max_examples=40)
@given(strategies.schedules(), st.lists(strategies.variances(), min_size=1, max_size=4), st.sampled_from(["kl", "w2"]))
def test_the_error_of_ddim_is_the_gaussian_error_of_geometry(schedule, lam, metric):
    expected = geometry.gaussian_error(schedule, lam, metric=metric)
    assert chain_error(schedule, lam, objective=metric) == pytest.approx(expected, rel=1e-11, abs=1e-300)


def test_two_steps_from_pi_over_2_to_zero_are_the_same_for_both_solvers():
    schedule = schedules.from_angles([0.0, 0.7, HALF_PI])
    assert chain_error(schedule, [0.2, 4.0], solver="2m") == pytest.approx(chain_error(schedule, [0.2, 4.0]), rel=1e-14)


def test_halving_the_steps_of_2m_divides_its_error_by_four_and_of_ddim_by_two():
    for solver, order in (("ddim", 1), ("2m", 2)):
        few, many = (
            chain_error(schedules.log_linear(n, 0.02, 80.0), 0.7, objective="w2", solver=solver) for n in (400, 800)
        )
        assert few / many == pytest.approx(2**order, rel=0.05)


@settings(max_examples=40)
@given(st.floats(-6, 6).filter(lambda x: abs(x) > 1e-9), st.sampled_from(["kl", "w2"]))
def test_residuals_are_square_roots_of_the_error(log_gain, metric):
    spectrum = directions(3.0, 2.0, metric, 0.1)
    gains = np.array([log_gain])
    (residual,), (slope,) = spectrum.residuals(gains)
    error, (by_gain,) = spectrum.error(gains)
    assert residual**2 == pytest.approx(error, rel=1e-13)
    assert 2 * residual * slope == pytest.approx(by_gain, rel=1e-12)


def test_the_derivative_of_the_error_is_exact_near_no_error():
    """d KL = n (c^2 - 1), d W_2^2 = 2 n N_0 c (c - 1): expm1 keeps the digits of c - 1 = 1e-12."""
    log_gain = np.array([1e-12])
    (kl,) = directions(3.0, 2.0, "kl", 0.0).error(log_gain)[1]
    (w2,) = directions(3.0, 2.0, "w2", 0.0).error(log_gain)[1]
    assert kl == pytest.approx(4e-12, rel=1e-11)
    assert w2 == pytest.approx(12e-12, rel=1e-11)
