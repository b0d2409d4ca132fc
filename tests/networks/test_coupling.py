"""Coupling of patches, in three ways: against exact denoisers, prescribed blocks, and its own rates."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from pifs_sim.diffusion import Chain, exact_denoiser, schedules  # noqa: E402
from pifs_sim.dynamics import Patches, block_norms  # noqa: E402
from pifs_sim.dynamics.operators import Dense  # noqa: E402
from pifs_sim.networks import NetworkDenoiser  # noqa: E402
from pifs_sim.networks.coupling import chosen_method, coupling  # noqa: E402
from tests.networks.exact import blocks_with, exact_mixture  # noqa: E402

SCHEDULE = schedules.from_angles([0.1, 0.5, 1.0, 1.4])


def _sums(operator, patches):
    blocks = block_norms(operator, patches).blocks
    return (blocks * (1 - np.eye(patches.count))).sum(axis=2)


@pytest.mark.parametrize("method", ["exact", "lanczos"])
def test_delta_of_an_exact_denoiser_as_a_network_is_that_of_the_closed_form(method):
    rng = np.random.default_rng(0)
    law, module = exact_mixture(rng, dim=12)
    patches = Patches(12, 3)
    chain, exact = Chain(SCHEDULE, NetworkDenoiser(module, (12,))), Chain(SCHEDULE, exact_denoiser(law))
    for n in range(SCHEDULE.steps):
        x = rng.standard_normal((2, 12))
        found = coupling(chain.jacobian(x, n), patches, rng=rng, method=method, tolerance=1e-7)
        closed = block_norms(exact.jacobian(x, n), patches)
        assert found.method == method
        assert found.delta[0] == pytest.approx(closed.delta, rel=1e-7)
        assert (found.delta[1] <= closed.delta * (1 + 1e-12)).all()
        assert (closed.delta <= found.delta[2] * (1 + 1e-12)).all()
        if method == "exact":
            assert found.own.max(axis=1) == pytest.approx(closed.kappa, rel=1e-12)


@pytest.mark.parametrize("method", ["exact", "lanczos", "frobenius"])
def test_prescribed_blocks_are_bounded_and_found(method):
    rng = np.random.default_rng(1)
    patches = Patches((6, 4), 2)
    norms = rng.uniform(0.1, 1.0, (6, 6))
    operator = Dense(np.stack([blocks_with(norms, patches, rng) for _ in range(3)]))
    sums = (norms * (1 - np.eye(6))).sum(axis=1)
    found = coupling(operator, patches, rng=rng, method=method, tolerance=1e-7, probes=3)
    assert (found.lower <= sums + 1e-12).all()
    assert (found.upper >= sums - 1e-12).all()
    if method != "frobenius":
        assert found.value == pytest.approx(np.tile(sums, (3, 1)), rel=1e-7)
    if method == "exact":
        squares = patches.split(patches.split(operator.matrices**2).sum(axis=2).swapaxes(1, 2)).sum(axis=2)
        assert found.frobenius == pytest.approx(squares.swapaxes(1, 2), rel=1e-12)


def test_estimates_of_frobenius_norms_have_no_bias():
    rng = np.random.default_rng(2)
    patches, count = Patches(12, 4), 4000
    A = rng.standard_normal((12, 12))
    found = coupling(Dense(np.tile(A, (count, 1, 1))), patches, rng=rng, method="frobenius", probes=3)
    blocks = A.reshape(3, 4, 3, 4).transpose(0, 2, 1, 3)
    exact = np.sum(blocks**2, axis=(2, 3))
    error = found.frobenius.std(axis=0, ddof=1) / math.sqrt(count)
    assert (np.abs(found.frobenius.mean(axis=0) - exact) < 5 * error).all()
    variance = 2 * np.sum((blocks.swapaxes(2, 3) @ blocks) ** 2, axis=(2, 3)) / 3  # 2 |A^T A|_F^2/s
    assert found.frobenius.var(axis=0) == pytest.approx(variance, rel=0.25)  # 5 sigma of a heavy-tailed variance
    assert found.columns == count * 3 * 3


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("rank", [1, 2, 5])
@pytest.mark.parametrize("probes", [2, 4])
def test_bounds_of_delta_hold_at_their_rate(confidence, rank, probes):
    rng, count, n = np.random.default_rng([rank, probes]), 2000, 5
    patches = Patches(2 * n, n)
    A = np.zeros((2 * n, 2 * n))
    A[:n, n:] = np.diag([1.0, 0.9, 0.8, 0.7, 0.6] * (np.arange(n) < rank))
    A[n:, :n] = 1e-3 * A[:n, n:]
    operator = Dense(np.broadcast_to(A, (count, 2 * n, 2 * n)))
    found = coupling(operator, patches, rng=rng, method="frobenius", probes=probes, confidence=confidence)
    value, lower, upper = found.delta
    spread = 5 * math.sqrt(confidence * (1 - confidence) / count)
    assert (lower <= 1).all()
    assert (upper >= 1).mean() >= confidence - spread
    assert (lower <= value).all()
    assert (value <= upper).all()
    if rank == 1:  # the bound has no slack
        assert (upper >= 1).mean() <= confidence + spread


def test_bounds_of_sums_over_several_patches_hold_at_their_rate():
    rng, count = np.random.default_rng(4), 1000
    patches = Patches(16, 4)
    A = np.stack([np.outer(rng.standard_normal(16), rng.standard_normal(16)) for _ in range(count)])
    exact = _sums(Dense(A), patches).max(axis=1)
    for method, options in (("frobenius", {"probes": 3}), ("lanczos", {"most": 1})):
        found = coupling(Dense(A), patches, rng=rng, method=method, confidence=0.9, **options)
        assert (found.delta[1] <= exact * (1 + 1e-12)).all()
        assert (found.delta[2] >= exact).mean() >= 0.9 - 5 * math.sqrt(0.09 / count)


def test_the_bound_by_the_spectrum_of_the_products_is_below_that_by_their_frobenius_norm():
    rng = np.random.default_rng(5)
    patches = Patches(96, 24)
    A = rng.standard_normal((2, 96, 96)) * np.exp(-np.arange(96) / 8)
    found = coupling(Dense(A), patches, rng=rng, method="frobenius", probes=12)
    by_frobenius = np.sqrt(12 * found.frobenius / chi2.ppf(0.05 / 3, 12))
    ratio = found.upper / (by_frobenius * (1 - np.eye(4))).sum(axis=2)
    assert (ratio < 0.9).all()
    assert (ratio > 12**-0.5).all()


def test_one_patch_is_coupled_to_nothing():
    operator = Dense(np.random.default_rng(6).standard_normal((2, 5, 5)))
    for method in (None, "exact", "lanczos", "frobenius"):
        found = coupling(operator, Patches(5, 5), rng=np.random.default_rng(0), method=method, probes=2)
        assert (found.upper == 0).all()


def test_the_way_with_fewest_vectors_is_chosen():
    def chosen(d, n, probes=64, most=30, method=None):
        return chosen_method(Patches(d, n), method, probes=probes, most=most)

    assert chosen(768, 48) == "exact"
    assert chosen(3072, 192) == "frobenius"
    assert chosen(3072, 192, probes=192) == "exact"
    assert chosen(3072, 1536) == "lanczos"
    assert chosen(12288, 192) == "frobenius"
    assert chosen(12288, 64) == "exact"  # as many unit vectors as probes
    assert chosen(3072, 192, method="exact") == "exact"
    assert chosen(768, 48, method="frobenius") == "exact"
    with pytest.raises(ValueError, match='`method` "exact" is for d up to 3072, got d=12288'):
        chosen(12288, 192, method="exact")
    with pytest.raises(ValueError, match="`method` must be"):
        chosen(768, 48, method="hutchinson")


def test_arguments_that_do_not_fit_are_refused():
    operator, rng = Dense(np.eye(6)), np.random.default_rng(0)
    with pytest.raises(ValueError, match="`patches` partitions d=4, expected d=6"):
        coupling(operator, Patches(4, 2), rng=rng)
    with pytest.raises(ValueError, match="`probes` must be an integer of at least 1"):
        coupling(operator, Patches(6, 2), rng=rng, probes=0)
    with pytest.raises(ValueError, match="`confidence` must lie strictly between 0 and 1"):
        coupling(operator, Patches(6, 2), rng=rng, confidence=1.5)
