"""Norms of a decoder against dense linear algebra, and the collage bound."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.dynamics import Patches, block_norms
from pifs_sim.fractals import PIFS, Layout, Quantiser, encode
from tests.fractals.codes import coded, photograph, pifs


def dense_blocks(system: PIFS) -> Any:
    """|L_kj|_2 of all pairs of ranges, (K, K), from the dense matrix."""
    matrix, owners = system.matrix().toarray(), system.wiring.owners
    groups = [np.flatnonzero(owners == k) for k in range(len(system.ranges))]
    return np.array([[np.linalg.norm(matrix[np.ix_(rows, columns)], 2) for columns in groups] for rows in groups])


def stretch(system: PIFS, sweeps: int = 30) -> float:
    """A lower bound of the induced block-max norm, by alternating maximisation from one start for each range."""
    matrix, owners = system.matrix().toarray(), system.wiring.owners
    best = 0.0
    for k in range(len(system.ranges)):
        rows = matrix[owners == k]
        u = np.random.default_rng(k).standard_normal(len(rows))
        for _ in range(sweeps):
            x = rows.T @ u
            lengths = np.sqrt(np.bincount(owners, x * x))
            x /= np.maximum(lengths, 1e-300)[owners]
            u = rows @ x
        best = max(best, float(np.linalg.norm(u)))
    return best


@settings(max_examples=40)
@given(system=pifs(pixels=13))
def test_every_norm_is_that_of_the_dense_matrix(system: PIFS) -> None:
    found, matrix, blocks = system.contraction(), system.matrix().toarray(), dense_blocks(system)
    own = np.diag(blocks)
    assert found.norm_inf == pytest.approx(np.linalg.norm(matrix, np.inf), rel=1e-14)
    assert found.norm_two == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-9)
    assert found.kappa == pytest.approx(own.max(), rel=1e-12)
    assert found.delta == pytest.approx((blocks.sum(axis=1) - own).max(), rel=1e-12, abs=1e-14)
    assert found.row_sum == pytest.approx(blocks.sum(axis=1).max(), rel=1e-12)
    radius = float(np.abs(np.linalg.eigvals(matrix)).max())
    assert found.spectral_radius == pytest.approx(radius, rel=1e-6, abs=1e-3 if found.spectral_radius == 0 else 1e-9)


@settings(max_examples=40)
@given(system=pifs(pixels=13))
def test_the_norms_are_in_order(system: PIFS) -> None:
    """Spectral radius <= every norm; induced block-max norm <= its bound <= row sum <= kappa + delta."""
    found, rounding = system.contraction(), 1 + 1e-12
    assert found.spectral_radius <= rounding * min(found.norm_inf, found.norm_two, found.block_max)
    assert stretch(system) <= rounding * found.block_max
    assert found.block_max <= rounding * found.row_sum <= rounding**2 * (found.kappa + found.delta)


@pytest.mark.parametrize("seed", range(4))
def test_the_block_max_norm_is_attained_where_no_average_straddles_ranges(seed: int) -> None:
    system = coded(Layout((16, 16), 4, 4, 2, 2), Quantiser(5, 7, 0.9), np.random.default_rng(seed))
    assert stretch(system) == pytest.approx(system.contraction().block_max, rel=1e-9)


def test_the_norms_are_those_of_block_norms_for_equal_ranges() -> None:
    system = encode(photograph()[280:304, 240:264], 4, domain_step=3)
    image = Patches(system.layout.padded, 4)
    expected, found = block_norms(system.matrix().toarray(), image), system.contraction()
    for name, value in (("kappa", found.kappa), ("delta", found.delta), ("row_sum", found.row_sum)):
        assert value == pytest.approx(getattr(expected, name)[0], rel=1e-12)
    assert found.norm_two == pytest.approx(expected.norm[0], rel=1e-10)


def test_a_map_without_circles_has_spectral_radius_zero() -> None:
    """Every range but those of the first domain takes it, and those are flat: L^2 = 0."""
    layout = Layout((16, 16), 4, 4, 2, 8)
    ranges = np.array([[y, x, 4] for y in range(0, 16, 4) for x in range(0, 16, 4)])
    first = (ranges[:, :2] < 8).all(axis=1)
    zeros = np.zeros(16, dtype=int)
    system = PIFS(layout, Quantiser(5, 7, 0.9), ranges, zeros, zeros, np.where(first, 0, 15), zeros)
    found = system.contraction()
    assert found.spectral_radius == 0
    assert (found.norm_inf, found.norm_two) == (0.9, pytest.approx(0.45 * math.sqrt(12)))
    assert np.array_equal(system.decode(iterations=2), system.decode(iterations=3))


@pytest.mark.parametrize(("side", "size"), [(16, 8), (64, 32), (96, 8)])
def test_equal_contrasts_are_the_spectral_radius(side: int, size: int) -> None:
    """Rows sum to s, so that constants are eigenvectors; one domain alone, and many."""
    rng, count = np.random.default_rng(side), (side // size) ** 2
    layout = Layout((side, side), size, size)
    drawn = coded(layout, Quantiser(5, 7, 0.9), rng, flat=0.0)
    system = replace(
        drawn, contrast_levels=np.full(count, -10), domains=0 * drawn.domains if count == 4 else drawn.domains
    )
    assert system.contraction().spectral_radius == pytest.approx(0.6, rel=1e-9)


def test_a_map_without_domains_has_norm_zero() -> None:
    system = coded(Layout((40, 40)), Quantiser(), np.random.default_rng(0), flat=1.0)
    found = system.contraction()
    assert found.iterations() == 1
    assert not any([found.norm_inf, found.norm_two, found.spectral_radius, found.kappa, found.delta, found.block_max])


def test_iterations_follow_from_the_largest_contrast() -> None:
    found = coded(Layout((16, 16)), Quantiser(2, 7, 0.5), np.random.default_rng(1)).contraction()
    assert found.norm_inf == 0.5
    assert [found.iterations(2.0**-k) for k in (1, 5, 20)] == [1, 5, 20]
    assert found.iterations(0.9) == 1
    with pytest.raises(ValueError, match="`tolerance`"):
        found.iterations(0.0)


@given(system=pifs(), seed=st.integers(0, 99), near=st.booleans())
def test_the_collage_bound_is_never_broken(system: PIFS, seed: int, near: bool) -> None:
    """For noise, and for pictures near the fixed point."""
    noise = np.random.default_rng(seed).random(system.shape)
    image = np.clip(system.decode() + 1e-3 * noise, 0, 1) if near else noise
    found = system.collage(image)
    assert found.distance <= (1 + 1e-9) * found.bound + 1e-12
    assert found.error <= (1 + found.factor) * found.distance + 1e-12  # |x - W x| <= |x - x*| + |W x* - W x|
    assert found.error == system.collage_error(image)


def test_the_collage_bound_is_attained_by_constants() -> None:
    """x -> s x + o with every contrast s, from a constant: (1 - s)|x - x*| = |x - W x|."""
    ranges, ones = np.array([[0, 0, 4], [0, 4, 4], [4, 0, 4], [4, 4, 4]]), np.ones(4, dtype=int)
    system = PIFS(Layout((8, 8), 4, 4), Quantiser(5, 7, 0.9), ranges, 0 * ones, 0 * ones, 10 * ones, 64 * ones)
    found = system.collage(np.full((8, 8), 0.9))
    assert found.factor == pytest.approx(0.6)
    assert found.distance == pytest.approx(found.bound, rel=1e-12)


def test_without_contraction_nothing_is_promised() -> None:
    system = coded(Layout((8, 8), 4, 4), Quantiser(5, 7, 1.5), np.random.default_rng(2))
    assert system.contraction().norm_inf >= 1
    with pytest.raises(ValueError, match="`iterations`"):
        system.decode()
    with pytest.raises(ValueError, match="nothing bounds"):
        system.contraction().iterations()
    found = system.collage(np.zeros((8, 8)))
    assert found.bound == math.inf
    assert math.isnan(found.distance)
    assert system.decode(iterations=3).shape == (8, 8)
