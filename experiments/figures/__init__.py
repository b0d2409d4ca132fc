"""Every drawing of the project: arrays in, a matplotlib Figure out; `svg` for a page, `save` for a file."""

from experiments.figures.canvas import COLOURS, canvas, save, svg
from experiments.figures.dynamics import convergence, local_slopes, scaling
from experiments.figures.kernels import mixture_scaling
from experiments.figures.networks import networks
from experiments.figures.regimes import regimes
from experiments.figures.schedules import expansion_map, exponents, schedule_sheet, spectrum, thresholds

__all__ = [
    "COLOURS",
    "canvas",
    "convergence",
    "expansion_map",
    "exponents",
    "local_slopes",
    "mixture_scaling",
    "networks",
    "regimes",
    "save",
    "scaling",
    "schedule_sheet",
    "spectrum",
    "svg",
    "thresholds",
]
