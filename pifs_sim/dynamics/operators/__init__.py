"""Structured linear operators A on R^d, in batches of B, that are not formed as d x d matrices.

    Spectral             Q diag(a) Q^T, one orthogonal Q for the whole batch  symmetric
    ScalarLowRank        s I + U C W^T
    WeightedCovariance   s I + f Cov_w(y), one set of points y for all        Jacobian of a point cloud's step
    DiagonalLowRank      diag(a) + U C W^T
    BlockDiagonal        blockdiag(A_1, ..., A_M)                             patchwise independent laws
    PairedBlocks         blocks w_kj L_kj + p_kj q_kj^T + [k = j] D_k         attention of patches to each other
    DirectSum            parts of any structure on coordinates apart
    Rotated              Q A Q^T with any structured A
    Dense                any matrix

All follow the protocol `Operator`. Batches lead; a parameter without the batch axis, or with a batch of 1, serves the
whole batch. U and W are (B, d, r), C is (B, r, r).
"""

from pifs_sim.dynamics.operators.block_diagonal import BlockDiagonal
from pifs_sim.dynamics.operators.dense import Dense
from pifs_sim.dynamics.operators.diagonal_low_rank import DiagonalLowRank
from pifs_sim.dynamics.operators.direct_sum import DirectSum
from pifs_sim.dynamics.operators.paired_blocks import PairedBlocks
from pifs_sim.dynamics.operators.protocol import Operator
from pifs_sim.dynamics.operators.rotated import Rotated
from pifs_sim.dynamics.operators.scalar_low_rank import ScalarLowRank
from pifs_sim.dynamics.operators.spectral import Spectral
from pifs_sim.dynamics.operators.weighted_covariance import WeightedCovariance

__all__ = [
    "BlockDiagonal",
    "Dense",
    "DiagonalLowRank",
    "DirectSum",
    "Operator",
    "PairedBlocks",
    "Rotated",
    "ScalarLowRank",
    "Spectral",
    "WeightedCovariance",
]


def __dir__() -> list[str]:
    return list(__all__)
