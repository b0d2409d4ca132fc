"""A step with symmetric J v_hat contracts iff all its eigenvalues lie in (-tan(Delta/2), cot(Delta/2)), at pi/2 too.

An eigenvalue g of the symmetric J v_hat makes cos Delta - sin Delta g of J Phi_t. For an exact denoiser J x_hat >= 0,
so J v_hat = cot phi_t I - J x_hat/sin phi_t <= cot phi_t < cot(Delta/2): the upper bound never binds.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, schedules
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Implies, Obligation, Positive, Status, Violation, close
from theory.formulas import DELTA, LAM, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import EPS, LinearVelocity, affine_jacobian, step_jacobian

Delta_t, m, M = sp.symbols("Delta_t m M")
TURNED = sp.Symbol("phi_Delta", positive=True)  # Delta_t
HALF_TAN = sp.sin(TURNED / 2) / sp.cos(TURNED / 2)
TURN = np.linalg.qr(np.array([[1.0, 2.0, 0.0], [-1.0, 1.0, 3.0], [0.5, 0.0, 1.0]]))[0]
LAW = {"rotation": TURN, "lam": np.array([1e-3, 1.0, 50.0])}
Array = npt.NDArray[np.float64]

CLAIM = Claim(
    label="velocity-contraction",
    source="derived here",
    statement="If Jv̂ is symmetric everywhere with eigenvalues between m = inf and M = sup, then Lip Φ_t < 1 exactly if "
    "−tan(Δ_t/2) < m and M < cot(Δ_t/2), at φ_t = π/2 too; for an exact denoiser the upper bound never binds.",
    equation=(sp.Lt(-sp.tan(Delta_t / 2), m), sp.Lt(M, sp.cot(Delta_t / 2))),
    formula=sp.Tuple(-HALF_TAN, 1 / HALF_TAN),
    assumptions="0 <= phi_s < phi_t <= pi/2, J v_hat symmetric at every x",
    scope="every step, φ_t = π/2 included; takes from analysis that Lip Φ = sup ‖JΦ‖ on a convex set; the upper bound "
    "of exact denoisers from Jx̂ ⪰ 0; measured with linear v̂ and on Gaussian data",
    uses=("euclidean-contraction",),
    witness={
        "inside, to pi/2": {
            "schedule": schedules.cosine(4, max_beta=None),
            "places": (0.01, 0.5, 0.99),
            **LAW,
        },
        "below, one step": {
            "schedule": schedules.from_angles([0.0, np.pi / 2]),
            "places": (-1e-9, 0.5, 0.9),
            **LAW,
        },
        "above, linear chain": {"schedule": schedules.linear(4), "places": (0.2, 0.5, 1 + 1e-9), **LAW},
    },
    mutants={
        "sine in place of tangent": sp.Tuple(-sp.sin(TURNED / 2), 1 / sp.sin(TURNED / 2)),
        "small angle": sp.Tuple(-TURNED / 2, 2 / TURNED),
        "bounds mirrored": sp.Tuple(-1 / HALF_TAN, HALF_TAN),
        "upper bound of an exact denoiser": sp.Tuple(-HALF_TAN, sp.cos(PHI_T) / sp.sin(PHI_T)),
    },
    expects=Status.PROVED,
)

NEAR = st.builds(
    lambda end, side, k: end + side * 10.0**-k, st.sampled_from([0, 1]), st.sampled_from([-1, 1]), st.integers(1, 11)
)
GIVEN: dict[str, Any] = {
    "schedule": strategies.schedules(max_steps=4),
    "places": st.tuples(*[NEAR | st.floats(-1, 2) | st.floats(1.01, 2) | st.floats(0.1, 0.9)] * 3),
    "rotation": strategies.rotations(3),
    "lam": strategies.spectra(3, 3),
}

REGIONS: dict[str, Any] = {
    "contracting": lambda places, **_: all(0 < place < 1 for place in places),
    "beyond the lower bound": lambda places, **_: min(places) < 0,
    "beyond the upper bound": lambda places, **_: max(places) > 1,
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The square of a step's eigenvalue less 1 factors; it is that of J eps_hat; cot phi_t is below the upper bound."""
    g = sp.Symbol("g", real=True)
    lower, upper = formula
    squared = (sp.cos(TURNED) - sp.sin(TURNED) * g) ** 2
    factored = sp.sin(TURNED) ** 2 * (g - lower) * (g - upper)
    yield Identity("(cos Delta - sin Delta g)^2 - 1 = sin^2 Delta (g - lower)(g - upper)", squared - 1 - factored)
    yield Positive("lower < upper", 2 / sp.sin(TURNED), (TURNED,), from_zero=False)
    moved = sp.cos(TURNED) - sp.sin(TURNED) * g
    contracts, between = sp.And(moved < 1, moved > -1), sp.And(lower < g, g < upper)
    yield Implies("between the bounds a step contracts", (lower < g, g < upper), contracts, (TURNED,), to_half_pi=True)
    yield Implies("and only there", (moved < 1, moved > -1), between, (TURNED,), to_half_pi=True)
    noise_eigenvalue = sp.sin(PHI_T) + sp.cos(PHI_T) * g  # v_hat = (eps_hat - sin phi_t x)/cos phi_t
    yield Identity("r + b e = cos Delta - sin Delta g", R + B * noise_eigenvalue - sp.cos(DELTA) + sp.sin(DELTA) * g)
    yield Positive("1/sqrt v_t < (r_t + 1)/|b_t|", (R + 1) / -B - 1 / sp.sin(PHI_T), (PHI_S, PHI_T))
    gap = (1 + sp.cos(DELTA)) / sp.sin(DELTA) - sp.cos(PHI_T) / sp.sin(PHI_T)
    yield Positive("cot phi_t < cot(Delta/2)", gap, (PHI_S, PHI_T))
    gaussian = 1 / sp.sin(PHI_T) - sp.sin(PHI_T) / N(PHI_T, LAM)
    yield Positive("M < 1/sqrt v_t on Gaussian data", gaussian, (PHI_T,), from_zero=False)


