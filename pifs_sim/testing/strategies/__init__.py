"""Hypothesis strategies for schedules, variances, rotations, covariances, data laws, chains, block matrices and IFS.

They build valid values, so a test knows what it was given: a matrix comes with its spectrum and rotation, a block
matrix with its norms, an IFS with its ratios. Values shrink towards few steps, small dimensions and even schedules.
Random matrices come from drawn seeds: what matters of them (spectra, norms, ratios) is drawn, and shrinks.

    >>> from hypothesis import given
    >>> from pifs_sim.testing import check_system, strategies
    >>> @given(strategies.chains(("gaussian",), start=0.1, stop=1.4))
    ... def every_chain_is_a_system(chain):
    ...     check_system(chain, [[0.5] * chain.dim, [-1.0] * chain.dim])

"""

from pifs_sim.testing.strategies.laws import LAWS, measures, mixtures
from pifs_sim.testing.strategies.systems import (
    BlockMatrix,
    Similarities,
    block_matrices,
    chains,
    denoisers,
    ifs,
    partitioned_ifs,
    patches,
)
from pifs_sim.testing.strategies.values import (
    SpdMatrix,
    probabilities,
    rotations,
    schedules,
    spd_matrices,
    spectra,
    variances,
)

__all__ = [
    "LAWS",
    "BlockMatrix",
    "Similarities",
    "SpdMatrix",
    "block_matrices",
    "chains",
    "denoisers",
    "ifs",
    "measures",
    "mixtures",
    "partitioned_ifs",
    "patches",
    "probabilities",
    "rotations",
    "schedules",
    "spd_matrices",
    "spectra",
    "variances",
]


def __dir__() -> list[str]:
    return list(__all__)
