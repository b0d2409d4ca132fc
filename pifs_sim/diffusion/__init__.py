"""Diffusion chains: schedules, the model-free quantities, data laws with exact denoisers, the DDIM chain."""

from pifs_sim.diffusion import geometry, measures, schedules, spectra
from pifs_sim.diffusion.chain import Chain
from pifs_sim.diffusion.denoisers import Posterior, exact_denoiser
from pifs_sim.diffusion.schedule import Schedule

__all__ = ["Chain", "Posterior", "Schedule", "exact_denoiser", "geometry", "measures", "schedules", "spectra"]