def observe(schedule: Schedule, denoisers: Sequence[Any]) -> tuple[Any, Any]:
    """Lipschitz constant of each step with its denoiser, (T,), and eigenvalues of J v_hat, (T, d), by differences."""
    lip, eigenvalues = [], []
    for t, denoiser in enumerate(denoisers, start=1):

        def velocity(x: Any, t: int = t, denoiser: Any = denoiser) -> Any:
            posterior = denoiser.posterior(x, float(schedule.angles[t]))
            return schedule.cos[t] * posterior.noise - schedule.sin[t] * posterior.mean

        lip.append(np.linalg.norm(step_jacobian(Chain(schedule, denoiser), t), 2))
        eigenvalues.append(np.linalg.eigvalsh(affine_jacobian(velocity, denoiser.dim)))
    return np.array(lip), np.array(eigenvalues)


def holds(formula: Formula, schedule: Schedule, places: Sequence[float], rotation: Array, lam: Array) -> float:
    """Eigenvalues at places between the bounds (0 and 1), then the exact denoiser's: below 1 iff all inside."""
    values = {TURNED: schedule.increments, **steps_of(schedule)}
    lower, upper = (evaluate(bound, values)[:, None] for bound in formula)
    chosen = lower + np.array(places) * (upper - lower)
    linear, _ = observe(schedule, [LinearVelocity(row, rotation) for row in chosen])
    exact = exact_denoiser(Gaussian(np.zeros(3), (rotation * lam) @ rotation.T))
    gaussian, measured = observe(schedule, [exact] * schedule.steps)
    if np.any(measured >= upper):
        raise Violation(f"the upper bound {upper!r} binds for an exact denoiser: J v_hat has {measured!r}")
    for lip, velocities in ((gaussian, measured), (linear, chosen)):
        scale = 1 + np.sin(schedule.increments) * np.max(np.abs(velocities), axis=1)
        inside = ((lower < velocities) & (velocities < upper)).all(axis=1)
        if np.any((np.abs(lip - 1) > 32 * EPS * scale) & ((lip < 1) != inside)):
            raise Violation(f"Lipschitz constants {lip!r}, J v_hat between the bounds: {inside!r}")
    return close("Lipschitz constant", linear, np.max(np.abs(1 - 2 * np.array(places))), 32 * EPS, scale)
