"""What happens to patches along a chain: one profile of a data law, step by step.

Means are over B points of every exact marginal p_t; suppression also over the chain's own samples from p_T.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from experiments.laws import Law
from pifs_sim.diffusion import (
    Chain,
    Monotonicity,
    PatchContraction,
    Schedule,
    ensemble_mean,
    exact_denoiser,
    geometry,
    leading_directions,
    margin_monotonicity,
    marginals,
    patch_contraction,
    product_spectrum,
    quotient_spectrum,
    rank_correlation,
    rayleigh_quotients,
    reference_law,
)
from pifs_sim.dynamics import kaplan_yorke_dimension

__all__ = ["Profile", "profile", "rows"]

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None] | None


@dataclass(frozen=True, eq=False)
class Profile:
    """Everything measured along one chain; entry t-1 for step t.

    Args:
        law: the data.
        schedule: T steps.
        lam: (M,) leading variances of the patches.
        contraction: block norms at the B points.
        expansion: (T, M) f_t(lam_k).
        coupled_expansion: (T, M) g_kt <= f_t(lam_k), the quotients of the Gaussian with the full covariance.
        quotients: (T, B, M) <v_k, [J Phi_t]_kk v_k> over the exact marginals.
        own_quotients: (T, B, M) the same over the chain's own samples from p_T.
        entropy: (T, B) of the posterior weights, nats.
        dimensions: Kaplan-Yorke dimensions: of the Gaussian, and the effective ones.
    """

    law: Law
    schedule: Schedule
    lam: Array
    contraction: PatchContraction
    expansion: Array
    coupled_expansion: Array
    quotients: Array
    own_quotients: Array
    entropy: Array
    dimensions: dict[str, Any]

    @property
    def suppression(self) -> Array:
        """(T, B, M) f_t(lam_k) - quotients: S against the patchwise Gaussian."""
        return self.expansion[:, None, :] - self.quotients

    @property
    def own_suppression(self) -> Array:
        """(T, B, M) S over the chain's own samples."""
        return self.expansion[:, None, :] - self.own_quotients

    @property
    def monotonicity(self) -> Monotonicity | None:
        """Whether margins increase with variance, at the steps below pi/2; None without those or with one patch."""
        below = self.schedule.cos[1:] > 0
        return margin_monotonicity(self.quotients[below], self.lam) if self.lam.size > 1 and below.any() else None


def profile(
    law: Law, schedule: Schedule, *, samples: int, rng: np.random.Generator, orbits: int = 0, progress: Progress = None
) -> Profile:
    """Measure a law's chain at `samples` points of every marginal.

    Args:
        law: the data.
        schedule: T steps.
        samples: B, points of every marginal and own samples.
        rng: draws both.
        orbits: samples behind the dimension by whole products; 0 leaves it out.
        progress: called with (steps done, steps).
    """
    chain, steps = Chain(schedule, exact_denoiser(law.measure)), schedule.steps
    parts = 5 + (orbits > 0)

    def part(i: int) -> Progress:
        return (lambda done, _: progress(i * steps + done, parts * steps)) if progress else None

    x = marginals(chain, samples, rng)
    full = reference_law(chain, law.patches, "full")
    leading = leading_directions(full.covariance, law.patches)
    contraction = patch_contraction(chain, x, law.patches, progress=part(0))
    quotients = rayleigh_quotients(chain, x, leading.directions, progress=part(1))
    own = rayleigh_quotients(chain, chain.trajectory(x[-1])[1:], leading.directions, progress=part(2))
    coupled = rayleigh_quotients(Chain(schedule, exact_denoiser(full)), x[:, :1], leading.directions, progress=part(3))
    axes = np.eye(full.dim) if full.eigenvectors is None else full.eigenvectors
    along_axes = rayleigh_quotients(chain, x, axes, progress=part(4))
    weights = [
        chain.denoiser.posterior(row, float(phi)).weights for row, phi in zip(x, schedule.angles[1:], strict=True)
    ]
    sizes = [law.patches.length] * law.patches.count
    dimensions: dict[str, Any] = {
        "gaussian": kaplan_yorke_dimension(geometry.lyapunov_exponent(schedule, full.eigenvalues)),
        "gaussian_leading": kaplan_yorke_dimension(geometry.lyapunov_exponent(schedule, leading.values), sizes),
        "effective": quotient_spectrum(along_axes).dimension._asdict(),
        "effective_leading": quotient_spectrum(quotients, sizes).dimension._asdict(),
    }
    if orbits:
        dimensions["products"] = product_spectrum(chain, x[-1, :orbits], rng=rng).dimension._asdict()
    return Profile(
        law=law,
        schedule=schedule,
        lam=leading.values,
        contraction=contraction,
        expansion=geometry.diagonal_expansion(schedule, leading.values),
        coupled_expansion=coupled[:, 0],
        quotients=quotients,
        own_quotients=own,
        entropy=np.array([entr(row).sum(axis=1) for row in weights]),
        dimensions=dimensions,
    )


def rows(found: Profile) -> list[dict[str, Any]]:
    """One row a step, t = 1..T, with standard errors: what the table shows and `--json` prints."""
    norms, schedule = found.contraction, found.schedule
    measured = {
        "kappa": norms.kappa,
        "delta": norms.delta,
        "row_sum": norms.row_sum,
        "margin": norms.margin,
        "row_margin": norms.row_margin,
        "norm": norms.norm,
        "suppression": found.suppression.mean(axis=2),
        "suppression_own": found.own_suppression.mean(axis=2),
        "suppression_full": (found.suppression - (found.expansion - found.coupled_expansion)[:, None]).mean(axis=2),
        "entropy": found.entropy,
    }
    columns: dict[str, Any] = {"t": np.arange(1, schedule.steps + 1), "angle": schedule.angles[1:]}
    columns |= {"sigma": schedule.sigma[1:]}
    for name, values in measured.items():
        columns[name], columns[f"{name}_stderr"] = ensemble_mean(values)
    columns |= {"violations": norms.violations, "row_violations": norms.row_violations}
    columns["patches_violating"] = (norms.patch_margin.mean(axis=1) <= 0).sum(axis=1)
    margins = 1 - found.quotients.mean(axis=1)
    columns["patches_expanding"] = (margins < 0).sum(axis=1)
    columns["largest_expansion"] = found.expansion.max(axis=1)
    against = {"kappa": norms.own.mean(axis=1), "suppression": found.suppression.mean(axis=1), "margin": margins}
    for name, values in against.items():
        if found.lam.size > 1:
            columns[f"spearman_{name}"], columns[f"spearman_{name}_p"] = rank_correlation(found.lam, values)
    return [{name: np.asarray(column[i]).item() for name, column in columns.items()} for i in range(schedule.steps)]
