"""Constructors of noise schedules, each from its own definition, without cancellation.

phi = arctan2(sqrt(1 - alpha_bar), sqrt(alpha_bar)) = arctan(sigma).

A schedule given by alpha_bar or sigma becomes angles through arctan2, so v near the clean end and
alpha_bar near the noisy end keep their relative accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from numbers import Real

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import HALF_PI, FloatArray
from pifs_sim.diffusion.schedule import Schedule, increasing, sequence_of_reals
from pifs_sim.dynamics.memory import check_memory

__all__ = [
    "cosine",
    "flow",
    "from_alpha_bar",
    "from_angles",
    "from_sigma",
    "karras",
    "linear",
    "log_linear",
    "scaled_linear",
    "uniform_angle",
]


def __dir__() -> list[str]:
    return list(__all__)


def _check_steps(steps: int) -> None:
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1:
        raise ValueError(f"`steps` must be an integer of at least 1, got {steps!r}.")
    check_memory(f"a schedule of {steps} `steps`", (8, int(steps)))


def _check(name: str, value: float, rule: str, holds: Callable[[float], bool]) -> None:
    if not (isinstance(value, Real) and math.isfinite(value) and holds(float(value))):
        raise ValueError(f"`{name}` must {rule}, got {value!r}.")


def from_angles(angles: npt.ArrayLike, name: str = "angles") -> Schedule:
    """Schedule called `name` with the given angles, (T+1,) strictly increasing in [0, pi/2], radians.

    Raises ValueError for angles that are not.

    >>> from_angles([0.0, 0.5, 1.0]).alpha_bar.round(4).tolist()
    [1.0, 0.7702, 0.2919]
    """
    return Schedule(sequence_of_reals("angles", angles), name)


def from_sigma(sigma: npt.ArrayLike, name: str = "sigma") -> Schedule:
    """Schedule called `name` with noise-to-signal ratios sigma_t = tan phi_t, (T+1,) strictly increasing in [0, inf].

    A sampler's list runs from noise to data: pass it reversed. Raises ValueError for negative, NaN or
    non-increasing values.

    >>> from_sigma([0.01, 1.0, 100.0]).angles.round(4).tolist()
    [0.01, 0.7854, 1.5608]
    """
    values = sequence_of_reals("sigma", sigma)
    if (values < 0).any():
        i = int((values < 0).argmax())
        raise ValueError(f"`sigma` must be non-negative, got sigma[{i}]={float(values[i])!r}.")
    if (np.diff(values[np.isfinite(values)]) < 0).all() and values[0] > values[-1]:
        raise ValueError("`sigma` must increase from the clean to the noisy end, got a decreasing list: reverse it.")
    increasing("sigma", values)
    angles = np.arctan(values)
    if (np.diff(angles) <= 0).any():
        i = int((np.diff(angles) <= 0).argmax())
        raise ValueError(
            f"`sigma` must be apart as angles arctan(sigma), got sigma[{i}]={float(values[i])!r} and "
            f"sigma[{i + 1}]={float(values[i + 1])!r}, which round to the same one."
        )
    return Schedule(angles, name)


def from_alpha_bar(alpha_bar: npt.ArrayLike, name: str = "alpha_bar") -> Schedule:
    """Schedule called `name` with cos^2 phi_t = alpha_bar_t, (T+1,) strictly decreasing in [0, 1].

    Raises ValueError for values outside [0, 1], NaN, or not strictly decreasing.

    >>> from_alpha_bar([1.0, 0.5, 0.0]).angles.round(4).tolist()
    [0.0, 0.7854, 1.5708]
    """
    values = sequence_of_reals("alpha_bar", alpha_bar)
    outside = (values < 0) | (values > 1)
    if outside.any():
        i = int(outside.argmax())
        raise ValueError(f"`alpha_bar` must lie in [0, 1], got alpha_bar[{i}]={float(values[i])!r}.")
    rises = np.flatnonzero(values[1:] >= values[:-1])
    if rises.size:
        i = int(rises[0])
        raise ValueError(
            f"`alpha_bar` must decrease strictly from the clean to the noisy end, "
            f"got alpha_bar[{i + 1}]={float(values[i + 1])!r} after alpha_bar[{i}]={float(values[i])!r}."
        )
    return Schedule(np.arctan2(np.sqrt(1.0 - values), np.sqrt(values)), name)


def _from_betas(betas: FloatArray, name: str) -> Schedule:
    """phi_t from alpha_bar_t = prod (1 - beta): the sum of log1p(-beta) is exact before one rounding a step."""
    total, log_alpha_bar = Fraction(0), [0.0]
    for term in np.log1p(-betas).tolist():
        total += Fraction(term)
        log_alpha_bar.append(float(total))
    logs = np.array(log_alpha_bar)
    return Schedule(np.arctan2(np.sqrt(-np.expm1(logs)), np.exp(logs / 2)), name)


def _check_betas(steps: int, beta_min: float, beta_max: float) -> None:
    _check_steps(steps)
    _check("beta_min", beta_min, "lie strictly between 0 and 1", lambda value: 0 < value < 1)
    _check("beta_max", beta_max, "lie between `beta_min` and 1, below 1", lambda value: beta_min <= value < 1)


def linear(steps: int, beta_min: float = 1e-4, beta_max: float = 0.02) -> Schedule:
    """DDPM's schedule: beta_t equally spaced from beta_min to beta_max, alpha_bar_t = prod (1 - beta); phi_0 = 0.

    Relative error of v_t and alpha_bar_t at most 2e-13 up to T = 1000 with the default betas.
    Raises ValueError unless steps >= 1 and 0 < beta_min <= beta_max < 1.
    Source: Ho, Jain, Abbeel 2020, arXiv:2006.11239.

    >>> linear(1000).sigma[[0, 1, -1]].round(4).tolist()
    [0.0, 0.01, 157.4073]
    """
    _check_betas(steps, beta_min, beta_max)
    return _from_betas(np.linspace(beta_min, beta_max, steps), f"linear({steps})")


def scaled_linear(steps: int, beta_min: float = 0.00085, beta_max: float = 0.012) -> Schedule:
    """Stable Diffusion's schedule: `steps` sqrt(beta_t), beta_min to beta_max, equally spaced; phi_0 = 0.

    Accuracy and errors (ValueError) as for `linear`.
    Source: Rombach et al. 2022, arXiv:2112.10752.

    >>> scaled_linear(1000).sigma[[0, 1, -1]].round(4).tolist()
    [0.0, 0.0292, 14.6146]
    """
    _check_betas(steps, beta_min, beta_max)
    return _from_betas(np.linspace(math.sqrt(beta_min), math.sqrt(beta_max), steps) ** 2, f"scaled_linear({steps})")


def cosine(steps: int, offset: float = 0.008, max_beta: float | None = 0.999) -> Schedule:
    """The cosine schedule: alpha_bar_t = cos^2 a_t / cos^2 a_0, a_t = (pi/2)(t/T + offset)/(1 + offset).

    With v_t = sin(a_t - a_0) sin(a_t + a_0)/cos^2 a_0. `max_beta` clips beta_t = 1 - alpha_bar_t/alpha_bar_{t-1};
    `None` clips nothing and ends at phi_T = pi/2.

    Raises:
        ValueError: steps < 1, offset < 0, max_beta outside (0, 1).

    Source: Nichol, Dhariwal 2021, arXiv:2102.09672.

    >>> cosine(4, max_beta=None).angles.round(4).tolist()
    [0.0, 0.4019, 0.7916, 1.1812, 1.5708]
    """
    _check_steps(steps)
    _check("offset", offset, "be non-negative", lambda value: value >= 0)
    turn = np.arange(steps + 1) / steps * (HALF_PI / (1 + offset))
    start = HALF_PI * (offset / (1 + offset))
    cos = np.sin(turn[::-1])  # cos a_t = sin(pi/2 - a_t): exact 0 at the end
    noise = np.sin(turn) * np.sin(turn + 2 * start)  # v_t cos^2 a_0
    phi = np.arctan2(np.sqrt(noise), cos)
    if max_beta is not None:
        _check("max_beta", max_beta, "lie strictly between 0 and 1", lambda value: 0 < value < 1)
        kept = (cos[1:] / cos[:-1]) ** 2 >= 1 - max_beta
        first = 1 + int(kept.argmin())  # beta grows with t to 1: a tail is clipped
        clipped = np.arange(1, steps + 2 - first)
        log_alpha_bar = clipped * math.log1p(-max_beta) - np.log1p(noise[first - 1] / cos[first - 1] ** 2)
        phi[first:] = np.arctan2(np.sqrt(-np.expm1(log_alpha_bar)), np.exp(log_alpha_bar / 2))
    return Schedule(phi, f"cosine({steps}, offset={offset:g})")


def uniform_angle(steps: int, start: float = 0.0, stop: float = HALF_PI) -> Schedule:
    """steps + 1 equally spaced angles from `start` to `stop`: the cosine schedule without offset and clipping.

    Raises ValueError unless steps >= 1 and 0 <= start < stop <= pi/2.

    >>> uniform_angle(3, 0.0, 1.5).angles.tolist()
    [0.0, 0.5, 1.0, 1.5]
    """
    _check_steps(steps)
    _check("start", start, "lie in [0, pi/2)", lambda value: 0 <= value < HALF_PI)
    _check("stop", stop, "lie in (start, pi/2]", lambda value: start < value <= HALF_PI)
    return Schedule(np.linspace(start, stop, steps + 1), f"uniform_angle({steps})")


def _check_sigmas(steps: int, sigma_min: float, sigma_max: float) -> None:
    _check_steps(steps)
    _check("sigma_min", sigma_min, "be positive", lambda value: value > 0)
    _check("sigma_max", sigma_max, f"be finite and exceed `sigma_min`, {sigma_min:g}", lambda value: value > sigma_min)


def karras(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Schedule:
    """sigma_i = (sigma_min^(1/rho) + (i/T)(sigma_max^(1/rho) - sigma_min^(1/rho)))^rho, i = 0..T.

    steps + 1 values from sigma_min to sigma_max; no final 0. Raises ValueError unless steps >= 1,
    0 < sigma_min < sigma_max and rho > 0. Source: Karras et al. 2022, arXiv:2206.00364.

    >>> karras(4, 0.002, 80.0).sigma.round(3).tolist()
    [0.002, 0.17, 2.515, 17.528, 80.0]
    """
    _check_sigmas(steps, sigma_min, sigma_max)
    _check("rho", rho, "be positive", lambda value: value > 0)
    sigma = sigma_max * np.linspace((sigma_min / sigma_max) ** (1 / rho), 1.0, steps + 1) ** rho
    sigma[0], sigma[-1] = sigma_min, sigma_max
    return from_sigma(sigma, f"karras({steps}, rho={rho:g})")


def log_linear(steps: int, sigma_min: float, sigma_max: float) -> Schedule:
    """Equally spaced ln sigma: steps + 1 values from sigma_min to sigma_max, no final 0. ValueError as for `karras`.

    >>> log_linear(4, 0.01, 100.0).sigma.round(6).tolist()
    [0.01, 0.1, 1.0, 10.0, 100.0]
    """
    _check_sigmas(steps, sigma_min, sigma_max)
    return from_sigma(np.geomspace(sigma_min, sigma_max, steps + 1), f"log_linear({steps})")


def flow(steps: int, shift: float = 1.0) -> Schedule:
    """Flow matching's `steps` + 1 times tau = t/T, shifted: tan phi_t = shift * tau/(1 - tau), from 0 to pi/2.

    x = (1 - tau') x_0 + tau' eps with tau' = shift tau/(1 + (shift - 1) tau), rescaled to the sphere.
    Raises ValueError unless steps >= 1 and shift > 0. Source: Esser et al. 2024, arXiv:2403.03206 (shift).

    >>> flow(4).sigma[:-1].round(4).tolist()
    [0.0, 0.3333, 1.0, 3.0]
    """
    _check_steps(steps)
    _check("shift", shift, "be positive", lambda value: value > 0)
    t = np.arange(steps + 1)
    return Schedule(np.arctan2(shift * t, steps - t), f"flow({steps}, shift={shift:g})")
