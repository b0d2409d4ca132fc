"""How strongly a step of a chain with attention couples its patches, and a bound by attention weights.

A step has the Jacobian (sin phi_s/sin phi_t) I + G J x_hat, G = sin Delta/sin phi_t, so that in self-attention its
blocks are, for i != k and with g = cos phi_t, beta = g^2/(tau sin^2 phi_t), d_ki = u_ki - ubar_k, e_ki = r_k - g^2 u_ki
(see denoisers.attention_posterior),

    [J Phi_t]_ki = G g w_ki (I + beta d_ki e_ki^T) A_ki,

    sum_{i != k} ||[J Phi_t]_ki|| <= G g sum_{i != k} w_ki ||A_ki|| + G g beta sum_{i != k} w_ki |d_ki| |A_ki^T e_ki|:

an attention-weight term, G g (1 - w_kk) without maps, and a gradient term, what the weights' own movement adds. Without
maps and with n >= 2 a block of norms w and rho of its parts has a norm of at least max(w, rho - w), so that the bound
is at most three times what it bounds. A codebook couples no patches: all are 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.diffusion.chain import Chain
from pifs_sim.diffusion.denoisers import AttentionDenoiser
from pifs_sim.dynamics.arrays import check_count, check_points
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import PairedBlocks

__all__ = ["CouplingBound", "coupling_bound"]


@dataclass(frozen=True, eq=False)
class CouplingBound:
    """The coupling of each range and the two terms of its bound, at every point.

    Args:
        coupling: (B, M) sum_{i != k} ||[J Phi_t]_ki||.
        weight: (B, M) attention-weight term.
        gradient: (B, M) gradient term.
    """

    coupling: Any
    weight: Any
    gradient: Any

    __repr__ = one_line

    @property
    def delta(self) -> Any:
        """(B,) max_k of `coupling`."""
        return array_namespace(self.coupling).max(self.coupling, axis=-1)

    @property
    def bound(self) -> Any:
        """(B,) max_k of weight + gradient, at least `delta`."""
        return array_namespace(self.weight).max(self.weight + self.gradient, axis=-1)

    @property
    def tightness(self) -> Any:
        """(B,) delta/bound, in [0, 1]; 1 where both are 0."""
        xp, coupled = array_namespace(self.weight), self.bound > 0
        return xp.where(coupled, self.delta / xp.where(coupled, self.bound, 1.0), 1.0)


def coupling_bound(chain: Chain, x: Any, n: int) -> CouplingBound:
    """Coupling of the patches in step n of a chain with attention, and its bound by attention weights.

    Args:
        chain: with an `AttentionDenoiser`.
        x: (B, d) points at the angle phi_t, t = T - n.
        n: 0 <= n < T, as in `chain.step`.

    Raises:
        ValueError: another denoiser, x of another dimension, or n out of range.
    """
    if not isinstance(chain.denoiser, AttentionDenoiser):
        raise ValueError(f"`chain` must have an AttentionDenoiser, got {type(chain.denoiser).__name__}.")
    check_count("n", n, 0, chain.length - 1)
    x, t = check_points(x, chain.dim), chain.length - int(n)
    xp, angle = array_namespace(x), float(chain.schedule.angles[t])
    jacobian = chain.denoiser.posterior(x, angle).mean_jacobian
    if not isinstance(jacobian, PairedBlocks):
        none = xp.zeros((x.shape[0], chain.denoiser.patches.count), dtype=x.dtype)
        return CouplingBound(none, none, none)
    gain = math.sin(float(chain.schedule.increments[t - 1])) / float(chain.schedule.sin[t])
    apart = ~xp.eye(chain.denoiser.patches.count, dtype=xp.bool)
    parts = (jacobian.coupling_norms(), jacobian.held_norms(), jacobian.gradient_norms())
    return CouplingBound(*(gain * xp.sum(xp.where(apart, part, 0.0), axis=-1) for part in parts))
