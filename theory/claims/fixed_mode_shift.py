"""Scaling every variance by k^2 shifts the optimal schedule by -2 ln k in logSNR, if the ends shift likewise.

In an orthonormal basis, sampling one image on a grid of d x d pixels scales the coefficients of its fixed modes by
k = d/64 against 64 x 64. tan psi = tan phi/sqrt(lam), so (lam, sigma) -> (k^2 lam, k sigma) leaves every psi_t, hence
c(lam) = prod cos(psi_t - psi_s), as it was. KL is the same and so are its minimisers; from phi_0 = 0 W_2 is k times
itself. That is the logSNR shift 2 ln(64/d). It supposes that no modes are added: see `resolution-shift`.

The ends 0 and infinity are their own shifts. With sigma from 0.02 to 80 held, k = 4 and 20 steps, the logSNR of the
middle step shifts by 2.67 in place of 2.77 for the variance 1, and by 2.49 in KL and 2.27 in W_2 for 30 directions of
variance 0.05 and one of 20.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Schedule, design, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Status, Violation, close
from theory.formulas import LAM, evaluate
from theory.instruments import chain_growth

Array = npt.NDArray[np.float64]
scale = sp.Symbol("k", positive=True)
x_s, x_t = sp.symbols("sigma_s sigma_t", positive=True)
ONE = {"lam": np.array([1.0]), "counts": np.array([1.0]), "factor": 4.0, "objective": "kl"}
TWO = {"lam": np.array([0.05, 20.0]), "counts": np.array([30.0, 1.0]), "factor": 4.0}
HELD = {  # shift of the middle of 20 steps from sigma 0.02 to 80
    ((1.0,), 4.0, "kl"): 2.67,
    ((0.05, 20.0), 4.0, "kl"): 2.49,
    ((0.05, 20.0), 4.0, "w2"): 2.27,
}

CLAIM = Claim(
    label="fixed-mode-shift",
    source="derived here, to give Hoogeboom, Heek, Salimans 2023, arXiv:2301.11093 (the shift 2 ln(64/d)) a reason",
    statement="For a fixed set of modes whose variances scale by k² = (d/64)², c(λ) is kept by (λ, σ) → (k²λ, kσ), so "
    "that the optimal schedule shifts in logSNR by exactly −2 ln k = 2 ln(64/d), with its ends.",
    equation=sp.Eq(sp.Symbol(r"{\Delta\,\mathrm{logSNR}}"), -2 * sp.log(sp.Symbol("d") / 64)),
    formula=-2 * sp.log(scale),
    assumptions="every variance scaled alike, x_T ~ p_T, ends 0 and infinity or shifted likewise",
    scope="Gaussian data, exact denoiser, every T and spectrum; with the ends held see the deviations above",
    uses=("chain-law", "telescoping"),
    witness={
        "one scale": ONE,
        "two scales": {**TWO, "objective": "kl"},
        "two scales in W_2": {**TWO, "objective": "w2"},
        "a coarser grid": {**TWO, "factor": 0.5, "objective": "kl"},
    },
    mutants={
        "deviations for variances": -sp.log(scale),
        "the other way": 2 * sp.log(scale),
        "twice": -4 * sp.log(scale),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "lam": strategies.spectra(1, 3, 1e-2, 1e2),
    "counts": strategies.spectra(3, 3, 0.1, 10.0),
    "factor": st.floats(1.5, 8.0) | st.floats(0.125, 0.7),
    "objective": st.sampled_from(["kl", "w2"]),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The shift is that of k sigma; tan(psi_t - psi_s) is kept; from phi_0 = 0 the weight of W_2^2 scales by k^2."""
    yield Identity("logSNR of k sigma", formula - (-2 * sp.log(scale * x_t) + 2 * sp.log(x_t)))
    turn = sp.sqrt(LAM) * (x_t - x_s) / (LAM + x_s * x_t)  # tan(psi_t - psi_s)
    new = {LAM: scale**2 * LAM, x_s: scale * x_s, x_t: scale * x_t}
    yield Identity("tangent of a step", turn.subs(new, simultaneous=True) - turn)
    psi_s, psi_t = x_s / sp.sqrt(LAM), x_t / sp.sqrt(LAM)
    yield Identity("it is that of the difference", (psi_t - psi_s) / (1 + psi_s * psi_t) - turn)
    yield Identity("N_0 at phi_0 = 0", LAM.subs(new) - scale**2 * LAM)


def observe(lam: Array, counts: Array, factor: float, objective: Any, sigma: tuple[float, float]) -> list[Schedule]:
    """The numerical optima for the variances as they are, and scaled."""
    steps = 8 if sigma[0] == 0 else 20
    common = {"multiplicities": counts, "objective": objective, "sigma_min": sigma[0], "sigma_max": sigma[1]}
    return [design.optimal_schedule(k**2 * lam, steps, method="optimise", **common) for k in (1.0, factor)]


@cache
def _optima(lam: tuple[float, ...], counts: tuple[float, ...], *options: Any) -> list[Schedule]:
    return observe(np.array(lam), np.array(counts), *options)


def holds(formula: Formula, lam: Array, counts: Array, factor: float, objective: Any) -> float:
    """c of the shifted chain, and the shift of the optimum's inner steps; that of the middle step with ends held."""
    shift, counts = float(evaluate(formula, {scale: factor})), counts[: lam.size]
    if abs(shift) < 1e-3:
        raise Violation(f"no shift for k = {factor}")
    chain = schedules.log_linear(6, 0.05, 20.0)
    moved = chain.shift(shift)
    flows = [np.sqrt((v * s.alpha_bar[0] + s.noise_variance[0]) / (v * s.alpha_bar[-1] + s.noise_variance[-1]))
             for s, v in ((chain, lam), (moved, factor**2 * lam))]  # fmt: skip
    before, after = chain_growth(chain, lam) / flows[0], chain_growth(moved, factor**2 * lam) / flows[1]
    close("c(lam)", after, before, 1e-12)
    points = (tuple(lam.tolist()), tuple(counts.tolist()), factor, objective)
    first, second = _optima(*points, (0.0, math.inf))
    error = close("shift of the optimum", second.logsnr[1:-1] - first.logsnr[1:-1], shift, 1e-7, 1.0)
    held = HELD.get(points[0::2] + points[3:])
    if held is not None:
        first, second = _optima(*points, (0.02, 80.0))
        middle = float(second.logsnr[10] - first.logsnr[10])
        close("shift of the middle step", abs(middle), held, 0.005, 1.0)
    return error
