"""Synthetic PIFS: prescribed norms and radii, pairings and their limit, contraction at the predicted rate."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.dynamics import Patches, System, block_norms, lyapunov_spectrum
from pifs_sim.fractals import AffinePIFS, random_pifs
from pifs_sim.testing import check_system

SIZES: dict[str, Any] = {
    "seed": st.integers(0, 2**32 - 1),
    "patches": st.integers(1, 7),
    "size": st.integers(1, 4),
    "level": st.floats(0.05, 0.98),
    "pairing": st.sampled_from([{"pairing": "hard"}, {"pairing": "soft"}, {"pairing": "soft", "temperature": 0.1}]),
}


def drawn(seed: int, patches: int, size: int, level: float, pairing: dict[str, Any], **options: Any) -> AffinePIFS:
    """A random PIFS with a prescribed row sum."""
    return random_pifs(patches, size, norm=level, **pairing, **options, rng=np.random.default_rng(seed))


def block_max(x: Any, patches: Patches) -> Any:
    """max_k |x_k|_2 of vectors (B, d)."""
    return np.linalg.norm(patches.split(x), axis=2).max(axis=1)


def stretch(pifs: AffinePIFS, sweeps: int = 10) -> float:
    """A lower bound of the induced block-max norm: alternating maximisation for every row, from what its blocks prefer.

    For an output direction u the best x has x_j along A_kj^T u; for x the best u is that of sum_j A_kj x_j.
    """
    best, count, n = 0.0, pifs.patches.count, pifs.patches.length
    for rows in pifs.matrix.reshape(count, n, -1):
        u = np.linalg.svd(rows.reshape(n, count, n).swapaxes(0, 1))[0][:, :, 0]
        for _ in range(sweeps):
            x = (u @ rows).reshape(count, count, n)
            x /= np.maximum(np.linalg.norm(x, axis=2, keepdims=True), 1e-300)
            u = x.reshape(count, -1) @ rows.T
        best = max(best, float(np.linalg.norm(u, axis=1).max()))
    return best


@given(**SIZES)
def test_the_row_sum_is_prescribed_and_the_norms_are_in_order(**point: Any) -> None:
    """Induced block-max norm <= row sum = the prescribed one <= kappa + delta; spectral radius below all."""
    pifs = drawn(**point)
    found, rounding = block_norms(pifs.matrix, pifs.patches), 1 + 1e-12
    assert found.row_sum[0] == pytest.approx(point["level"], rel=1e-12)
    assert stretch(pifs) <= rounding * found.row_sum[0]
    assert found.row_sum[0] <= rounding * (found.kappa[0] + found.delta[0])
    assert np.abs(np.linalg.eigvals(pifs.matrix)).max() <= rounding * point["level"]


@settings(max_examples=40)
@given(**SIZES)
def test_the_induced_norm_is_the_prescribed_one_if_hard_or_aligned(**point: Any) -> None:
    hard = point["pairing"]["pairing"] == "hard"
    assert stretch(drawn(**point, aligned=not hard)) == pytest.approx(point["level"], rel=1e-9)


def test_the_induced_norm_of_a_soft_pairing_is_strictly_below_the_row_sum() -> None:
    pifs = drawn(1, 5, 3, 0.9, {"pairing": "soft"})
    assert 0.3 < stretch(pifs) < 0.85


@given(**SIZES)
def test_the_fixed_point_is_reached_at_the_predicted_rate(**point: Any) -> None:
    """|W^n x - x*| <= s^n |x - x*| in the block-max norm, from two starts."""
    pifs, s = drawn(**point), point["level"]
    x = 10 * np.random.default_rng(point["seed"]).standard_normal((2, pifs.dim))
    first = block_max(x - pifs.fixed_point, pifs.patches)
    for n in range(1, 25):
        x = pifs.step(x, n)
        assert (block_max(x - pifs.fixed_point, pifs.patches) <= s**n * first * (1 + 1e-9) + 1e-12).all()
    assert pifs.step(pifs.fixed_point[None], 0)[0] == pytest.approx(pifs.fixed_point, abs=1e-12)


@given(**SIZES)
def test_the_collage_bound_is_never_broken(**point: Any) -> None:
    """|x - x*| <= |x - W x|/(1 - s), near the fixed point and far from it."""
    pifs = drawn(**point)
    x = pifs.fixed_point + np.random.default_rng(0).standard_normal((4, pifs.dim)) * 10.0 ** np.array(
        [[-6], [-2], [0], [3]]
    )
    error = block_max(x - pifs.step(x, 0), pifs.patches)
    distance = block_max(x - pifs.fixed_point, pifs.patches)
    assert (distance <= (1 + 1e-6) * error / (1 - point["level"])).all()


@given(seed=st.integers(0, 999), radius=st.floats(0.01, 3), pairing=SIZES["pairing"])
def test_the_spectral_radius_is_prescribed(seed: int, radius: float, pairing: dict[str, Any]) -> None:
    pifs = random_pifs(5, 2, spectral_radius=radius, **pairing, rng=np.random.default_rng(seed))
    assert np.abs(np.linalg.eigvals(pifs.matrix)).max() == pytest.approx(radius, rel=1e-9)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), radius=st.floats(0.3, 0.9), pairing=SIZES["pairing"])
def test_a_radius_below_one_draws_orbits_to_the_fixed_point(seed: int, radius: float, pairing: dict[str, Any]) -> None:
    """Whatever the norm: the first exponent is ln radius, within C ln n/n, C for a Jordan block of d."""
    pifs = random_pifs(4, 2, spectral_radius=radius, **pairing, rng=np.random.default_rng(seed))
    x, n = pifs.fixed_point + 10 * np.random.default_rng(seed).standard_normal((2, 8)), 400
    exponent = lyapunov_spectrum(pifs, x, n, k=1).exponents[0]
    assert abs(exponent - np.log(radius)) <= (8 * np.log(n) + 12) / n
    for step in range(n):
        x = pifs.step(x, step)
    assert x == pytest.approx(np.stack([pifs.fixed_point] * 2), abs=1e-9)


def test_a_radius_below_one_allows_norms_above() -> None:
    found = [random_pifs(4, 2, spectral_radius=0.9, rng=np.random.default_rng(seed)) for seed in range(20)]
    assert max(block_norms(pifs.matrix, pifs.patches).row_sum[0] for pifs in found) > 1.5


@given(seed=st.integers(0, 999), patches=st.integers(1, 8))
def test_the_hard_limit_of_a_soft_pairing_is_the_hard_one(seed: int, patches: int) -> None:
    """Bit by bit, at temperature 0 and well above it; with one domain for each range."""
    hard = random_pifs(patches, 2, rng=np.random.default_rng(seed))
    for temperature in (0.0, 1e-9):
        soft = random_pifs(patches, 2, pairing="soft", temperature=temperature, rng=np.random.default_rng(seed))
        assert np.array_equal(soft.matrix, hard.matrix)
        assert np.array_equal(soft.offset, hard.offset)
    assert (np.count_nonzero(block_norms(hard.matrix, hard.patches).blocks[0], axis=1) == 1).all()


def test_a_soft_pairing_converges_to_the_hard_one_as_it_cools() -> None:
    hard = random_pifs(6, 3, rng=np.random.default_rng(7))
    distances = [
        np.abs(
            random_pifs(6, 3, pairing="soft", temperature=t, rng=np.random.default_rng(7)).matrix - hard.matrix
        ).max()
        for t in (10.0, 1.0, 0.1, 0.003)
    ]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] > 0.1 > 1e-3 > distances[-1]


def test_hot_pairings_are_uniform() -> None:
    """All blocks of a row have the same norm."""
    blocks = block_norms(*hot()).blocks[0]
    assert blocks == pytest.approx(np.repeat(blocks[:, :1], 5, axis=1), rel=1e-9)


def hot() -> tuple[Any, Patches]:
    """A matrix at a temperature of a million million, and its patches."""
    pifs = random_pifs(5, 3, pairing="soft", temperature=1e12, rng=np.random.default_rng(3))
    return pifs.matrix, pifs.patches


def test_pairs_are_weights_times_maps() -> None:
    w, A = np.array([[0.25, 0.75], [1.0, 0.0]]), np.arange(16.0).reshape(2, 2, 2, 2)
    pifs = AffinePIFS.paired(w, A, np.arange(4.0))
    x = np.array([[1.0, 2.0, 3.0, 4.0]])
    expected = [0.25 * A[0, 0] @ x[0, :2] + 0.75 * A[0, 1] @ x[0, 2:], A[1, 0] @ x[0, :2]]
    assert pifs.step(x, 0)[0] == pytest.approx(np.concatenate(expected) + np.arange(4.0))
    shared = AffinePIFS.paired(w, 2 * np.eye(3), np.zeros(6))
    assert np.array_equal(shared.matrix, np.kron(w, 2 * np.eye(3)))


@pytest.mark.parametrize("pairing", [{"pairing": "hard"}, {"pairing": "soft"}])
def test_a_synthetic_pifs_is_a_system(pairing: dict[str, Any]) -> None:
    pifs = drawn(5, 3, 2, 0.8, pairing)
    assert isinstance(pifs, System)
    check_system(pifs, np.random.default_rng(0).standard_normal((3, 6)), steps=12)


def test_arrays_of_other_libraries_stay_so() -> None:
    pifs = random_pifs(3, 2)
    x, V = np.ones((2, 6), np.float32), np.ones((2, 6, 3), np.float32)
    for found, expected in zip(
        (*pifs.tangent(array_api_strict.asarray(x), 0, array_api_strict.asarray(V)),),
        pifs.tangent(x, 0, V),
        strict=True,
    ):
        assert type(found).__module__.startswith("array_api_strict")
        assert expected.dtype == np.float32
        assert np.asarray(found) == pytest.approx(expected, rel=1e-6)


def test_without_a_generator_the_draw_is_that_of_seed_zero() -> None:
    assert np.array_equal(random_pifs(3, 2).matrix, random_pifs(3, 2, rng=np.random.default_rng(0)).matrix)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"patches": 0}, "shape"),
        ({"size": 0}, "shape"),
        ({"norm": 0.0}, "norm"),
        ({"norm": np.nan}, "norm"),
        ({"norm": 0.5, "spectral_radius": 0.5}, "norm"),
        ({"spectral_radius": -1.0}, "spectral_radius"),
        ({"pairing": "firm"}, "pairing"),
        ({"temperature": 1.0}, "temperature"),
        ({"pairing": "soft", "temperature": -1.0}, "temperature"),
        ({"pairing": "soft", "temperature": np.nan}, "temperature"),
    ],
)
def test_bad_arguments_are_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"`{named}`"):
        random_pifs(**({"patches": 3, "size": 2} | options))


def test_matrices_that_do_not_fit_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="`weights`"):
        AffinePIFS.paired(np.array([[0.5, 0.6], [1.0, 0.0]]), np.eye(2), np.zeros(4))
    with pytest.raises(ValueError, match="`weights`"):
        AffinePIFS.paired(np.array([[1.5, -0.5], [1.0, 0.0]]), np.eye(2), np.zeros(4))
    with pytest.raises(ValueError, match="`maps`"):
        AffinePIFS.paired(np.eye(2), np.ones((3, 3, 2, 2)), np.zeros(4))
    with pytest.raises(ValueError, match="`offset`"):
        AffinePIFS(np.eye(4), np.zeros(3), Patches(4, 2))
    with pytest.raises(ValueError, match="`matrix`"):
        AffinePIFS(np.full((4, 4), np.inf), np.zeros(4), Patches(4, 2))
    with pytest.raises(ValueError, match="no unique fixed point"):
        _ = AffinePIFS(np.eye(4), np.zeros(4), Patches(4, 2)).fixed_point
