"""Lyapunov spectra against exact values, and the honesty of their errors."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import digamma

from pifs_sim.dynamics import Cocycle, Map, kaplan_yorke_dimension, lyapunov_spectrum
from tests.dynamics import textbook as maps

HENON_DIMENSION = 1.258268  # with an error of 2e-6


def newman(d: int) -> np.ndarray:
    """Exponents of products of matrices with independent N(0, 1) entries (Newman 1986, Commun. Math. Phys. 103)."""
    return (np.log(2) + digamma((d - np.arange(d)) / 2)) / 2


def gaussian(d: int, seed: int) -> Cocycle:
    return Cocycle.random(lambda rng, shape: rng.standard_normal((*shape, d, d)), dim=d, seed=seed)


def test_henon_has_its_known_exponents() -> None:
    """Within five standard errors 0.39/sqrt(N) of the literature's, whose own errors are 4e-6; the sum is ln 0.3."""
    found = lyapunov_spectrum(maps.HENON, maps.henon_starts(100), 20_000, transient=100)
    assert_allclose(found.exponents, maps.HENON_EXPONENTS, rtol=0, atol=5 * 0.39 / 2e6**0.5)
    assert found.exponents.sum() == pytest.approx(np.log(0.3), abs=1e-12)
    assert_allclose(found.per_orbit.mean(axis=0), found.exponents, rtol=1e-13)
    assert (found.rank, found.steps, found.finite_time, found.reasons) == (2, 20_000, False, (None,) * 100)
    assert found.kaplan_yorke.value == kaplan_yorke_dimension(found.exponents)
    assert abs(found.kaplan_yorke.value - HENON_DIMENSION) < 5 * found.kaplan_yorke.stderr + 2e-6


def test_the_cat_map_is_exact() -> None:
    """The Jacobian is constant: after the transient the frame is its eigenvectors, to rounding."""
    found = lyapunov_spectrum(maps.CAT, np.array([[0.1, 0.7]]), 500, transient=50)
    assert_allclose(found.exponents, [maps.CAT_EXPONENT, -maps.CAT_EXPONENT], rtol=0, atol=1e-12)
    assert (found.stderr <= 1e-12).all()
    assert found.kaplan_yorke.value == pytest.approx(2, abs=1e-11)


def test_constant_jacobians_give_the_logarithms_of_their_eigenvalues() -> None:
    """A triangular cocycle: any diagonal, any size above it."""
    rng = np.random.default_rng(1)
    A = np.triu(rng.standard_normal((4, 4)), 1) + np.diag([3.0, -1.5, 0.5, 0.01])
    found = lyapunov_spectrum(Cocycle(A[None], periodic=True), np.zeros((2, 4)), 400, transient=100)
    assert_allclose(found.exponents, np.log([3.0, 1.5, 0.5, 0.01]), rtol=0, atol=1e-12)


def test_gaussian_products_have_newmans_exponents() -> None:
    found = lyapunov_spectrum(gaussian(4, 3), np.zeros((50, 4)), 600)
    assert (np.abs(found.exponents - newman(4)) < 5 * found.stderr).all()
    assert (found.stderr < 0.02).all()


def coverage(errors: Any, stderr: Any) -> np.ndarray:
    return (np.abs(np.asarray(errors)) <= 1.96 * np.asarray(stderr)).mean(axis=0)


def test_the_standard_error_of_henon_is_honest() -> None:
    """200 runs of 1e5 steps: 95 % intervals hold the truth in 90..99 % of them, for the dimension too."""
    runs = [lyapunov_spectrum(maps.HENON, x[None], 100_000, transient=100) for x in maps.henon_starts(200, seed=7)]
    errors = np.array([run.exponents for run in runs]) - maps.HENON_EXPONENTS
    held = coverage(errors, [run.stderr for run in runs])
    assert ((held >= 0.9) & (held <= 0.99)).all(), held
    dimensions = np.array([run.kaplan_yorke for run in runs])
    held_dimension = coverage(dimensions[:, 0] - HENON_DIMENSION, dimensions[:, 1])
    assert 0.9 <= held_dimension <= 0.99
    spread = dimensions[:, 0].std(ddof=1)  # itself known to 5 %
    assert dimensions[:, 1].mean() == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize(("batch", "steps"), [(1, 320), (4, 96)])
