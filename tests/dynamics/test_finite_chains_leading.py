"""A few exponents of many, by `cotangent`: those of the whole product, with how far they settled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, exact_denoiser, geometry
from pifs_sim.diffusion.measures import Gaussian, Mixture
from pifs_sim.diffusion.schedules import uniform_angle
from pifs_sim.dynamics import Cocycle, Map, lyapunov_spectrum, products


def moving(rng: np.random.Generator, logs: np.ndarray) -> Any:
    """O_n D_n O_{n-1}^T for logs (count, d) of D: the sums of the logs are those of the product's singular values."""
    count, d = logs.shape
    frames = np.linalg.qr(rng.standard_normal((count + 1, d, d)))[0]
    return frames[1:] * np.exp(logs)[:, None, :] @ np.swapaxes(frames[:-1], 1, 2)


@pytest.mark.parametrize("spread", [0.02, 0.5, 3.0])
def test_two_of_260_exponents_are_the_first(spread: float) -> None:
    """A crowded spectrum, and a product that spans e^{40}: beyond d = 24 (k + 8) the whole product is not formed.

    A factor errs by rounding times its condition; iteration in a crowded spectrum stops a little short.
    """
    rng = np.random.default_rng(1)
    logs = spread * rng.standard_normal((4, 260))
    found = lyapunov_spectrum(Cocycle(moving(rng, logs)), np.zeros((1, 260)), 4, k=2)
    assert_allclose(found.exponents * 4, np.sort(logs.sum(axis=0))[:-3:-1], rtol=0, atol=1e-10)
    assert (found.stderr <= 1e-12).all()


def test_equal_leading_exponents_are_found() -> None:
    logs = np.zeros((3, 250))
    logs[:, :4] = 1.0
    found = lyapunov_spectrum(Cocycle(moving(np.random.default_rng(2), logs)), np.zeros((1, 250)), 3, k=2)
    assert_allclose(found.exponents, 1, rtol=1e-13)


def test_a_product_of_low_rank_has_dead_directions() -> None:
    rng = np.random.default_rng(3)
    A = rng.standard_normal((260, 1)) @ rng.standard_normal((1, 260))
    found = lyapunov_spectrum(Cocycle(np.array([A, A])), np.zeros((1, 260)), 2, k=2)
    assert_allclose(found.exponents[0] * 2, np.log(np.linalg.norm(A @ A, 2)), rtol=1e-12)
    assert found.exponents[1] == -np.inf


def test_a_gaussian_chain_of_many_dimensions_has_the_exponents_of_the_geometry() -> None:
    schedule, lam = uniform_angle(12, 0.05), np.geomspace(20, 1e-3, 400)
    chain = Chain(schedule, exact_denoiser(Gaussian(np.zeros(400), np.diag(lam))))
    found = lyapunov_spectrum(chain, np.zeros((2, 400)), 12, k=3)
    assert_allclose(found.exponents * 12, geometry.lyapunov_exponent(schedule, lam)[:3], rtol=0, atol=1e-10)


def test_exponents_that_have_not_settled_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With four iterations allowed the error is of the size of what `stderr` says, not of rounding."""
    monkeypatch.setattr(products, "_ITERATIONS", 4)
    rng = np.random.default_rng(4)
    logs = 0.05 * rng.standard_normal((3, 260))
    found = lyapunov_spectrum(Cocycle(moving(rng, logs)), np.zeros((2, 260)), 3, k=2)
    off = np.abs(found.exponents * 3 - np.sort(logs.sum(axis=0))[:-3:-1])
    assert (off > 1e-6).all()
    assert (3 * found.stderr > 0.1 * off).all()


@pytest.mark.parametrize("k", [1, 4, 11])
def test_exponents_of_a_mixtures_chain_are_the_first_of_all(k: int) -> None:
    rng = np.random.default_rng(5)
    law = Mixture(np.full(5, 0.2), rng.standard_normal((5, 24)), rng.uniform(0.01, 2, (5, 24)))
    chain, x = Chain(uniform_angle(15, 0.05), exact_denoiser(law)), rng.standard_normal((3, 24))
    whole, part = lyapunov_spectrum(chain, x, 15), lyapunov_spectrum(chain, x, 15, k=k)
    assert_allclose(part.per_orbit, whole.per_orbit[:, :k], rtol=0, atol=1e-12)


def test_every_orbit_has_a_dimension_of_its_own() -> None:
    """From diagonal products: (ln 2, -ln 4) has 1 + 1/2, (ln 2, ln 2) has 2, (-1, -2) has 0."""
    steps = np.array([np.diag([2.0, 0.25]), np.diag([2.0, 2.0]), np.diag(np.exp([-1.0, -2.0]))])
    found = lyapunov_spectrum(Cocycle(steps[None]), np.zeros((3, 2)), 1)
    assert_allclose(found.dimensions, [1.5, 2, 0], rtol=1e-14)
    leading = lyapunov_spectrum(Cocycle(steps[None]), np.zeros((3, 2)), 1, k=1)
    assert_allclose(leading.dimensions, [np.nan, np.nan, 0])


def test_an_orbit_that_fails_has_no_dimension() -> None:
    chain = Map(
        lambda x, n: np.where(x > 5, np.inf, 0.5 * x),  # noqa: ARG005
        lambda x, n: np.broadcast_to(0.5 * np.eye(2), (len(x), 2, 2)),  # noqa: ARG005
        dim=2,
        length=2,
    )
    with np.errstate(invalid="ignore"):
        found = lyapunov_spectrum(chain, np.array([[1.0, 1.0], [9.0, 1.0]]), 2)
    assert_allclose(found.dimensions, [0, np.nan])
    assert found.reasons[1] is not None


def test_orbits_of_a_map_without_end_have_dimensions() -> None:
    """x -> diag(2, 1/4) x near its fixed point: 1 + 1/2."""
    expanding = Map(
        lambda x, n: 0 * x,  # noqa: ARG005
        lambda x, n: np.broadcast_to(np.diag([2.0, 0.25]), (len(x), 2, 2)),  # noqa: ARG005
        dim=2,
    )
    found = lyapunov_spectrum(expanding, np.zeros((2, 2)), 200, transient=50)
    assert_allclose(found.dimensions, 1.5, rtol=1e-9)
