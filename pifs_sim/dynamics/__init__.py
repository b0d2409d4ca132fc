"""Systems x_{n+1} = f(x_n, n) with a tangent map, structured operators, and dimensions."""

from pifs_sim.dynamics import catalogue, operators
from pifs_sim.dynamics.boxes import box_counting_dimension
from pifs_sim.dynamics.cocycle import Cocycle
from pifs_sim.dynamics.covariant import CovariantVectors, covariant_vectors, local_exponents
from pifs_sim.dynamics.dimension import kaplan_yorke_dimension
from pifs_sim.dynamics.lyapunov import LyapunovSpectrum, lyapunov_spectrum
from pifs_sim.dynamics.maps import Map, Tangent
from pifs_sim.dynamics.norms import BlockNorms, block_norms
from pifs_sim.dynamics.pairs import correlation_dimension
from pifs_sim.dynamics.patches import Patches
from pifs_sim.dynamics.scaling import DimensionEstimate
from pifs_sim.dynamics.system import System

__all__ = [
    "BlockNorms",
    "Cocycle",
    "CovariantVectors",
    "DimensionEstimate",
    "LyapunovSpectrum",
    "Map",
    "Patches",
    "System",
    "Tangent",
    "block_norms",
    "box_counting_dimension",
    "catalogue",
    "correlation_dimension",
    "covariant_vectors",
    "kaplan_yorke_dimension",
    "local_exponents",
    "lyapunov_spectrum",
    "operators",
]


def __dir__() -> list[str]:
    return list(__all__)
