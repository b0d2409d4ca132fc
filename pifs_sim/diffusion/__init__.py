"""Diffusion chains: schedules, the model-free quantities, data laws with exact denoisers, the DDIM chain.

A schedule is angles phi_0 < ... < phi_T; step t is Phi_t(x) = r_t x + b_t eps_hat(x, t), eps_hat = E[eps | x_t = x],
and the chain Phi_1 o ... o Phi_T is a finite dynamical system.
"""

from pifs_sim.diffusion import design, exchange, geometry, measures, schedules, spectra
from pifs_sim.diffusion.attention_bound import CouplingBound, coupling_bound
from pifs_sim.diffusion.chain import Chain
from pifs_sim.diffusion.denoisers import AttentionDenoiser, Posterior, exact_denoiser
from pifs_sim.diffusion.effective_dimension import EffectiveSpectrum, product_spectrum, quotient_spectrum
from pifs_sim.diffusion.ensembles import Means, ensemble_mean, marginals
from pifs_sim.diffusion.patchwise import PatchContraction, patch_contraction
from pifs_sim.diffusion.ranks import RankCorrelation, rank_correlation
from pifs_sim.diffusion.release import Monotonicity, Window, margin_monotonicity, release_windows, releases
from pifs_sim.diffusion.schedule import Schedule
from pifs_sim.diffusion.suppression import Leading, leading_directions, rayleigh_quotients, reference_law, suppression

__all__ = [
    "AttentionDenoiser",
    "Chain",
    "CouplingBound",
    "EffectiveSpectrum",
    "Leading",
    "Means",
    "Monotonicity",
    "PatchContraction",
    "Posterior",
    "RankCorrelation",
    "Schedule",
    "Window",
    "coupling_bound",
    "design",
    "ensemble_mean",
    "exact_denoiser",
    "exchange",
    "geometry",
    "leading_directions",
    "margin_monotonicity",
    "marginals",
    "measures",
    "patch_contraction",
    "product_spectrum",
    "quotient_spectrum",
    "rank_correlation",
    "rayleigh_quotients",
    "reference_law",
    "release_windows",
    "releases",
    "schedules",
    "spectra",
    "suppression",
]


def __dir__() -> list[str]:
    return list(__all__)
