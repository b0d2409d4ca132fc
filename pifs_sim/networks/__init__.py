"""Trained networks as denoisers: the same quantities as of the exact ones, measured without forming a Jacobian.

A network m estimates eps, x_0 or v of x_t = cos(phi) x_0 + sin(phi) eps; J eps_hat V and J^T U come by differentiation.

Needs PyTorch (extra `networks`); diffusers and msgpack only where their files are read.
"""

try:
    import torch  # noqa: F401
except ImportError:
    raise ImportError("pifs_sim.networks needs PyTorch: pip install 'pifs-sim[networks]'.") from None

from pifs_sim.networks.architectures import build
from pifs_sim.networks.attention import attention_entropies
from pifs_sim.networks.coupling import Coupling, coupling
from pifs_sim.networks.denoiser import NetworkDenoiser
from pifs_sim.networks.deviation import deviation_slope, score_deviation
from pifs_sim.networks.diffusers import from_diffusers_folder
from pifs_sim.networks.dncnn import dncnn
from pifs_sim.networks.field import TorchField
from pifs_sim.networks.jacobian import NetworkJacobian
from pifs_sim.networks.loading import header, load
from pifs_sim.networks.measure import measure
from pifs_sim.networks.measurement import Measurement
from pifs_sim.networks.norms import NormEstimate, diagonal_block_norms
from pifs_sim.networks.quotients import patch_directions

__all__ = [
    "Coupling",
    "Measurement",
    "NetworkDenoiser",
    "NetworkJacobian",
    "NormEstimate",
    "TorchField",
    "attention_entropies",
    "build",
    "coupling",
    "deviation_slope",
    "diagonal_block_norms",
    "dncnn",
    "from_diffusers_folder",
    "header",
    "load",
    "measure",
    "patch_directions",
    "score_deviation",
]
