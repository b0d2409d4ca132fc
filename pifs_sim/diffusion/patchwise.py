"""(PC) along a chain: the norms of the blocks of every step's Jacobian, and how far they are from contraction.

kappa_t(x) = max_k ||[J Phi_t]_kk||, delta_t(x) = max_k sum_{j != k} ||[J Phi_t]_kj||. Where kappa + delta < 1 for all
x, step t contracts in the block-max norm; the row sum max_k sum_j ||[J Phi_t]_kj|| <= kappa + delta decides it more
sharply (Dooms 2026, arXiv:2603.13069, section 3). An ensemble samples the supremum over x, and so can only refute it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.chain import Chain
from pifs_sim.diffusion.ensembles import check_ensemble
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.norms import block_norms
from pifs_sim.dynamics.patches import Patches

__all__ = ["PatchContraction", "patch_contraction"]


@dataclass(frozen=True, eq=False)
class PatchContraction:
    """Block norms of the steps' Jacobians at the points of an ensemble; entry t-1 for step t.

    Args:
        own: (T, B, M) ||[J Phi_t]_kk||, what patch k does to itself.
        coupling: (T, B, M) sum_{j != k} ||[J Phi_t]_kj||, what the others do to it.
        norm: (T, B) ||J Phi_t||, the Euclidean norm of the whole.
    """

    own: Any
    coupling: Any
    norm: Any

    __repr__ = one_line

    @property
    def kappa(self) -> Any:
        """(T, B) max_k of `own`."""
        return array_namespace(self.own).max(self.own, axis=-1)

    @property
    def delta(self) -> Any:
        """(T, B) max_k of `coupling`."""
        return array_namespace(self.own).max(self.coupling, axis=-1)

    @property
    def row_sum(self) -> Any:
        """(T, B) max_k of own + coupling."""
        return array_namespace(self.own).max(self.own + self.coupling, axis=-1)

    @property
    def margin(self) -> Any:
        """(T, B) 1 - (kappa + delta), the margin of (PC)."""
        return 1 - (self.kappa + self.delta)

    @property
    def row_margin(self) -> Any:
        """(T, B) 1 - row sum >= margin, that of the sharper condition."""
        return 1 - self.row_sum

    @property
    def patch_margin(self) -> Any:
        """(T, B, M) 1 - (own + coupling), that of each patch's row."""
        return 1 - (self.own + self.coupling)

    @property
    def violations(self) -> Any:
        """(T,) points at which (PC) fails: margin <= 0."""
        return _count(self.margin <= 0)

    @property
    def row_violations(self) -> Any:
        """(T,) points at which the sharper condition fails: row margin <= 0."""
        return _count(self.row_margin <= 0)

    @property
    def patch_violations(self) -> Any:
        """(T, M) points at which the row of patch k fails: patch margin <= 0."""
        return _count(self.patch_margin <= 0)


def _count(failed: Any) -> Any:
    xp = array_namespace(failed)
    return xp.sum(xp.astype(failed, xp.int64), axis=1)


def patch_contraction(
    chain: Chain, x: Any, patches: Patches, *, progress: Callable[[int, int], None] | None = None
) -> PatchContraction:
    """Norms of the blocks of J Phi_t at every point of an ensemble.

    Args:
        chain: T steps on d coordinates.
        x: (T, B, d), row t-1 the points at phi_t: `marginals(chain, B, rng)` or `chain.trajectory(x_T)[1:]`.
        patches: M patches of the d coordinates.
        progress: called with (steps done, T).

    Raises:
        ValueError: x of another shape or not finite, or patches of another d.
    """
    x = check_ensemble(chain, x)
    xp = array_namespace(x)
    apart = 1 - xp.eye(patches.count, dtype=x.dtype)
    own, coupling, norm = [], [], []
    for t in range(1, chain.length + 1):
        found = block_norms(chain.jacobian(x[t - 1, ...], chain.length - t), patches)
        blocks = xp.broadcast_to(found.blocks, (x.shape[1], *found.blocks.shape[1:]))
        own.append(xp.linalg.diagonal(blocks))
        coupling.append(xp.sum(apart * blocks, axis=-1))
        norm.append(xp.broadcast_to(found.norm, (x.shape[1],)))
        if progress:
            progress(t, chain.length)
    return PatchContraction(xp.stack(own), xp.stack(coupling), xp.stack(norm))
