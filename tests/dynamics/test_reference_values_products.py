"""Products of matrices with known exponents: Gaussian (Newman 1986) and triangular."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

from pifs_sim.dynamics import Cocycle, catalogue, lyapunov_spectrum


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_products_of_gaussian_matrices_have_newmans_exponents(dim: int) -> None:
    """Var ln chi^2_m/2 = psi'(m/2)/4 a step: at most 1.24, so 1e6 steps give less than 2e-3."""
    entry = catalogue.gaussian_products(dim, seed=5)
    newman = [(math.log(2) + digamma((dim - i) / 2)) / 2 for i in range(dim)]
    np.testing.assert_allclose(entry.exponents, newman, rtol=0, atol=1e-15)
    found = lyapunov_spectrum(entry.system, entry.x0(500, np.random.default_rng(7)), 2000, transient=100)
    assert (np.abs(found.exponents - newman) <= 5 * found.stderr).all()
    assert found.stderr.max() < 2e-3
    assert abs(found.kaplan_yorke.value - entry.kaplan_yorke.value) <= 5 * found.kaplan_yorke.stderr + 1e-12


@st.composite
def triangular(draw: st.DrawFn) -> np.ndarray:
    """Upper triangular matrices (T, d, d): diagonals with logs in [-2, 2], of either sign, entries above up to 3."""
    T, d = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    diagonal = np.exp(rng.uniform(-2, 2, (T, d))) * rng.choice([-1.0, 1.0], (T, d))
    return np.triu(rng.uniform(-3, 3, (T, d, d)), 1) + diagonal[:, :, None] * np.eye(d)


@settings(max_examples=40)
@given(matrices=triangular())
def test_triangular_cocycles_have_the_mean_logs_of_their_diagonals(matrices: np.ndarray) -> None:
    """The eigenvalues of one period are products of the diagonals. Where two of their logs differ by g per step, the
    frame is off by e^{-g n}, which costs the mean over N steps at most 1/(g N) and at worst (no gap) ln n/N."""
    T, d, _ = matrices.shape
    expected = np.sort(np.log(np.abs(np.diagonal(matrices, axis1=1, axis2=2))).mean(axis=0))[::-1]
    gap = np.abs(np.diff(expected)).min(initial=np.inf)
    steps = 600 // T * T
    found = lyapunov_spectrum(Cocycle(matrices, periodic=True), np.zeros((1, d)), steps, transient=steps)
    tolerance = 1e-11 if gap > 0.1 else 20 / steps
    np.testing.assert_allclose(found.exponents, expected, rtol=0, atol=tolerance)
