"""A step with symmetric J eps_hat contracts iff all eigenvalues lie between L*_t = (r_t - 1)/|b_t| and (r_t + 1)/|b_t|.

With m, M the infimum and supremum over x of the eigenvalues: Lip Phi_t < 1 iff L*_t < m and M < (r_t + 1)/|b_t|.
An eigenvalue e of J eps_hat makes r_t + b_t e of J Phi_t, which is 1 at the lower and -1 at the upper bound.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, geometry, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Implies, Obligation, Positive, Status, Violation, close
from theory.formulas import DELTA, PHI_S, PHI_T, B, R, evaluate, steps_of
from theory.instruments import EPS, LinearNoise, step_jacobian

r_t, b_t, L_t, m, M = sp.symbols("r_t b_t L^*_t m M")
Array = npt.NDArray[np.float64]
TURN = np.linalg.qr(np.array([[1.0, 2.0, 0.0], [-1.0, 1.0, 3.0], [0.5, 0.0, 1.0]]))[0]

CLAIM = Claim(
    label="euclidean-contraction",
    source="Dooms 2026, arXiv:2603.13069, section 3",
    statement="If Jε̂ is symmetric everywhere with eigenvalues between m = inf and M = sup, then Lip Φ_t < 1 exactly if "
    "m > L*_t = (r_t − 1)/|b_t| and M < (r_t + 1)/|b_t|.",
    equation=(sp.Eq(L_t, (r_t - 1) / sp.Abs(b_t)), L_t < m, sp.Lt(M, (r_t + 1) / sp.Abs(b_t))),
    formula=sp.Tuple((R - 1) / -B, (R + 1) / -B),
    assumptions="0 <= phi_s < phi_t < pi/2, J eps_hat symmetric at every x",
    scope="every step with φ_t < π/2; takes from analysis that Lip Φ = sup ‖JΦ‖ on a convex set, ‖·‖ the largest "
    "|eigenvalue|; measured with linear ε̂",
    uses=("jacobian-form",),
    witness={
        "inside, cosine chain": {"schedule": schedules.cosine(4), "places": (0.01, 0.5, 0.99), "rotation": TURN},
        "below, one step": {
            "schedule": schedules.from_angles([0.3, 0.8]),
            "places": (-1e-9, 0.5, 0.9),
            "rotation": TURN,
        },
        "above, linear chain": {"schedule": schedules.linear(4), "places": (0.2, 0.5, 1 + 1e-9), "rotation": TURN},
    },
    mutants={
        "no upper bound (a thousand times too high)": sp.Tuple((R - 1) / -B, 1000 * (R + 1) / -B),
        "upper bound of an exact denoiser": sp.Tuple((R - 1) / -B, 1 / sp.sin(PHI_T)),
        "1 - 1/r^2 in place of r - 1": sp.Tuple((1 - 1 / R**2) / -B, (R + 1) / -B),
        "without 1/|b|": sp.Tuple(R - 1, R + 1),
    },
    expects=Status.PROVED,
)

NEAR = st.builds(
    lambda end, side, k: end + side * 10.0**-k, st.sampled_from([0, 1]), st.sampled_from([-1, 1]), st.integers(1, 11)
)
GIVEN: dict[str, Any] = {
    "schedule": st.sampled_from([0.7, 1.3, 1.57]).flatmap(lambda stop: strategies.schedules(max_steps=4, stop=stop)),
    "places": st.tuples(*[NEAR | st.floats(-1, 2) | st.floats(1.01, 2) | st.floats(0.1, 0.9)] * 3),
    "rotation": strategies.rotations(3),
}

REGIONS: dict[str, Any] = {
    "contracting": lambda places, **_: all(0 < place < 1 for place in places),
    "beyond the lower bound": lambda places, **_: min(places) < 0,
    "beyond the upper bound": lambda places, **_: max(places) > 1,
}


def supposes(schedule: Schedule, places: Sequence[float], rotation: Array) -> None:
    """No step from pi/2, and one eigenvalue for each direction."""
    if schedule.cos[-1] == 0:
        raise ValueError("`schedule` ends at pi/2, expected phi_T < pi/2.")
    if len(places) != len(rotation):
        raise ValueError(f"`places` has {len(places)} entries, expected {len(rotation)}.")


def prove(formula: Formula) -> Iterator[Obligation]:
    """(r + b e)^2 - 1 = b^2 (e - lower)(e - upper), and lower < upper: negative exactly between the two."""
    e = sp.Symbol("e", real=True)
    lower, upper = formula
    yield Identity(
        "(r + b e)^2 - 1 = b^2 (e - lower)(e - upper)", (R + B * e) ** 2 - 1 - B**2 * (e - lower) * (e - upper)
    )
    yield Positive("b^2 cos^2 phi_t > 0", sp.sin(DELTA) ** 2, (PHI_S, PHI_T))
    yield Positive("lower < upper", upper - lower, (PHI_S, PHI_T))
    contracts, between = sp.And(R + B * e < 1, R + B * e > -1), sp.And(lower < e, e < upper)
    yield Implies("between the bounds a step contracts", (lower < e, e < upper), contracts, (PHI_S, PHI_T))
    yield Implies("and only there", (R + B * e < 1, R + B * e > -1), between, (PHI_S, PHI_T))


def observe(schedule: Schedule, eigenvalues: Array, rotation: Array) -> Any:
    """Lipschitz constant of each step, (T,), with J eps_hat of eigenvalues (T, d): the norm of its differences."""
    lip = [
        np.linalg.norm(step_jacobian(Chain(schedule, LinearNoise(eigenvalues[t - 1], rotation)), t), 2)
        for t in range(1, schedule.steps + 1)
    ]
    return np.array(lip)


def holds(formula: Formula, schedule: Schedule, places: Sequence[float], rotation: Array) -> float:
    """Eigenvalues at given places between the bounds (0 and 1): below 1 iff all inside, and max |1 - 2 place|."""
    lower, upper = (evaluate(bound, steps_of(schedule))[:, None] for bound in formula)
    eigenvalues = lower + np.array(places) * (upper - lower)
    lip = observe(schedule, eigenvalues, rotation)
    scale = schedule.r + np.abs(schedule.b) * np.max(np.abs(eigenvalues), axis=1)
    inside = ((eigenvalues > lower) & (eigenvalues < upper)).all(axis=1)
    decided = np.abs(lip - 1) > 32 * EPS * scale
    if np.any(decided & ((lip < 1) != inside)):
        raise Violation(f"Lipschitz constants {lip!r}, all eigenvalues between the bounds: {inside!r}")
    threshold = geometry.contraction_threshold(schedule)
    close("geometry's L*_t", threshold, lower[:, 0], 1e-13)
    return close("Lipschitz constant", lip, np.max(np.abs(1 - 2 * np.array(places))), 32 * EPS, scale)
