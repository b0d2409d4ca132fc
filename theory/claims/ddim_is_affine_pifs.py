"""Each DDIM step is an affine map of patches with a fixed pairing, a PIFS step in the classical sense.

False but for Gaussian data: the pairing moves with the state, so a step bends. On the two points +-1 it is
rho x + tau tanh(x cos phi_t/sin^2 phi_t). See `ddim-is-pifs`.
"""

from typing import Any

import numpy as np
import sympy as sp

from pifs_sim.diffusion import Schedule, schedules
from theory.claim import Claim, close
from theory.claims import ddim_is_pifs
from theory.claims.ddim_is_pifs import SLOPE, THREE_POINTS, TWO, Branches, predicted, prior
from theory.instruments import EPS
from theory.marginals import Array, Law, normal_law, two_normals

SCALES = two_normals(0.5, [0.0, 0.0], [4.0, 0.1])

CLAIM = Claim(
    label="ddim-is-affine-pifs",
    source="Dooms 2026, arXiv:2603.13069, as summarised, read for the classical PIFS",
    statement="For any data, each DDIM step is an affine map of patches, whose pairing of ranges with domains is the "
    "same at every state.",
    equation=sp.Eq(sp.Function("Phi_t")(sp.Symbol("x")), sp.Symbol("L_t") * sp.Symbol("x") + sp.Symbol("o_t")),
    formula=Branches(SLOPE, prior),
    assumptions="exact denoiser, phi_t < pi/2",
    scope="true for Gaussian data, and there alone; refuted on points, two normals and a scale mixture",
    uses=("ddim-is-pifs",),
    witness={"a Gaussian": {"law": normal_law([1.0], [[2.0]]), "schedule": schedules.uniform_angle(3), "seed": 1}},
    corrected_by="ddim-is-pifs",
    counterexamples={
        "three points": {"law": THREE_POINTS, "schedule": schedules.from_angles([0.2, 0.6]), "seed": 1},
        "two normals": {"law": TWO, "schedule": schedules.from_angles([0.1, 0.6]), "seed": 2},
        "two scales of one mean": {"law": SCALES, "schedule": schedules.from_angles([0.0, 1.0]), "seed": 3},
    },
)

GIVEN: dict[str, Any] = ddim_is_pifs.GIVEN
prove = ddim_is_pifs.prove


def observe(law: Law, schedule: Schedule, points: Array) -> Array:
    """Second differences of the first step along the diagonal, a spacing of 0.5 apart, (n, d)."""
    left, middle, right = (ddim_is_pifs.observe(law, schedule, 1, points + shift) for shift in (-0.5, 0.0, 0.5))
    return left - 2 * middle + right


def holds(formula: Branches, law: Law, schedule: Schedule, seed: int) -> float:
    """The step bends as the formula does: not at all, if its pairing is fixed."""
    points = np.random.default_rng(seed).standard_normal((8, law.dim))
    angles = float(schedule.angles[0]), float(schedule.angles[1])
    (left, _), (middle, most), (right, _) = (
        predicted(formula, law, angles, points + shift) for shift in (-0.5, 0.0, 0.5)
    )
    scale = (1 + np.abs(points).max() + np.abs(law.means).max()) * (1 + most[:, None] + 1 / np.sin(angles[1]) ** 2)
    return close("second difference", observe(law, schedule, points), left - 2 * middle + right, 256 * EPS, scale)
