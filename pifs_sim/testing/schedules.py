"""What every noise schedule must satisfy: its values are those of its angles, and a sampler's steps follow them.

The angles increase within [0, pi/2]; alpha_bar = cos^2 phi, v = sin^2 phi, sigma = tan phi, logSNR = -2 ln tan phi.
Step t turns by Delta_t = phi_t - phi_s, s = t - 1, and is r_t x + b_t eps with r_t cos phi_t = cos phi_s and
b_t cos phi_t = -sin Delta_t. A part of a schedule keeps its angles, and a shift adds to every logSNR.

A sampler's step is linear in (x, eps), so that one call on (1, 0) and (0, 1) gives its r and b, and with them the point
(r cos phi_t, r sin phi_t + b) where it leaves a sample whose noise is known: DDIM (Song, Meng, Ermon 2020,
arXiv:2010.02502) leaves it on the unit circle, at the angle of the next model call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.angles import HALF_PI
from pifs_sim.testing.subject import EPS, ConformanceError, compare

__all__ = ["check_schedule"]

Array = npt.NDArray[np.float64]
Step = Callable[[Any, Any, int], Any]

_UNITS = 64.0  # of rounding, in which a value may differ that is computed in another way
_SHIFT = 0.75
_SMALL = 2.0**-10  # size of the samples that are pushed: what clips samples at 1 leaves them alone


def check_schedule(schedule: Any, *, step: Step | None = None, tolerance: float = 1e-5) -> None:
    """Put a schedule, or a scheduler of another library, to the rules of this module.

    Three lines for a scheduler of diffusers::

        scheduler = DDIMScheduler(timestep_spacing="trailing")
        scheduler.set_timesteps(7)
        check_schedule(scheduler)

    Args:
        schedule: with the attributes of `Schedule`; or a scheduler whose steps were set, with `timesteps`,
            `alphas_cumprod` and `step(eps, timestep, x)`, and with `sigmas` if its samples have variance 1 + sigma^2.
        step: of your own sampler, step(x, eps, i) for arrays (2, 1), i = 0 the noisiest of the T steps.
        tolerance: of angles after a sampler's step, in radians: schedulers compute in float32.

    Raises:
        ConformanceError: an AssertionError, with one sentence on the rule that is broken.
        ValueError: an object of neither form.
    """
    if all(hasattr(schedule, name) for name in ("timesteps", "alphas_cumprod", "step")):
        _check_scheduler(schedule, tolerance)
        return
    missing = [name for name in ("angles", "steps", "alpha_bar", "increments") if not hasattr(schedule, name)]
    if missing:
        raise ValueError(
            "`schedule` must have the attributes of `Schedule`, or `timesteps`, `alphas_cumprod` and `step`, "
            f"got {type(schedule).__name__} without {missing[0]!r}."
        )
    angles = _check_angles(schedule)
    _check_values(schedule, angles)
    _check_parts(schedule, angles)
    if step is not None:
        ends = angles[::-1]
        _check_steps(step, ends[:-1], ends[1:], [f"step {t}" for t in range(len(ends) - 1, 0, -1)], tolerance)


def _check_angles(schedule: Any) -> Array:
    angles = np.asarray(schedule.angles, dtype=np.float64)
    if angles.ndim != 1 or angles.size < 2 or schedule.steps != angles.size - 1:
        raise ConformanceError(f"`angles` must have shape (T + 1,), T = steps = {schedule.steps}, got {angles.shape}.")
    if not ((angles >= 0).all() and (angles <= HALF_PI).all() and (np.diff(angles) > 0).all()):
        raise ConformanceError(f"`angles` must increase strictly within [0, pi/2], got {angles!r:.80}.")
    return angles


def _check_values(schedule: Any, angles: Array) -> None:
    end = angles == HALF_PI
    cos, sin = np.where(end, 0.0, np.cos(angles)), np.sin(angles)
    with np.errstate(divide="ignore"):
        sigma = np.where(end, np.inf, np.tan(angles))
        logsnr = -2 * np.log(sigma)
    _equal("`alpha_bar` must be cos^2 of the angle", schedule.alpha_bar, cos**2, cos**2)
    _equal("`noise_variance` must be sin^2 of the angle", schedule.noise_variance, sin**2, sin**2)
    _equal("`sigma` must be tan of the angle", schedule.sigma, sigma, sigma)
    _equal("`logsnr` must be -2 ln tan of the angle", schedule.logsnr, logsnr, 1 + np.abs(logsnr))
    turn = np.diff(angles)
    _equal("`increments` must be the differences of the angles", schedule.increments, turn, angles[1:])
    inside = slice(None, len(turn) - bool(end[-1]))
    r, b = (np.asarray(part, dtype=np.float64)[inside] for part in (schedule.r, schedule.b))
    if end[-1] and not (np.isposinf(schedule.r[-1]) and np.isneginf(schedule.b[-1])):
        raise ConformanceError("`r` and `b` of a step from pi/2 must be inf and -inf.")
    before, after = cos[1:][inside], cos[:-1][inside]
    _equal("`r` cos phi_t must be cos phi_{t-1}", r * before, after, after)
    _equal("`b` cos phi_t must be -sin Delta_t", b * before, -np.sin(turn[inside]), angles[1:][inside])


def _equal(rule: str, got: Any, expected: Array, size: Array) -> None:
    got = np.asarray(got, dtype=np.float64)
    if got.shape != expected.shape:
        raise ConformanceError(f"{rule}: it must have shape {expected.shape}, got {got.shape}.")
    compare(rule, "", got, expected, _UNITS * EPS * np.where(np.isfinite(size), size, 0.0), row="entry")


def _check_parts(schedule: Any, angles: Array) -> None:
    for indices in (range(len(angles)), (0, len(angles) - 1)):
        part = np.asarray(schedule.subsample(list(indices)).angles)
        if not np.array_equal(part, angles[list(indices)]):
            raise ConformanceError(f"`subsample` must keep the angles at its indices, here {tuple(indices)!r:.60}.")
    for amount in (0.0, _SHIFT, -_SHIFT):
        moved = np.asarray(schedule.shift(amount).angles, dtype=np.float64)
        expected = np.where(angles == HALF_PI, HALF_PI, np.arctan(math.exp(-amount / 2) * np.tan(angles)))
        compare(f"`shift({amount})` must add that to every logSNR", "", moved, expected, _UNITS * EPS, row="entry")


def _check_steps(step: Step, before: Array, after: Array, names: list[str], tolerance: float) -> None:
    """Each step must take (x, eps) of the angle `before` to the angle `after`."""
    for i, (at, to, name) in enumerate(zip(before, after, names, strict=True)):
        x, eps = _SMALL * np.array([[1.0], [0.0]]), _SMALL * np.array([[0.0], [1.0]])
        r, b = (float(value) / _SMALL for value in np.asarray(step(x, eps, i), dtype=np.float64).ravel())
        cos, sin = r * math.cos(at), r * math.sin(at) + b
        total = cos * cos + sin * sin
        if not abs(total - 1) <= 2 * tolerance:
            raise ConformanceError(
                f"{name} must be a DDIM step, which keeps signal^2 + noise^2 = 1, but leaves {total:.6g}."
            )
        found = math.atan2(sin, cos)
        if not abs(found - to) <= tolerance:
            raise ConformanceError(
                f"{name} must leave the sample at the angle {to:.6f} of the next model call, but leaves it at "
                f"{found:.6f}, off by {found - to:+.3g}."
            )


def _check_scheduler(scheduler: Any, tolerance: float) -> None:
    """A scheduler of another library, each step by one call on two samples."""
    times = [float(t) for t in scheduler.timesteps]
    if not times or any(later >= sooner for sooner, later in pairwise(times)):
        raise ConformanceError(f"`timesteps` must decrease strictly, got {times!r:.80}.")
    kept = scheduler.alphas_cumprod
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is not None and len(sigmas) == len(times) + 1:
        angles = np.arctan([float(sigma) for sigma in sigmas])
    else:
        final = float(getattr(scheduler, "final_alpha_cumprod", 1.0))
        angles = np.arccos(np.sqrt([*(float(kept[int(t)]) for t in times), final]))
        sigmas = None
    make = getattr(kept, "new_tensor", np.asarray)

    def step(x: Any, eps: Any, i: int) -> Any:
        scale = 1.0 if sigmas is None else 1 / math.cos(angles[i])
        time, sample = scheduler.timesteps[i], make((scale * x).tolist())
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(sample, time)  # some classes count their steps there
        out = scheduler.step(make(eps.tolist()), time, sample)
        moved = out.prev_sample if hasattr(out, "prev_sample") else out[0]
        shrink = 1.0 if sigmas is None else math.cos(angles[i + 1])
        return [shrink * float(value) for value in moved.reshape(-1)]

    names = [f"step {i + 1} of {len(times)}, at timestep {t:g}," for i, t in enumerate(times)]
    _check_steps(step, angles[:-1], angles[1:], names, tolerance)
