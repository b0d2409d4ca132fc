"""The Jacobian of a DDIM step is J Phi_t = r_t I + b_t J eps_hat, for phi_t < pi/2 and any differentiable eps_hat.

From Phi_t(x) = cos phi_s x_hat + sin phi_s eps_hat with x_hat = (x - sin phi_t eps_hat)/cos phi_t.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, schedules
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Status, close
from theory.formulas import PHI_S, PHI_T, B, R, evaluate, steps_of
from theory.instruments import EPS, affine_jacobian, step_jacobian

r_t, b_t, J_step = sp.symbols("r_t b_t JΦ_t")
unit, J_noise = sp.symbols("I Jε̂", commutative=False)
MEAN = np.array([1.0, -2.0, 0.5])
TILTED = np.array([[2.0, 0.9, 0.0], [0.9, 1.0, -0.3], [0.0, -0.3, 0.2]])

CLAIM = Claim(
    label="jacobian-form",
    source="Dooms 2026, arXiv:2603.13069, section 3",
    statement="The Jacobian of a step is JΦ_t = r_t I + b_t Jε̂ with r_t = cos φ_s / cos φ_t, b_t = −sin Δ_t / cos φ_t.",
    equation=sp.Eq(J_step, r_t * unit + b_t * J_noise),
    formula=sp.Tuple(R, B),
    assumptions="0 <= phi_s < phi_t < pi/2, eps_hat differentiable",
    scope="any differentiable denoiser, every step with φ_t < π/2; measured on Gaussian data with full covariance",
    witness={
        "cosine chain": {"schedule": schedules.cosine(6), "covariance": TILTED},
        "one step from 0": {"schedule": schedules.from_angles([0.0, 0.8]), "covariance": np.eye(3)},
        "singular covariance": {"schedule": schedules.linear(4), "covariance": np.full((3, 3), 5.0)},
    },
    mutants={
        "b with the other sign": sp.Tuple(R, -B),
        "b without r: difference of the noise scales": sp.Tuple(R, sp.sin(PHI_S) - sp.sin(PHI_T)),
        "r the other way up": sp.Tuple(1 / R, B),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "schedule": st.sampled_from([0.7, 1.3, 1.57]).flatmap(lambda stop: strategies.schedules(max_steps=4, stop=stop)),
    "covariance": strategies.spd_matrices(3).map(lambda law: law.matrix),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """An entry of the diagonal and one off it, in two dimensions; every entry of every dimension is one of them."""
    x = sp.symbols("x_1 x_2")
    noise, own, cross = sp.Function("e")(*x), sp.Symbol("J_11"), sp.Symbol("J_12")
    clean = (x[0] - sp.sin(PHI_T) * noise) / sp.cos(PHI_T)
    step = sp.cos(PHI_S) * clean + sp.sin(PHI_S) * noise
    slopes = {sp.diff(noise, x[0]): own, sp.diff(noise, x[1]): cross}
    yield Identity("diagonal entry", sp.diff(step, x[0]).subs(slopes) - (formula[0] + formula[1] * own))
    yield Identity("entry off the diagonal", sp.diff(step, x[1]).subs(slopes) - formula[1] * cross)


def observe(schedule: Schedule, covariance: npt.NDArray[np.float64]) -> tuple[Any, Any, Any, Any]:
    """(T, d, d) each: Jacobians of the steps and of the noise by differences, those of `tangent`; and the noise's size.

    The size (T,) is that of the terms of a value of the noise, x and the mean taken apart.
    """
    denoiser = exact_denoiser(Gaussian(MEAN, covariance))
    chain = Chain(schedule, denoiser)
    steps, noises, tangents, sizes = [], [], [], []
    origin, identity = np.zeros((1, chain.dim)), np.eye(chain.dim)[None]
    for t in range(1, schedule.steps + 1):
        steps.append(step_jacobian(chain, t))
        noises.append(affine_jacobian(partial(denoiser.noise, angle=float(schedule.angles[t])), chain.dim))
        tangents.append(chain.tangent(origin, schedule.steps - t, identity)[1][0])
        sizes.append(np.linalg.norm(noises[-1], 2) * (1 + np.linalg.norm(MEAN)))
    return np.array(steps), np.array(noises), np.array(tangents), np.array(sizes)


def holds(formula: Formula, schedule: Schedule, covariance: npt.NDArray[np.float64]) -> float:
    """Measured Jacobians of the steps, by differences and by `tangent`, are r I + b times those of the noise."""
    steps, noises, tangents, sizes = observe(schedule, covariance)
    r, b = (evaluate(part, steps_of(schedule))[:, None, None] for part in formula)
    expected = r * np.eye(3) + b * noises
    # |b_t| times the noise's rounding, and the x_hat = (x - sin eps_hat)/cos that a step is made of
    scale = (schedule.r + np.abs(schedule.b) * (sizes + 1) + np.linalg.norm(MEAN))[:, None, None]
    close("J Phi_t of `tangent`", tangents, expected, 32 * EPS, scale)
    return close("J Phi_t", steps, expected, 32 * EPS, scale)
