"""Block matrices, chains, patches and IFS are what their strategies say, and reach the regions that tests need."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import find, given, settings

from pifs_sim.dynamics import block_norms
from pifs_sim.dynamics.operators import Dense
from pifs_sim.testing import check_system, strategies


@pytest.mark.parametrize("symmetric", [False, True])
def test_block_matrices_have_the_norms_they_came_with(symmetric):
    @given(strategies.block_matrices(largest=2.0, symmetric=symmetric))
    @settings(max_examples=40)
    def check(made):
        found = block_norms(Dense(made.matrix[None]), made.patches)
        assert np.abs(found.blocks[0] - made.norms).max() <= 1e-14 * made.norms.max()
        assert (
            not symmetric
            or np.array_equal(made.matrix, made.matrix.T)
            or np.allclose(made.matrix, made.matrix.T, rtol=0, atol=1e-15)
        )

    check()


@given(strategies.ifs())
def test_an_ifs_is_of_similarities_with_its_ratios(made):
    found = np.linalg.svd(made.ifs.matrices, compute_uv=False)
    assert np.abs(found - made.ratios[:, None]).max() <= 1e-14
    assert made.ifs.is_contractive()


@given(strategies.partitioned_ifs())
def test_a_partitioned_ifs_contracts_to_one_point(made):
    near = made.step(np.zeros((1, made.dim)), 0)
    far = made.step(np.full((1, made.dim), 7.0), 0)
    assert np.linalg.norm((far - near).reshape(-1, made.patches.length), axis=1).max() < 7 * made.patches.length**0.5


@given(strategies.chains(("isotropic", "full"), max_steps=4, start=0.2, stop=1.4, singular=False))
@settings(max_examples=10)
def test_chains_are_systems(chain):
    check_system(chain, np.random.default_rng(0).standard_normal((2, chain.dim)), power=1, single=False)


@given(strategies.denoisers())
def test_denoisers_know_their_law(denoiser):
    assert denoiser.dim == denoiser.measure.dim
    end = denoiser.posterior_mean(np.ones((1, denoiser.dim)), np.pi / 2)
    assert np.abs(end - denoiser.measure.mean).max() <= 1e-12 * (1 + np.abs(denoiser.measure.mean).max())


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (strategies.patches(), lambda p: len(p.shape) == 3 and p.count > 1),
        (strategies.patches(), lambda p: len(p.shape) == 1 and p.count > 2),
        (strategies.patches(), lambda p: p.count == 1),
        (strategies.block_matrices(), lambda m: (m.norms == 0).any() and (m.norms == 1).any() and m.patches.count > 2),
        (strategies.chains(), lambda c: c.schedule.angles[-1] == np.pi / 2 and c.dim > 2),
        (strategies.ifs(), lambda made: made.ratios.sum() > 1 and made.ifs.matrices.shape[1] == 1),
        (strategies.partitioned_ifs(), lambda p: np.count_nonzero(p.matrix) > 0.9 * p.matrix.size > 8),
    ],
)
def test_strategies_reach_every_region(strategy, wanted):
    assert wanted(find(strategy, wanted))
