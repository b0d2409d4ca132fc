"""The weight min(SNR, 5)/SNR balances the steps' gains: without it they are as max(1, SNR/5).

False for every variance and chain tried: a step's gain is half its loss times its change of logSNR, and levels off
at high SNR but for the step's length. See `min-snr`, which has the gamma of least variation.
"""

from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from theory.claim import Claim, Formula, close
from theory.claims import min_snr
from theory.claims.min_snr import CHANGE
from theory.formulas import LAM, PHI_T, evaluate

CLAIM = Claim(
    label="min-snr-five",
    source="Dooms 2026, arXiv:2603.13069, section 6, as summarised, with the default of Hang et al. 2023",
    statement="Weights min(SNR, γ)/SNR with γ = 5 make the steps' information gains equal.",
    equation=sp.Eq(sp.Min(sp.Symbol("SNR_t"), 5) / sp.Symbol("SNR_t") * sp.Symbol("I_t"), sp.Symbol("constant")),
    formula=sp.Max(1, sp.cos(PHI_T) ** 2 / sp.sin(PHI_T) ** 2 / 5),  # up to a factor of the chain
    assumptions="Gaussian data, exact denoiser, the steps of a training chain but its first",
    scope="refuted on the linear and cosine chains of 1000 steps, for three variances",
    uses=("min-snr",),
    witness={"one step": {"schedule": schedules.from_angles([0.8, 0.8001]), "lam": 1.0}},
    corrected_by="min-snr",
    counterexamples={
        "linear": {"schedule": schedules.linear(1000), "lam": 1.0},
        "cosine": {"schedule": schedules.cosine(1000), "lam": 1.0},
        "cosine, where 5 is nearly the best": {"schedule": schedules.cosine(1000), "lam": 10.0},
    },
)

GIVEN: dict[str, Any] = min_snr.GIVEN
prove, observe = min_snr.prove, min_snr.observe


def holds(formula: Formula, schedule: Schedule, lam: float) -> float:
    """Measured gains by the formula are the same at every step."""
    gain, (middle, _, change) = observe(schedule, lam)
    ratio = gain / evaluate(formula, {PHI_T: middle, LAM: lam, CHANGE: change})
    return close("gain by the formula", ratio, np.median(ratio), 0.04)
