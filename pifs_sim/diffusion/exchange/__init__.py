"""Exchange of schedules with diffusers and ComfyUI, without importing torch or diffusers.

What a configuration means is a `Schedule` (`from_diffusers`); what its class does is a list of model calls
(`diffusers_steps`), which need be no schedule; `discrepancies` lists where the two part.
"""

from pifs_sim.diffusion.exchange.differences import Discrepancy, discrepancies
from pifs_sim.diffusion.exchange.reading import diffusers_steps, from_diffusers
from pifs_sim.diffusion.exchange.sampler import SamplerSteps
from pifs_sim.diffusion.exchange.writing import comfyui_sigmas, from_json, to_csv, to_diffusers, to_json

__all__ = [
    "Discrepancy",
    "SamplerSteps",
    "comfyui_sigmas",
    "diffusers_steps",
    "discrepancies",
    "from_diffusers",
    "from_json",
    "to_csv",
    "to_diffusers",
    "to_json",
]


def __dir__() -> list[str]:
    return list(__all__)