def test_the_standard_error_of_gaussian_products_is_honest(batch: int, steps: int) -> None:
    runs = [lyapunov_spectrum(gaussian(2, seed), np.zeros((batch, 2)), steps, transient=10) for seed in range(200)]
    held = coverage([run.exponents - newman(2) for run in runs], [run.stderr for run in runs])
    assert ((held >= 0.9) & (held <= 0.99)).all(), held


def test_a_target_stops_the_run_when_it_is_reached() -> None:
    """From 1.96 sigma = 0.39/sqrt(N), 4e-3 needs about 1e4 steps of the 1e6 allowed."""
    found = lyapunov_spectrum(maps.HENON, maps.henon_starts(1), 1_000_000, transient=100, target_stderr=4e-3)
    assert (found.stderr <= 4e-3).all()
    assert 1_000 < found.steps < 100_000
    assert (np.abs(found.exponents - maps.HENON_EXPONENTS) < 5 * found.stderr).all()
    short = lyapunov_spectrum(maps.HENON, maps.henon_starts(1), 600, transient=100, target_stderr=1e-6)
    assert short.steps == 600
    assert (short.stderr > 1e-6).all()


def test_a_target_is_for_every_exponent() -> None:
    """The second of Newman's exponents fluctuates more than the first: sd of ln|chi_1| is 1.1, of ln|chi_2| 0.64."""
    found = lyapunov_spectrum(gaussian(2, 5), np.zeros((2, 2)), 50_000, target_stderr=0.05)
    assert found.stderr[0] < found.stderr[1] <= 0.05
    assert found.steps < 5_000


def test_the_interval_between_qrs_does_not_matter() -> None:
    """A ring of eight logistic maps on one orbit; frames of condition 1e4 between QRs cost 1e-12."""
    ring, x = maps.ring(8), np.random.default_rng(2).uniform(0.1, 0.9, (1, 8))
    every, third, chosen = (
        lyapunov_spectrum(ring, x, 600, transient=64, renormalise=interval) for interval in (1, 3, None)
    )
    assert (every.interval, third.interval) == (1, 3)
    assert chosen.interval > 1
    assert_allclose(third.exponents, every.exponents, rtol=0, atol=1e-9)
    assert_allclose(chosen.exponents, every.exponents, rtol=0, atol=1e-9)


def test_uneven_growth_does_not_mislead_the_interval() -> None:
    """Nothing for 180 steps, then 1e3 for 20: the determinant is 1, and the exponent 0.1 ln 1e3 to a few units/N."""

    def jacobian(x: Any, n: int) -> Any:
        a = 1e3 if n % 200 >= 180 else 1.0
        return np.broadcast_to(np.array([[a, 1.0], [0.0, 1 / a]]), (len(x), 2, 2))

    uneven = Map(lambda x, n: x, jacobian, dim=2)  # noqa: ARG005
    found = lyapunov_spectrum(uneven, np.zeros((1, 2)), 4000)
    every = lyapunov_spectrum(uneven, np.zeros((1, 2)), 4000, renormalise=1)
    assert_allclose(found.exponents, every.exponents, rtol=0, atol=1e-9)
    assert found.exponents.sum() == pytest.approx(0, abs=1e-9)
    assert found.exponents[0] == pytest.approx(0.1 * np.log(1e3), abs=20 / 4000)


def test_leading_exponents_are_those_of_the_whole_spectrum() -> None:
    ring, x = maps.ring(8), np.random.default_rng(2).uniform(0.1, 0.9, (2, 8))
    whole = lyapunov_spectrum(ring, x, 500, transient=200, rng=np.random.default_rng(4))
    part = lyapunov_spectrum(ring, x, 500, transient=200, k=3, rng=np.random.default_rng(4))
    assert_allclose(part.per_orbit, whole.per_orbit[:, :3], rtol=0, atol=1e-9)
    assert np.isnan(part.kaplan_yorke.value) == (np.cumsum(part.exponents) > 0).all()


