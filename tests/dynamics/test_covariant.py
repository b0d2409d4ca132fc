"""Covariant Lyapunov vectors: carried by the tangent map onto each other, growing by the exponents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Cocycle, CovariantVectors, Map, covariant_vectors, local_exponents, lyapunov_spectrum
from tests.dynamics import textbook as maps

RING, RING_START = maps.ring(5), np.random.default_rng(0).uniform(0.1, 0.9, (2, 5))


@pytest.mark.parametrize(
    ("system", "x0", "k"), [(maps.HENON_BATCH, maps.henon_starts(2), 2), (RING, RING_START, 5), (RING, RING_START, 3)]
)
def test_the_tangent_map_carries_the_vectors_onto_each_other(system: Any, x0: Any, k: int) -> None:
    """J_n v_j(n) = e^{growth} v_j(n+1) up to sign: by construction, with rounding of the coefficients."""
    found = covariant_vectors(system, x0, 60, k=k, transient=200, backward=200)
    assert found.points.shape == (60, len(x0), system.dim)
    assert_allclose(np.linalg.norm(found.vectors, axis=2), 1, rtol=0, atol=1e-12)
    for n in range(59):
        moved, pushed = system.tangent(found.points[n], 200 + n, found.vectors[n])
        assert np.array_equal(moved, found.points[n + 1])
        lengths = np.linalg.norm(pushed, axis=1)
        assert_allclose(np.log(lengths), found.growth[n], rtol=0, atol=1e-9)
        signs = np.sign((pushed * found.vectors[n + 1]).sum(axis=1))
        assert_allclose(pushed / lengths[:, None] * signs[:, None], found.vectors[n + 1], rtol=0, atol=1e-9)


def test_the_cat_maps_vectors_are_its_eigenvectors() -> None:
    """Everywhere, and growing by +-ln((3 + sqrt 5)/2); they are at right angles."""
    found = covariant_vectors(maps.CAT, np.array([[0.1, 0.7]]), 20, transient=60, backward=60)
    golden = (1 + 5**0.5) / 2
    expected = np.array([[golden, 1.0], [1.0, -golden]]).T / (1 + golden**2) ** 0.5
    aligned = np.abs(np.swapaxes(found.vectors, 2, 3) @ expected)
    assert_allclose(aligned, np.broadcast_to(np.eye(2), aligned.shape), rtol=0, atol=1e-12)
    assert_allclose(found.growth, np.broadcast_to([maps.CAT_EXPONENT, -maps.CAT_EXPONENT], (19, 1, 2)), atol=1e-12)
    assert_allclose(found.angles(0, 1), np.pi / 2, rtol=0, atol=1e-12)
    assert_allclose(found.splitting(1), np.pi / 2, rtol=0, atol=1e-12)


def test_a_constant_matrix_has_its_eigenvectors_however_oblique() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((4, 4))
    vectors /= np.linalg.norm(vectors, axis=0)
    A = (vectors * [3.0, -2.0, 0.9, 0.4]) @ np.linalg.inv(vectors)
    found = covariant_vectors(Cocycle(A[None], periodic=True), np.zeros((1, 4)), 5, transient=150, backward=150)
    aligned = np.abs((found.vectors * vectors).sum(axis=2))
    assert_allclose(aligned, 1, rtol=0, atol=1e-12)
    assert_allclose(found.growth, np.broadcast_to(np.log([3.0, 2.0, 0.9, 0.4]), (4, 1, 4)), rtol=0, atol=1e-10)
    cosines = np.abs(vectors.T @ vectors)
    for i, j in ((0, 1), (1, 3), (2, 0)):
        assert_allclose(found.angles(i, j), np.arccos(cosines[i, j]), rtol=0, atol=1e-8)


def test_their_growth_averages_to_the_exponents() -> None:
    """To O(1/N): both are |J v| along one orbit, of vectors at a bounded angle."""
    N = 1500
    found = covariant_vectors(RING, RING_START, N + 1, k=3, transient=300, backward=300)
    spectrum = lyapunov_spectrum(RING, RING_START, N, k=3, transient=300)
    assert_allclose(found.growth.mean(axis=0), spectrum.per_orbit, rtol=0, atol=10 / N)


def test_vectors_do_not_depend_on_when_or_how_they_were_begun() -> None:
    """From another point of the past, another frame and another end of the future, up to sign."""
    early = covariant_vectors(maps.HENON_BATCH, maps.henon_starts(1), 40, transient=300, backward=300)
    late = covariant_vectors(
        maps.HENON_BATCH, maps.henon_starts(1), 20, transient=310, backward=280, rng=np.random.default_rng(9)
    )
    assert np.array_equal(early.points[10:30], late.points)
    aligned = np.abs((early.vectors[10:30] * late.vectors).sum(axis=2))
    assert_allclose(aligned, 1, rtol=0, atol=1e-10)
    assert_allclose(early.growth[10:29], late.growth, rtol=0, atol=1e-7)


def test_the_first_vector_is_that_of_a_long_push_and_the_last_of_a_long_pull() -> None:
    """v_1 is where everything is pushed to, and v_d where everything is pulled to from the future."""
    found = covariant_vectors(maps.HENON_BATCH, maps.henon_starts(1), 80, transient=300, backward=300)
    V = np.array([[[1.0], [0.3]]])
    for n in range(79):
        V = maps.HENON_BATCH.tangent(found.points[n], n, V)[1]
        V /= np.linalg.norm(V)
    assert abs((V[0, :, 0] * found.vectors[79, 0, :, 0]).sum()) == pytest.approx(1, abs=1e-12)
    V = np.array([[[1.0], [0.3]]])
    for n in range(78, -1, -1):
        V = np.linalg.solve(maps.henon_jacobians(found.points[n], n), V)
        V /= np.linalg.norm(V)
    assert abs((V[0, :, 0] * found.vectors[0, 0, :, 1]).sum()) == pytest.approx(1, abs=1e-12)


def test_small_angles_keep_their_digits() -> None:
    """Between (1, 0) and (1, e), and between a plane and a line e above it."""
    tiny = 1e-12
    V = np.array([[1.0, 1.0, 0.0], [0.0, tiny, 0.0], [0.0, 0.0, 1.0]])
    found = CovariantVectors(np.zeros((1, 1, 3)), (V / np.linalg.norm(V, axis=0))[None, None], np.empty((0, 1, 3)))
    assert found.angles(0, 1)[0, 0] == pytest.approx(tiny, rel=1e-10)
    assert found.angles(0, 2)[0, 0] == pytest.approx(np.pi / 2, rel=1e-15)
    assert found.splitting(1)[0, 0] == pytest.approx(tiny, rel=1e-3)
    assert found.splitting(2)[0, 0] == pytest.approx(np.pi / 2, rel=1e-12)


def test_local_exponents_average_to_the_exponents() -> None:
    """Every window's growth from the same frames: their mean is the whole run's, to rounding."""
    found = local_exponents(RING, RING_START, 400, window=8, transient=100)
    whole = lyapunov_spectrum(RING, RING_START, 400, transient=100)
    assert found.shape == (50, 2, 5)
    assert_allclose(found.mean(axis=0), whole.per_orbit, rtol=0, atol=1e-9)


def test_local_exponents_of_a_line_are_its_slopes() -> None:
    logistic = Map(lambda x, n: 4 * x * (1 - x), lambda x, n: (4 - 8 * x)[:, :, None], dim=1)  # noqa: ARG005
    found = local_exponents(logistic, np.array([[0.3]]), 40, window=1, transient=3)
    x = 0.3
    for n in range(43):
        if n >= 3:
            assert found[n - 3, 0, 0] == pytest.approx(np.log(abs(4 - 8 * x)), abs=1e-14)
        x = 4 * x * (1 - x)


def test_local_exponents_of_failed_orbits_are_nan_and_of_dead_directions_minus_infinity() -> None:
    found = local_exponents(maps.HENON_BATCH, np.array([[5.0, 5.0], [0.1, 0.1]]), 20, window=4)
    assert np.isfinite(found[:, 1]).all()
    assert np.isfinite(found[0, 0]).all()
    assert np.isnan(found[2:, 0]).all()
    dead = local_exponents(maps.RANK_ONE_BATCH, np.array([[0.2, 0.3]]), 20, window=5)
    assert (dead[:, 0, 1] == -np.inf).all()
    assert np.isfinite(dead[:, 0, 0]).all()


@pytest.mark.parametrize(
    ("system", "options", "message"),
    [
        (maps.HENON_BATCH, {"k": 3}, "`k`"),
        (maps.HENON_BATCH, {"steps": 0}, "`steps`"),
        (maps.HENON_BATCH, {"transient": -1}, "`transient`"),
        (maps.HENON_BATCH, {"backward": -1}, "`backward`"),
        (maps.HENON_BATCH, {"x0": np.ones((1, 3))}, "`x0`"),
        (maps.HENON_BATCH, {"x0": np.array([[5.0, 5.0]])}, "finite orbits .* step n="),
        (maps.RANK_ONE_BATCH, {"x0": np.array([[0.2, 0.3]])}, "k=2 live directions: step n="),
        (Cocycle(np.ones((9, 2, 2))), {}, "`transient . steps . backward`"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_bad_arguments_are_refused_by_name(system: Any, options: Any, message: str) -> None:
    given: dict[str, Any] = {"x0": maps.henon_starts(1), "steps": 10, "transient": 10, "backward": 10} | options
    with pytest.raises(ValueError, match=message):
        covariant_vectors(system, given.pop("x0"), given.pop("steps"), **given)


def test_live_directions_of_a_map_without_rank_have_vectors() -> None:
    """k = 1 of a rank-one map: (1, 1)/sqrt 2 everywhere after the first step."""
    system = Map(maps.folded_batch, maps.folded_jacobians, dim=2)
    found = covariant_vectors(system, np.array([[0.2, 0.3]]), 10, k=1, transient=5, backward=5)
    assert_allclose(np.abs(found.vectors), 0.5**0.5, rtol=1e-12)


def test_vectors_must_be_split_somewhere() -> None:
    found = covariant_vectors(maps.HENON_BATCH, maps.henon_starts(1), 3, transient=3, backward=3)
    for j in (0, 2):
        with pytest.raises(ValueError, match="`j`"):
            found.splitting(j)
