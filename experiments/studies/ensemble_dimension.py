"""Is the effective dimension of photographs' patches at most their Gaussian's, d_eff <= d, for every law and chain?

Falsifier: a law fitted to the patches of a photograph and a chain with which the Kaplan-Yorke dimension of
Lambda_eff(u) = sum_t E ln <u, J Phi_t u>, x ~ p_t, u the eigenvectors of the covariance, exceeds that of the Gaussian
with the same covariance by more than three standard errors. Beside them: d with the leading variance for all n
directions (the paper's way, which saturates), by the product rule of fine chains, and of the orbits' own exponents
(singular values of whole products over an ensemble of chains), which no theorem bounds.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures, heuristics, named
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Chain, exact_denoiser, geometry, marginals, quotient_spectrum, rayleigh_quotients
from pifs_sim.dynamics import kaplan_yorke_dimension, lyapunov_spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "ensemble_dimension"
VERSION = 1
CLAIMS = ("suppressed-dimension", "leading-eigenvalue-saturation", "product-rule", "suppression-of-the-spectrum")
GRIDS = {
    "smoke": {
        "picture": ["grace_hopper.jpg"],
        "law": ["scale-mixture"],
        "size": [4],
        "chain": ["cosine", "karras"],
        "steps": [20],
        "samples": [8],
    },
    "paper": {
        "picture": ["grace_hopper.jpg", "astronaut.png", "hubble_deep_field.jpg", "retina.jpg"],
        "law": ["scale-mixture", "mixture"],
        "size": [4, 8],
        "chain": ["cosine", "linear", "karras"],
        "steps": [50],
        "samples": [16],
    },
}
TOLERANCE = 1e-6


@functools.cache
def _measure(picture: str, law: str, size: int) -> Any:
    photographs = heuristics.photographs()
    if picture not in photographs:
        raise ValueError(f"`picture` must be one of {', '.join(photographs)}, got {picture!r}.")
    from experiments import laws  # 0.1 s to import, and only needed here

    return laws.fitted(law, photographs[picture], size, across=1).measure


def run(
    *, picture: str, law: str, size: int, chain: str, steps: int, samples: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """The dimensions of the grey size x size patches of a photograph under a chain, with errors over the ensemble."""
    measure = _measure(picture, law, size)
    system = Chain(named.schedule(chain, steps), exact_denoiser(measure))
    lam, vectors = np.linalg.eigh(measure.covariance)
    exponents = geometry.lyapunov_exponent(system.schedule, lam)
    x = marginals(system, samples, rng)
    effective = quotient_spectrum(rayleigh_quotients(system, x, vectors)).dimension
    orbits = lyapunov_spectrum(system, x[-1], steps, rng=rng)
    low, high = np.quantile(orbits.dimensions, [0.05, 0.95])
    return [
        {
            "n": system.dim,
            "gaussian": kaplan_yorke_dimension(exponents),
            "leading": kaplan_yorke_dimension(exponents[-1:], [system.dim]),
            "product rule": kaplan_yorke_dimension(np.log(lam) / 2),
            "effective": effective.value,
            "effective error": effective.stderr,
            "orbits": orbits.kaplan_yorke.value,
            "orbits error": orbits.kaplan_yorke.stderr,
            "orbits low": float(low),
            "orbits high": float(high),
        }
    ]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if no d_eff exceeds d by more than three errors, refuted otherwise."""
    n, d, effective, error, orbits, orbits_error, leading = (
        np.array([float(row[what]) for row in rows])
        for what in ("n", "gaussian", "effective", "effective error", "orbits", "orbits error", "leading")
    )
    above = int((effective > d + 3 * error).sum())
    own = int((orbits > d + 3 * orbits_error).sum())
    grown = (d > 0) | (d.max() == 0)
    share, of_orbits = (value[grown] / np.where(d > 0, d, np.inf)[grown] for value in (effective, orbits))
    text = (
        f"d_eff exceeds d in {above} of {len(rows)} cases; d is {np.min(d / n):.1%} to {np.max(d / n):.1%} of the "
        f"directions (all of them with the leading variance alone in {int((leading == n).sum())}), d_eff "
        f"{share.min():.2f} to {share.max():.2f} of a d > 0. The orbits' own exponents give {of_orbits.min():.2f} "
        f"to {of_orbits.max():.2f} of d and exceed it in {own} cases."
    )
    numbers = {
        "above": float(above),
        "largest d/n": float(np.max(d / n)),
        "median d_eff/d": float(np.median(share)),
        "median of orbits/d": float(np.median(of_orbits)),
        "orbits above": float(own),
    }
    return Verdict("refuted" if above else "confirmed", text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Effective dimension and that of the orbits, with their 5-95 % range, over the Gaussian's."""
    figure, axes = figures.canvas(4.6)
    laws_ = list(dict.fromkeys(str(row["law"]) for row in rows))
    for i, law in enumerate(laws_):
        mine = [row for row in rows if row["law"] == law]
        d, effective, orbits, low, high = (
            np.array([float(row[what]) for row in mine])
            for what in ("gaussian", "effective", "orbits", "orbits low", "orbits high")
        )
        blue, orange = figures.COLOURS[2 * i], figures.COLOURS[2 * i + 1]
        axes.plot(d, effective, "o", color=blue, markersize=4, label=f"d_eff, {law}")
        axes.vlines(d, low, high, color=orange, linewidth=1, alpha=0.5)
        axes.plot(d, orbits, "^", color=orange, markersize=4, label=f"orbits with 5–95 %, {law}")
    most = max(float(row["gaussian"]) for row in rows)
    axes.plot([0, most], [0, most], color="black", linewidth=0.8, label="d")
    axes.set(xlabel="d of the Gaussian with the same covariance", ylabel="dimension")
    axes.legend(fontsize=7)
    return figure
