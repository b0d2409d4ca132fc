"""Spectra of data: eigenvalues lam_1 >= ... >= lam_d of the covariance of image patches and of latents, streamed.

Their files, and short descriptions of them.
"""

from pifs_sim.diffusion.spectra.fits import PowerLaw, TwoScales, power_law, two_scales
from pifs_sim.diffusion.spectra.latents import image_spectrum, latent_spectrum
from pifs_sim.diffusion.spectra.patches import PatchSpectrum, default_photograph, patch_spectrum
from pifs_sim.diffusion.spectra.safetensors import MappedTensor, read_safetensors
from pifs_sim.diffusion.spectra.spectrum import Spectrum, load_spectrum, save_spectrum, spectrum_of

__all__ = [
    "MappedTensor",
    "PatchSpectrum",
    "PowerLaw",
    "Spectrum",
    "TwoScales",
    "default_photograph",
    "image_spectrum",
    "latent_spectrum",
    "load_spectrum",
    "patch_spectrum",
    "power_law",
    "read_safetensors",
    "save_spectrum",
    "spectrum_of",
    "two_scales",
]


def __dir__() -> list[str]:
    return list(__all__)
