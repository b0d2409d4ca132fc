"""The coupled one-step error is the denoiser's own error, scaled by the schedule.

With the same (x_0, eps) in x_t and x_s, and v = cos phi_t eps - sin phi_t x_0,

    x_s - Phi_t(x_t) = b_t (eps - eps_hat) = (sin Delta/sin phi_t)(x_0 - x_hat) = -sin Delta (v - v_hat):

sample by sample, hence for mean squares; the last two forms at pi/2 too. The error is not ||x - W x|| for a
contraction W with a fixed point, so the collage theorem cannot be chained onto it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, schedules
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, Obligation, Status, close
from theory.formulas import DELTA, PHI_S, PHI_T, B, evaluate, steps_of
from theory.instruments import EPS

b_t, Delta_t, phi_t, noise_error, velocity_error = sp.symbols("b_t Delta_t phi_t ‖ε−ε̂‖ ‖v−v̂‖")
step_error, clean_error = sp.Symbol("‖xₛ−Φₜ(xₜ)‖"), sp.Symbol("‖x₀−x̂₀‖")
TILTED = np.array([[2.0, 0.9, 0.0], [0.9, 1.0, -0.3], [0.0, -0.3, 0.2]])
MEAN = np.array([1.0, -2.0, 0.5])
SAMPLES = 8

CLAIM = Claim(
    label="collage-identity",
    source="Dooms 2026, arXiv:2603.13069, section 3; pathwise form derived here",
    statement="With the same (x_0, ε) in x_t and x_s, the coupled one-step error (not ‖x − Wx‖ of the collage theorem) "
    "is ‖x_s − Φ_t(x_t)‖² = b_t² ‖ε − ε̂‖² = (sin Δ_t / sin φ_t)² ‖x_0 − x̂_0‖² = sin²Δ_t ‖v − v̂‖², sample by sample.",
    equation=(
        sp.Eq(step_error**2, b_t**2 * noise_error**2),
        sp.Eq(step_error**2, (sp.sin(Delta_t) / sp.sin(phi_t)) ** 2 * clean_error**2),
        sp.Eq(step_error**2, sp.sin(Delta_t) ** 2 * velocity_error**2),
    ),
    formula=sp.Tuple(B, sp.sin(DELTA) / sp.sin(PHI_T), -sp.sin(DELTA)),
    assumptions="0 <= phi_s < phi_t <= pi/2 (the form with eps: phi_t < pi/2), x_0 and eps shared",
    scope="any denoiser and any data, pathwise, every step; measured with Gaussian denoisers of full covariance",
    witness={
        "cosine chain to pi/2": {"schedule": schedules.cosine(5, max_beta=None), "covariance": TILTED, "seed": 1},
        "one step from 0": {"schedule": schedules.from_angles([0.0, 0.8]), "covariance": np.eye(3), "seed": 2},
        "linear chain": {"schedule": schedules.linear(5), "covariance": np.full((3, 3), 5.0), "seed": 3},
    },
    mutants={
        "divided by tan phi_t": sp.Tuple(B, sp.sin(DELTA) / sp.tan(PHI_T), -sp.sin(DELTA)),
        "b over cos phi_s": sp.Tuple(-sp.sin(DELTA) / sp.cos(PHI_S), sp.sin(DELTA) / sp.sin(PHI_T), -sp.sin(DELTA)),
        "chord in place of sine": sp.Tuple(B, sp.sin(DELTA) / sp.sin(PHI_T), -2 * sp.sin(DELTA / 2)),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "schedule": strategies.schedules(max_steps=5),
    "covariance": strategies.spd_matrices(3).map(lambda law: law.matrix),
    "seed": st.integers(0, 2**32 - 1),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The three forms as vectors, coordinate by coordinate, for any value of eps_hat; weights keep them apart."""
    x_0, eps, eps_hat = sp.symbols("x_0 epsilon epsilon_hat")
    weights = sp.symbols("w_1:4")
    x_hat = (sp.cos(PHI_T) * x_0 + sp.sin(PHI_T) * (eps - eps_hat)) / sp.cos(PHI_T)
    noise, clean = eps - eps_hat, x_0 - x_hat
    velocity = sp.cos(PHI_T) * noise - sp.sin(PHI_T) * clean
    error = sp.cos(PHI_S) * clean + sp.sin(PHI_S) * noise  # x_s - (cos phi_s x_hat + sin phi_s eps_hat)
    forms = zip(weights, formula, (noise, clean, velocity), strict=True)
    yield Identity("all three forms", sum(weight * (error - factor * part) for weight, factor, part in forms))


def observe(schedule: Schedule, covariance: npt.NDArray[np.float64], seed: int) -> tuple[Any, Any, Any, Any]:
    """Errors of the step, (T, n, d), and of the three estimates, (3, T, n, d), on samples of data from any law.

    With the length of the terms of x_t and the mean, (T, n, 1), and what the denoiser makes of it at most, (T, 1, 1).
    """
    chain, rng = Chain(schedule, exact_denoiser(Gaussian(MEAN, covariance))), np.random.default_rng(seed)
    steps, parts, lengths, gains = [], [], [], []
    for t in range(1, schedule.steps + 1):
        c, s = schedule.cos[t], schedule.sin[t]
        x_0, eps = rng.standard_exponential((SAMPLES, 3)), rng.standard_normal((SAMPLES, 3))
        x_t, x_s = c * x_0 + s * eps, schedule.cos[t - 1] * x_0 + schedule.sin[t - 1] * eps
        posterior = chain.denoiser.posterior(x_t, float(schedule.angles[t]))
        noise, clean = eps - posterior.noise, x_0 - posterior.mean
        steps.append(x_s - chain.step(x_t, schedule.steps - t))
        parts.append((noise, clean, c * noise - s * clean))
        lengths.append(np.linalg.norm([x_0, eps], axis=2).sum(axis=0)[:, None] + np.linalg.norm(MEAN))
        gains.append([[posterior.noise_jacobian.spectrum().max() + posterior.mean_jacobian.spectrum().max()]])
    return np.array(steps), np.array(parts).swapaxes(0, 1), np.array(lengths), np.array(gains)


def holds(formula: Formula, schedule: Schedule, covariance: npt.NDArray[np.float64], seed: int) -> float:
    """All three forms on every sample and coordinate; the one with eps where phi_t < pi/2."""
    steps, parts, lengths, gains = observe(schedule, covariance, seed)
    factors = [evaluate(factor, steps_of(schedule))[:, None, None] for factor in formula]
    below = schedule.cos[1:] > 0
    turn, errors = np.sin(schedule.increments)[:, None, None], []
    sizes = np.abs(schedule.b)[:, None, None], turn / schedule.sin[1:, None, None], turn
    for name, factor, part, size in zip(("eps", "x_0", "v"), factors, parts, sizes, strict=True):
        use = below if name == "eps" else slice(None)
        scale = lengths * (1 + (turn + size) * (1 + gains))
        errors.append(close(f"the error in {name}", steps[use], factor[use] * part[use], 32 * EPS, scale[use]))
    return max(errors)