def test_the_history_is_what_shorter_runs_find() -> None:
    ring, x = maps.ring(4), np.random.default_rng(3).uniform(0.1, 0.9, (3, 4))
    found = lyapunov_spectrum(ring, x, 960, transient=100)
    assert found.history.shape == (len(found.history_steps), 4)
    assert (np.diff(found.history_steps) > 0).all()
    assert found.history_steps[-1] == 960
    assert_allclose(found.history[-1], found.exponents, rtol=0, atol=1e-13)
    for i in (0, len(found.history) // 2):
        shorter = lyapunov_spectrum(ring, x, int(found.history_steps[i]), transient=100)
        assert_allclose(np.sort(found.history[i]), np.sort(shorter.exponents), rtol=0, atol=1e-9)


def test_the_history_of_henon_converges() -> None:
    """Its distance from the end falls as 1/sqrt(n): within 5 x 0.39/sqrt(n) everywhere."""
    found = lyapunov_spectrum(maps.HENON, maps.henon_starts(1), 200_000, transient=100)
    distance = np.abs(found.history - found.exponents)
    assert (distance <= 5 * 0.39 / found.history_steps[:, None] ** 0.5).all()


def test_transient_steps_are_not_counted() -> None:
    """They move point, frame and time: with them, a run goes on where one without them would be after as many."""
    seen: list[int] = []

    def jacobian(x: Any, n: int) -> Any:
        seen.append(n)
        return np.broadcast_to(np.diag([2.0, 0.5] if n >= 10 else [100.0, 50.0]), (len(x), 2, 2))

    found = lyapunov_spectrum(Map(lambda x, n: x, jacobian, dim=2), np.zeros((1, 2)), 300, transient=10)  # noqa: ARG005
    assert_allclose(found.exponents, np.log([2.0, 0.5]), rtol=0, atol=0.02)
    assert found.exponents.sum() == pytest.approx(0, abs=1e-14)
    assert (found.steps, seen[0], seen[-1], len(set(seen))) == (300, 0, 309, 310)


@pytest.mark.parametrize(
    ("system", "backend"),
    [(maps.RANK_ONE, None), (maps.RANK_ONE, "reference"), (maps.RANK_ONE_BATCH, None)],
    ids=["compiled", "reference", "batch"],
)
def test_a_map_of_rank_one_has_one_exponent(system: Any, backend: Any) -> None:
    """(x, y) -> (g, g), g = 4 s (1 - s), s the mean: the logistic map with ln 2, and a dead direction."""
    steps = 300
    found = lyapunov_spectrum(system, np.array([[0.2, 0.3], [0.15, 0.6]]), steps, transient=5, backend=backend)
    assert found.exponents[1] == -np.inf
    assert (found.per_orbit[:, 1] == -np.inf).all()
    assert found.exponents[0] == pytest.approx(np.log(2), abs=5 * 0.6 / (2 * steps) ** 0.5)
    assert (found.rank, found.stderr[1]) == (1, 0.0)
    assert found.kaplan_yorke == (1.0, 0.0)
    assert (found.history[:, 1] == -np.inf).all()


def test_orbits_and_seeds_reproduce_exactly() -> None:
    runs = [lyapunov_spectrum(maps.HENON_BATCH, maps.henon_starts(2), 200, transient=7) for _ in range(2)]
    assert np.array_equal(runs[0].per_orbit, runs[1].per_orbit)
    assert np.array_equal(runs[0].history, runs[1].history)


def test_single_precision_is_kept() -> None:
    """The orbit runs in float32; averages are of float64."""
    seen = set()

    def step(x: Any, n: int) -> Any:
        seen.add(x.dtype)
        return maps.henon_batch(x, n)

    system = Map(step, maps.henon_jacobians, dim=2)
    found = lyapunov_spectrum(system, maps.henon_starts(4).astype("f"), 1500, transient=20)
    assert seen == {np.dtype("float32")}
    assert found.exponents[0] == pytest.approx(maps.HENON_EXPONENTS[0], abs=5 * found.stderr[0])
    assert found.exponents.sum() == pytest.approx(np.log(0.3), abs=1e-5)


def test_progress_counts_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    lyapunov_spectrum(maps.HENON_BATCH, maps.henon_starts(1), 100, progress=lambda *pair: seen.append(pair))
    assert seen[-1] == (100, 100)
    assert [total for _, total in seen] == [100] * len(seen)
    assert all(a < b for (a, _), (b, _) in pairwise(seen))
