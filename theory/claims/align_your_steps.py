"""Align Your Steps concentrates its steps as the workload criterion does: density 1/L*, more where L* is small.

False. In that density the published tables' shares vary more (1.15, 0.86 and 1.24 by their mean: SD1.5, SDXL, SVD) than
in any other of `ays-density`, the log-linear schedule included; the steps per angle are most numerous in the middle.
"""

from typing import Any

import sympy as sp

from pifs_sim.diffusion.design import fits
from theory.claim import Claim, Formula, Violation
from theory.claims import ays_density
from theory.claims.ays_density import axis

CLAIM = Claim(
    label="align-your-steps",
    source="Dooms 2026, arXiv:2603.13069, section 6, as summarised",
    statement="Align Your Steps concentrates its steps as the workload criterion does: their density is 1/L* more "
    "nearly than uniform in ln σ.",
    equation=sp.Eq(sp.Symbol("rho"), 1 / sp.Symbol("L^*")),
    formula=-sp.log(1 + sp.exp(2 * axis)) / 2,  # ln of (1/sin phi) dphi/dx, x = ln tan phi
    assumptions="the published tables of ten steps",
    scope="refuted by the tables of SD1.5, SDXL and SVD",
    uses=("ays-density", "criterion-workload"),
    witness={"SD1.5": {"table": "sd15"}},
    corrected_by="ays-density",
    counterexamples={"SD1.5": {"table": "sd15"}, "SDXL": {"table": "sdxl"}, "SVD": {"table": "svd"}},
)

GIVEN: dict[str, Any] = ays_density.GIVEN
prove, observe = ays_density.prove, ays_density.observe


def holds(formula: Formula, table: Any) -> float:
    """Shares in the formula's density vary less than in the log-linear one."""
    found = ays_density.variation(formula, table)
    null = fits.fit_family(observe(table), "log-linear").variation
    if found >= null:
        raise Violation(f"shares vary by {found:.3f} of their mean, log-linear ones by {null:.3f}")
    return found
