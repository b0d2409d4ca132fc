"""The effective dimension of a chain on any data law, in two senses that differ.

Quotients:  Lambda_eff_k = sum_t E ln <v_k, J Phi_t v_k> over x ~ p_t, for fixed directions v_k. With v_k the leading
    eigenvectors of the patches (or any eigenvectors of Sigma) Lambda_eff_k <= Lambda(lam_k), so that d_eff <= d, the
    dimension of the Gaussian with the same covariance (theory's `mean-suppression`).
Products:   the mean logarithms of the singular values of the whole product J Phi_1 ... J Phi_T, along the chain's own
    samples: what stretches volumes. This one can exceed d.

Both are per chain; d_eff is the Kaplan-Yorke dimension. Source of the notion: Dooms 2026, arXiv:2603.13069, section 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.chain import Chain
from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.dimension import Estimate, kaplan_yorke_estimate
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.lyapunov import lyapunov_spectrum

__all__ = ["EffectiveSpectrum", "product_spectrum", "quotient_spectrum"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EffectiveSpectrum:
    """Effective exponents per chain, natural logarithm, and their Kaplan-Yorke dimension.

    Args:
        exponents: (m,) in the order of the directions; descending for `product_spectrum`.
        stderr: (m,) their standard errors over the ensemble; nan from one point.
        dimension: the Kaplan-Yorke dimension with its propagated error.
    """

    exponents: Array
    stderr: Array
    dimension: Estimate

    __repr__ = one_line


def quotient_spectrum(quotients: npt.ArrayLike, multiplicities: npt.ArrayLike | None = None) -> EffectiveSpectrum:
    """Effective exponents sum_t E ln q_kt of Rayleigh quotients q >= 0 along a chain, and their dimension.

    The error is that of the ensemble's B points, each with its whole row of steps: right for independent marginals
    and for the chain's own samples alike.

    Args:
        quotients: (T, B, m) from `rayleigh_quotients`; those below 0 by rounding, 64 eps, count as 0.
        multiplicities: (m,) how many directions share an exponent, positive integers; 1 by default. The paper gives
            all n directions of a patch the exponent of its leading one.

    Raises:
        ValueError: another shape, negative quotients, not finite, or multiplicities that are not positive integers.
    """
    q = np.asarray(reals("quotients", quotients)[1], dtype=np.float64)
    if q.ndim != 3 or 0 in q.shape:
        raise ValueError(f"`quotients` must have shape (T, batch, m), not empty, got {q.shape}.")
    bad = ~(np.isfinite(q) & (q >= -64 * np.finfo(np.float64).eps))
    if bad.any():
        raise ValueError(f"`quotients` must be finite and >= 0 to have logarithms, got {float(q[bad][0])!r}.")
    counts = np.ones(q.shape[2]) if multiplicities is None else np.asarray(reals("multiplicities", multiplicities)[1])
    if counts.shape != (q.shape[2],) or not ((counts >= 1) & (counts == np.floor(counts))).all():
        raise ValueError(f"`multiplicities` must be {q.shape[2]} integers >= 1, got {multiplicities!r:.80}.")
    with np.errstate(divide="ignore"):
        per_point = np.log(np.maximum(q, 0.0)).sum(axis=0)  # (B, m)
    exponents, batch = per_point.mean(axis=0), len(per_point)
    order = np.argsort(-exponents, kind="stable")
    wide = np.repeat(order, counts[order].astype(int))

    def error(gradient: Array) -> float:
        if batch == 1:
            return math.nan
        felt = np.flatnonzero(gradient)  # not 0 times the -inf of a dead direction
        return float((per_point[:, wide[felt]] @ gradient[felt]).std(ddof=1)) / math.sqrt(batch)

    dimension = kaplan_yorke_estimate(exponents[wide], len(wide), error)
    alive = exponents > -math.inf
    stderr = np.where(alive, np.nan, 0.0)
    if batch > 1:
        stderr[alive] = per_point[:, alive].std(axis=0, ddof=1) / math.sqrt(batch)
    return EffectiveSpectrum(exponents, stderr, dimension)


def product_spectrum(
    chain: Chain, x: npt.ArrayLike, *, k: int | None = None, rng: np.random.Generator | None = None
) -> EffectiveSpectrum:
    """Mean logarithms of the singular values of the whole chain's tangent map, and their dimension.

    Args:
        chain: T steps on d coordinates.
        x: (B, d) points at phi_T, such as `marginals(chain, B, rng)[-1]`.
        k: number of leading values; d by default. The dimension is nan where they do not fix it.
        rng: for the first frame.

    Raises:
        ValueError: as for `lyapunov_spectrum`.
    """
    found = lyapunov_spectrum(chain, x, chain.length, k=k, rng=rng)
    return EffectiveSpectrum(found.exponents * chain.length, found.stderr * chain.length, found.kaplan_yorke)
