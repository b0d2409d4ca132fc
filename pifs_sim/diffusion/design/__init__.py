"""Design of schedules: criteria, optimal schedules for a spectrum or a family of them, and loss weights.

On Gaussian data a chain multiplies the standard deviation along variance lam by c(lam) times the exact flow's factor:
KL = sum_k n_k h(c(lam_k)), and W_2^2 likewise, and a schedule is best where they are least. lam** as a
function of the schedule is `geometry.moran_threshold`; the chain's dimension is `kaplan_yorke_dimension` of
`geometry.lyapunov_exponent`.
"""

from pifs_sim.diffusion.design.criteria import (
    Balance,
    WeakestLink,
    balance,
    dimension_growth,
    information_gain,
    lyapunov_contributions,
    variation,
    weakest_link,
    workload,
)
from pifs_sim.diffusion.design.family import WorstCase, worst_case_schedule
from pifs_sim.diffusion.design.first_step import longest_first_step
from pifs_sim.diffusion.design.fits import FAMILIES, DensityFit, density_shares, fit_density, fit_family
from pifs_sim.diffusion.design.grid import on_grid
from pifs_sim.diffusion.design.optimal import chain_error, optimal_schedule
from pifs_sim.diffusion.design.published import ALIGN_YOUR_STEPS, align_your_steps
from pifs_sim.diffusion.design.resolution import best_shift, mode_spectrum
from pifs_sim.diffusion.design.weights import min_snr_weight

__all__ = [
    "ALIGN_YOUR_STEPS",
    "FAMILIES",
    "Balance",
    "DensityFit",
    "WeakestLink",
    "WorstCase",
    "align_your_steps",
    "balance",
    "best_shift",
    "chain_error",
    "density_shares",
    "dimension_growth",
    "fit_density",
    "fit_family",
    "information_gain",
    "longest_first_step",
    "lyapunov_contributions",
    "min_snr_weight",
    "mode_spectrum",
    "on_grid",
    "optimal_schedule",
    "variation",
    "weakest_link",
    "workload",
    "worst_case_schedule",
]


def __dir__() -> list[str]:
    return list(__all__)
