"""How fast a law's noise estimate becomes a Gaussian's as alpha_bar -> 0, in L^2(p_t), by the trapezoidal rule.

Half the order n of the first cumulant that differs, with ||eps_hat - eps_hat'|| ~ alpha_bar^(n/2) |dk|/sqrt((n - 1)!).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import Gaussian, Mixture, ScaleMixture

SYMMETRIC = Mixture([0.5, 0.5], [[-1.0], [1.0]], [0.2, 0.2])
SKEWED = Mixture([0.25, 0.75], [[-1.5], [0.5]], [0.3, 0.3])
UNIT = Mixture([0.5, 0.5], [[-(0.9**0.5)], [0.9**0.5]], [0.1, 0.1])  # of variance 1
LAWS = {
    "means differ": (SYMMETRIC, 0.7, 1.2, 1, 0.7),
    "variances differ": (SYMMETRIC, 0.0, 2.0, 2, 0.8),
    "third cumulants differ": (SKEWED, 0.0, 1.05, 3, 0.25 * 1.5**3 - 0.75 * 0.5**3),
    "fourth cumulants differ": (SYMMETRIC, 0.0, 1.2, 4, 2.0),
}


def deviation(measure: Any, mean: float, variance: float, alpha_bar: float, z: np.ndarray) -> float:
    """||eps_hat - eps_hat'|| in L^2(p_t), over x = sinh z."""
    angle, x = math.acos(math.sqrt(alpha_bar)), np.sinh(z)[:, None]
    posterior = exact_denoiser(measure).posterior(x, angle)
    off = posterior.noise - exact_denoiser(Gaussian([mean], [[variance]])).noise(x, angle)
    weights = np.exp(posterior.log_density) * np.cosh(z)
    return math.sqrt(weights @ off[:, 0] ** 2 / weights.sum())


@pytest.mark.parametrize("name", LAWS)
def test_the_order_is_half_that_of_the_first_cumulant_that_differs(name: str) -> None:
    measure, mean, variance, order, difference = LAWS[name]
    z, alpha_bars = np.linspace(-4, 4, 801), np.geomspace(1e-5, 1e-3, 5)
    values = [deviation(measure, mean, variance, alpha_bar, z) for alpha_bar in alpha_bars.tolist()]
    assert np.polyfit(np.log(alpha_bars), np.log(values), 1)[0] == pytest.approx(order / 2, abs=0.01)
    leading = alpha_bars[0] ** (order / 2) * abs(difference) / math.sqrt(math.factorial(order - 1))
    assert values[0] == pytest.approx(leading, rel=0.02)


def student(nu: float) -> ScaleMixture:
    """Student's t of variance 1: variances e^u with weights e^(-nu u/2 - (nu/2 - 1) e^-u) on a grid of u."""
    u = np.arange(-6, 40, 0.25)
    logs = -nu / 2 * u - (nu / 2 - 1) * np.exp(-u)
    weights = np.exp(logs - logs.max())
    return ScaleMixture([0.0], [1.0], np.exp(u), weights / weights.sum())


def test_the_scale_mixture_is_students_t() -> None:
    """Its density at a small angle, over ten decades."""
    measure, x = student(3.5), np.array([[0.0], [1.0], [10.0], [100.0]])
    assert measure.covariance[0, 0] == pytest.approx(1.0, rel=1e-10)
    density = np.exp(exact_denoiser(measure).posterior(x, 1e-4).log_density)
    scale = math.sqrt(1.5 / 3.5)
    constant = math.gamma(2.25) / math.gamma(1.75) / math.sqrt(3.5 * math.pi) / scale
    expected = constant * (1 + (x[:, 0] / scale) ** 2 / 3.5) ** -2.25
    np.testing.assert_allclose(density, expected, rtol=1e-6)


@pytest.mark.parametrize(("alpha_bar", "order"), [(0.03, 0.96), (1e-6, 0.90), (1e-10, 0.89)])
def test_heavy_tails_break_the_order(alpha_bar: float, order: float) -> None:
    """Student's t, nu = 3.5, matched in mean and variance: not 2 but 0.96 at 0.03, 0.90 at 1e-6, to nu/4 = 0.875."""
    measure, z, step = student(3.5), np.linspace(-25, 25, 2001), math.exp(0.05)
    ends = [deviation(measure, 0.0, 1.0, alpha_bar * factor, z) for factor in (1 / step, step)]
    assert math.log(ends[1] / ends[0]) / 0.1 == pytest.approx(order, abs=0.005)


@pytest.mark.parametrize("alpha_bar", [0.9, 0.3, 1e-2, 1e-6])
@pytest.mark.parametrize("offset", [0.0, 0.7])
def test_the_deviation_is_of_order_sqrt_alpha_bar_for_every_law(offset: float, alpha_bar: float) -> None:
    """E|eps_hat - eps_hat'|^2 <= alpha_bar (alpha_bar + v (1 + offset^2)) for variance 1, heavy tails included.

    Where the means differ, that is its order.
    """
    v = 1 - alpha_bar
    bound = math.sqrt(alpha_bar * (alpha_bar + v * (1 + offset**2)))
    for measure, z in ((student(3.5), np.linspace(-25, 25, 2001)), (UNIT, np.linspace(-4, 4, 801))):
        found = deviation(measure, offset, 1.0, alpha_bar, z)
        assert found <= bound
        if offset:
            assert found >= 0.5 * offset * math.sqrt(alpha_bar * v)
