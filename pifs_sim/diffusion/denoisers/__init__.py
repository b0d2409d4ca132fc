"""Denoisers: the law of x_0 given x_t = cos(phi) x_0 + sin(phi) eps, eps ~ N(0, I).

With x_hat = E[x_0 | x_t] and eps_hat = E[eps | x_t] = (x_t - cos(phi) x_hat)/sin(phi), the Jacobian of x_hat
is (cos/sin^2) Cov(x_0 | x_t). All data laws of `measures` have an exact denoiser.
"""

from pifs_sim.diffusion.denoisers.attention import AttentionDenoiser
from pifs_sim.diffusion.denoisers.exact import ExactDenoiser, exact_denoiser
from pifs_sim.diffusion.denoisers.protocol import Denoiser, Doors, Posterior

__all__ = ["AttentionDenoiser", "Denoiser", "Doors", "ExactDenoiser", "Posterior", "exact_denoiser"]


def __dir__() -> list[str]:
    return list(__all__)
