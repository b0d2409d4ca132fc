"""Norms of diagonal blocks by Golub-Kahan-Lanczos: against prescribed blocks, exact denoisers, and their own rates."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from pifs_sim.diffusion import Chain, exact_denoiser, measures, schedules  # noqa: E402
from pifs_sim.dynamics import Patches, block_norms  # noqa: E402
from pifs_sim.dynamics.operators import BlockDiagonal, Dense  # noqa: E402
from pifs_sim.networks import NetworkDenoiser  # noqa: E402
from pifs_sim.networks.norms import block_norms_by_lanczos, diagonal_block_norms  # noqa: E402
from tests.networks.exact import AttentionModule, LinearModule, blocks_with, exact_mixture, gaussian_module  # noqa: E402

PATCHES = Patches(12, 3)
SCHEDULE = schedules.from_angles([0.1, 0.4, 0.8, 1.2, 1.5])


class Counted:
    """An operator that counts the products made with it, and their vectors."""

    def __init__(self, operator, log=None):
        self.operator, self.shape, self.log = operator, operator.shape, [] if log is None else log

    @property
    def T(self):  # noqa: N802
        return Counted(self.operator.T, self.log)

    def __matmul__(self, V):
        self.log.append(V.shape[2])
        return self.operator @ V


def test_prescribed_blocks_of_a_linear_network_are_found():
    rng = np.random.default_rng(0)
    patches = Patches((4, 4, 3), 2)
    norms = rng.uniform(0.2, 2.0, (4, 4))
    network = NetworkDenoiser(LinearModule(blocks_with(norms, patches, rng)), (48,))
    operator = network.posterior(rng.standard_normal((2, 48)), 0.7).noise_jacobian
    found = diagonal_block_norms(operator, patches, rng=rng, tolerance=1e-7)
    assert found.value == pytest.approx(np.tile(np.diag(norms), (2, 1)), rel=1e-7)
    pairs = np.array([[0, 1], [3, 2]])
    others = block_norms_by_lanczos(operator, patches, pairs, rng=rng, tolerance=1e-7)
    assert others.value == pytest.approx(np.tile([norms[0, 1], norms[3, 2]], (2, 1)), rel=1e-7)


def _mixture(rng):
    law, module = exact_mixture(rng, dim=12)
    return law, NetworkDenoiser(module, (12,))


def _cloud(rng):
    law = measures.PointCloud(rng.standard_normal((10, 12)), rng.dirichlet(np.ones(10)))
    return law, NetworkDenoiser(AttentionModule(law.points, law.weights), (12,), predicts="data")


def _gaussian(rng):
    A = rng.standard_normal((12, 12))
    law = measures.Gaussian(rng.standard_normal(12), A @ A.T / 12)
    return law, NetworkDenoiser(gaussian_module(law), (12,))


@pytest.mark.parametrize("case", [_mixture, _cloud, _gaussian])
def test_kappa_of_an_exact_denoiser_as_a_network_is_that_of_the_closed_form(case):
    rng = np.random.default_rng(1)
    law, network = case(rng)
    chain, exact = Chain(SCHEDULE, network), Chain(SCHEDULE, exact_denoiser(law))
    for n in range(SCHEDULE.steps):
        x = rng.standard_normal((3, 12))
        found = diagonal_block_norms(chain.jacobian(x, n), PATCHES, rng=rng, tolerance=1e-7)
        own = np.diagonal(
            np.broadcast_to(block_norms(exact.jacobian(x, n), PATCHES).blocks, (3, 4, 4)), axis1=1, axis2=2
        )
        assert found.value == pytest.approx(own, rel=1e-7)
        assert (found.lower <= own * (1 + 1e-13)).all()
        assert (own <= found.upper * (1 + 1e-13)).all()


def _hard(count, n, rng):
    """Gaussian blocks about 1: singular values that decay slowly, close to each other at the top."""
    return rng.standard_normal((2, count, n, n)) / (2 * math.sqrt(n)) + np.eye(n)


@pytest.mark.parametrize("n", [48, 192])
def test_kappa_of_16_patches_takes_at_most_30_pairs_on_16_vectors_to_1_percent(n):
    rng = np.random.default_rng(n)
    patches, blocks = Patches(16 * n, n), _hard(16, n, rng)
    exact = np.linalg.norm(blocks, 2, axis=(2, 3))
    operator = Counted(BlockDiagonal(blocks, patches=patches))
    found = diagonal_block_norms(operator, patches, rng=rng, tolerance=1e-2)
    assert np.abs(found.value / exact - 1).max() < 0.01
    assert (found.upper <= 1.01 * found.value).all()
    assert found.pairs <= 30
    assert len(operator.log) == 2 * found.pairs
    assert max(operator.log) <= 16
    assert found.columns == 2 * sum(operator.log)


def test_ritz_values_are_never_above_the_norm_and_a_singular_value_lies_within_the_residual():
    rng = np.random.default_rng(3)
    patches, blocks = Patches(60, 20), _hard(3, 20, rng)
    values = np.linalg.svd(blocks, compute_uv=False)
    for most in (1, 2, 4, 8):
        found = diagonal_block_norms(
            BlockDiagonal(blocks, patches=patches), patches, rng=rng, most=most, tolerance=1e-9
        )
        assert found.pairs == most
        assert (found.lower <= values[:, :, 0]).all()
        distance = np.abs(values - found.value[:, :, None]).min(axis=2)
        assert (distance <= found.residual + 1e-12).all()


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("most", [2, 3, 5])
def test_upper_bounds_hold_at_their_rate(confidence, most):
    rng, count, n = np.random.default_rng(most), 2000, 6
    turns = np.linalg.qr(rng.standard_normal((2, count, n, n)))[0]
    blocks = turns[0] * np.array([1.0, 0.98, 0.9, 0.5, 0.3, 0.1]) @ turns[1]
    patches = Patches(2 * n, n)
    operator = BlockDiagonal(np.stack([blocks, 0.999 * blocks], axis=1), patches=patches)
    options = {"most": most, "confidence": confidence, "tolerance": 1e-9}
    found = diagonal_block_norms(operator, patches, rng=rng, **options)
    allowed = confidence - 5 * math.sqrt(confidence * (1 - confidence) / count)
    covered = (found.upper >= [1.0, 0.999]).mean(axis=0)
    assert (covered >= allowed).all()
    assert (found.upper.max(axis=1) >= 1).mean() >= allowed
    if most == 5:  # one step before the space is exhausted there is little slack left
        assert covered.max() < 1 - (1 - confidence) / 3


def test_an_exhausted_space_gives_the_norm_itself():
    rng = np.random.default_rng(5)
    A = rng.standard_normal((3, 12, 12))
    found = diagonal_block_norms(Dense(A), PATCHES, rng=rng, tolerance=1e-12)
    own = np.diagonal(block_norms(Dense(A), PATCHES).blocks, axis1=1, axis2=2)
    assert found.pairs == 3
    assert found.value == pytest.approx(own, rel=1e-13)
    assert found.upper == pytest.approx(own, rel=1e-12)


def test_multiples_of_the_identity_take_one_pair_and_zero_blocks_are_zero():
    blocks = np.zeros((1, 3, 8, 8))
    blocks[0, 0], blocks[0, 1] = 2.5 * np.eye(8), -0.5 * np.eye(8)
    patches = Patches(24, 8)
    found = diagonal_block_norms(BlockDiagonal(blocks, patches=patches), patches, rng=np.random.default_rng(0))
    assert found.value[0] == pytest.approx([2.5, 0.5, 0.0], rel=1e-14)
    assert found.upper[0] == pytest.approx([2.5, 0.5, 0.0], rel=1e-13)
    assert found.pairs == 1


def test_a_network_in_float32_has_bounds_with_room_for_its_rounding():
    rng = np.random.default_rng(7)
    patches = Patches((4, 4, 3), 2)
    A = blocks_with(rng.uniform(0.2, 2.0, (4, 4)), patches, rng)
    network = NetworkDenoiser(LinearModule(A).float(), (48,))
    x = rng.standard_normal((2, 48)).astype(np.float32)
    operator = network.posterior(x, 0.7).noise_jacobian
    found = diagonal_block_norms(operator, patches, rng=rng, rounding=float(np.finfo(np.float32).eps))
    exact = np.diagonal(block_norms(Dense(A), patches).blocks, axis1=1, axis2=2)
    assert found.value == pytest.approx(np.tile(exact, (2, 1)), rel=1e-5)
    assert (found.lower <= exact).all()
    assert (exact <= found.upper).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tolerance": 0.0}, "`tolerance` must lie strictly between 0 and 1"),
        ({"confidence": 1.0}, "`confidence` must lie strictly between 0 and 1"),
        ({"most": 0}, "`most` must be an integer of at least 1"),
    ],
)
def test_options_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        diagonal_block_norms(Dense(np.eye(12)), PATCHES, rng=np.random.default_rng(0), **changes)


def test_patches_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match="`patches` partitions d=12, expected d=4"):
        diagonal_block_norms(Dense(np.eye(4)), PATCHES, rng=np.random.default_rng(0))
