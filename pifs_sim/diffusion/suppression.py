"""Suppression: how much less than a Gaussian's a denoiser's step expands the leading direction of each patch.

With Sigma_kk v_k = lam_k v_k leading, and eps_ref the noise estimate of a reference Gaussian,

    S_kt(x) = |b_t| <v_k, [J(eps_hat - eps_ref)]_kk v_k> = <v_k, [J Phi_t^ref - J Phi_t]_kk v_k>
            = (sin Delta_t/sin phi_t) <v_k, [J x_ref - J x_hat]_kk v_k>,

the last form valid at pi/2 too, where S = 0. Against the patchwise Gaussian N(mu, blockdiag(Sigma_kk)) the effective
Rayleigh quotient is <v_k, [J Phi_t]_kk v_k> = f_t(lam_k) - S_kt exactly; against N(mu, Sigma) it is g_kt - S_kt with
g_kt <= f_t(lam_k). Source: Dooms 2026, arXiv:2603.13069, section 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from array_api_compat import array_namespace

from pifs_sim.diffusion.chain import Chain
from pifs_sim.diffusion.denoisers import exact_denoiser
from pifs_sim.diffusion.ensembles import check_ensemble
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.patches import Patches

__all__ = ["Leading", "leading_directions", "rayleigh_quotients", "reference_law", "suppression"]

Reference = Literal["patchwise", "full"] | Gaussian | None
Progress = Callable[[int, int], None] | None


class Leading(NamedTuple):
    """Leading eigenpairs of the diagonal blocks of a covariance: `values` lam_k and unit `directions` v_k."""

    values: Any  # (M,) lam_k
    directions: Any  # (d, M) unit vectors, v_k on patch k and 0 elsewhere

    def __repr__(self) -> str:
        return one_line(self)


def leading_directions(covariance: Any, patches: Patches) -> Leading:
    """The leading eigenpair of every diagonal block Sigma_kk.

    Where it is degenerate, v_k is one of its eigenvectors. Its sign is of no account.

    Args:
        covariance: (d, d) symmetric.
        patches: M patches of the d coordinates.

    Raises:
        ValueError: a covariance of another shape.
    """
    xp, covariance = reals("covariance", covariance)
    d = patches.dim
    if tuple(covariance.shape) != (d, d):
        raise ValueError(f"`covariance` must have shape {(d, d)} like `patches`, got {tuple(covariance.shape)}.")
    values, columns = [], []
    places = xp.arange(d)
    for indices in map(xp.asarray, patches.indices):
        block = xp.take(xp.take(covariance, indices, axis=0), indices, axis=1)
        eigenvalues, vectors = xp.linalg.eigh((block + block.T) / 2)
        values.append(eigenvalues[-1])
        here = xp.astype(places[:, None] == indices[None, :], covariance.dtype)
        columns.append(here @ vectors[:, -1])
    return Leading(xp.stack(values), xp.stack(columns, axis=1))


def reference_law(chain: Chain, patches: Patches, reference: Reference = None) -> Gaussian:
    """The Gaussian that suppression is measured against.

    Args:
        chain: its denoiser needs a `measure` with moments, unless `reference` is a Gaussian.
        patches: of the chain's d coordinates.
        reference: "patchwise" (and None): N(mu, blockdiag(Sigma_kk)) with the measure's moments; "full": N(mu, Sigma);
            or a Gaussian, returned as it is.

    Raises:
        ValueError: another reference or d, or a denoiser without a `measure` where that is needed.
    """
    if not isinstance(patches, Patches):
        raise ValueError(f"`patches` must be Patches, got {patches!r:.80}.")
    if patches.dim != chain.dim:
        raise ValueError(f"`patches` partitions d={patches.dim}, expected d={chain.dim}.")
    if isinstance(reference, Gaussian):
        if reference.dim != chain.dim:
            raise ValueError(f"`reference` has d={reference.dim}, expected d={chain.dim}.")
        return reference
    if reference is not None and not (isinstance(reference, str) and reference in ("patchwise", "full")):
        raise ValueError(f'`reference` must be "patchwise", "full" or a Gaussian, got {reference!r}.')
    measure = getattr(chain.denoiser, "measure", None)
    if measure is None:
        raise ValueError("`reference` must be a Gaussian for a denoiser without a `measure`, got none.")
    if reference == "full":
        return Gaussian(measure.mean, measure.covariance)
    covariance = measure.covariance
    xp, owner = array_namespace(covariance), [0] * patches.dim
    for k, indices in enumerate(patches.indices.tolist()):
        for i in indices:
            owner[i] = k
    patch = xp.asarray(owner)
    return Gaussian(measure.mean, xp.where(patch[:, None] == patch[None, :], covariance, 0.0))


def _quotients(operator: Any, directions: Any) -> Any:
    """<u, A u> for the columns u of `directions`, (B, m)."""
    return array_namespace(directions).sum(directions * (operator @ directions), axis=1)


def rayleigh_quotients(chain: Chain, x: Any, directions: Any, *, progress: Progress = None) -> Any:
    """<u, J Phi_t(x) u> for unit vectors u: the factor by which step t stretches u along itself.

    Args:
        chain: T steps on d coordinates.
        x: (T, B, d), row t-1 the points at phi_t.
        directions: (d, m) unit vectors, such as `leading_directions(covariance, patches).directions`.
        progress: called with (steps done, T).

    Returns:
        (T, B, m), entry t-1 for step t.

    Raises:
        ValueError: shapes that do not fit, points not finite, or columns that are not of length 1.
    """
    x = check_ensemble(chain, x)
    xp, U = reals("directions", directions)
    if U.ndim != 2 or U.shape[0] != chain.dim:
        raise ValueError(f"`directions` must have shape ({chain.dim}, m), got {tuple(U.shape)}.")
    lengths = xp.linalg.vector_norm(U, axis=0)
    off = xp.abs(lengths - 1)
    if not xp.all(off <= 1e-3):  # float32 directions of any d pass; a vector of ones does not
        raise ValueError(f"`directions` must be unit vectors, got one of length {float(lengths[xp.argmax(off)]):.6g}.")
    U = xp.asarray(U, dtype=x.dtype)
    rows = []
    for t in range(1, chain.length + 1):
        found = _quotients(chain.jacobian(x[t - 1, ...], chain.length - t), U)
        rows.append(xp.broadcast_to(found, (x.shape[1], U.shape[1])))
        if progress:
            progress(t, chain.length)
    return xp.stack(rows)


def suppression(
    chain: Chain, x: Any, patches: Patches, *, reference: Reference = None, progress: Progress = None
) -> Any:
    """S_kt(x), by how much the reference Gaussian's step stretches v_k more than the chain's does.

    Computed from the Jacobians of the posterior means, so that it is exact at pi/2, and 0 but for rounding where the
    data is the reference. It can be negative at a point; its mean over p_t is not (theory's `mean-suppression`).

    Args:
        chain: T steps with a denoiser that has a `measure`, unless `reference` is a Gaussian.
        x: (T, B, d), row t-1 the points at phi_t: `marginals(chain, B, rng)` or `chain.trajectory(x_T)[1:]`.
        patches: M patches of the d coordinates.
        reference: "patchwise" (the default), "full" or a Gaussian; see `reference_law`. lam_k and v_k are those of the
            diagonal blocks of its covariance.
        progress: called with (steps done, T).

    Returns:
        (T, B, M), entry t-1 for step t.

    Raises:
        ValueError: x of another shape or not finite, patches of another d, or a reference that is none.
    """
    x = check_ensemble(chain, x)
    law = reference_law(chain, patches, reference)
    gaussian = exact_denoiser(law)
    xp = array_namespace(x)
    U = xp.asarray(leading_directions(law.covariance, patches).directions, dtype=x.dtype)
    rows = []
    for t in range(1, chain.length + 1):
        points, angle = x[t - 1, ...], float(chain.schedule.angles[t])
        gain = math.sin(float(chain.schedule.increments[t - 1])) / float(chain.schedule.sin[t])
        of_reference = _quotients(gaussian.posterior(points[:1, :], angle).mean_jacobian, U)  # the same at every x
        own = _quotients(chain.denoiser.posterior(points, angle).mean_jacobian, U)
        rows.append(xp.broadcast_to(gain * (of_reference - own), (x.shape[1], patches.count)))
        if progress:
            progress(t, chain.length)
    return xp.stack(rows)
