"""What every denoiser must satisfy, checked at given points and angles.

A posterior keeps shape and precision, writes to nothing, repeats itself, and treats points apart, each at an angle of
its own if wished; cos x_hat + sin eps_hat = x; the Jacobians are the derivatives of x_hat and eps_hat and add up alike.
An exact one has also J x_hat = (cos/sin^2) Cov with Cov symmetric and positive semidefinite, probabilities for weights,
eps_hat = -sin grad ln p, and the limits of the two ends: x_hat and Cov are the law's mean and covariance at pi/2,
eps_hat is 0 at angle 0, and x_hat is continuous there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.denoisers import Doors, Posterior
from pifs_sim.dynamics.arrays import check_points
from pifs_sim.testing.subject import EPS, ROUNDING, ConformanceError, compare

__all__ = ["check_denoiser"]

Array = npt.NDArray[np.float64]

_VECTORS = ("mean", "noise")
_OPERATORS = ("covariance", "mean_jacobian", "noise_jacobian")
_NEAR = 1e-9  # an angle so near to an end that what is continuous does not move


def check_denoiser(
    denoiser: Doors,
    x: npt.ArrayLike,
    *,
    angles: tuple[float, ...] = (0.1, 0.7, 1.4),
    exact: bool = True,
    single: bool = True,
) -> None:
    """Put a denoiser to the rules of this module, on NumPy arrays in double precision (and its types in single).

    Args:
        denoiser: with `dim`, `posterior` and the doors of `Doors`; an exact one needs `measure`.
        x: (B, d) points, away from where two components tie at angle 0; B >= 2 to compare batches.
        angles: between 0 and pi/2, at which the posterior is smooth on the scale of eps^(1/3).
        exact: whether it claims to be the posterior of a data law.
        single: whether single precision is checked too.

    Raises:
        ConformanceError: an AssertionError, with one sentence on the rule that is broken.
        ValueError: points of another dimension, or angles outside (0, pi/2).
    """
    points = np.array(check_points(x, denoiser.dim), dtype=np.float64)
    if not (angles and all(0 < angle < math.pi / 2 for angle in angles)):
        raise ValueError(f"`angles` must lie between 0 and pi/2, got {angles!r}.")
    for dtype in (np.float64, np.float32) if single else (np.float64,):
        _check_kind(denoiser, points.astype(dtype), angles[0], exact=exact)
    for angle in angles:
        _check_sums(denoiser.posterior(points, angle), points, angle)
        _check_derivatives(denoiser, points, angle, exact=exact)
        if exact:
            _check_covariance(denoiser.posterior(points, angle), angle)
    _check_batch(denoiser, points, angles)
    if exact:
        _check_ends(denoiser, points)


def _check_kind(denoiser: Doors, x: Any, angle: float, *, exact: bool) -> None:
    before, (batch, d) = x.copy(), x.shape
    posterior, again = denoiser.posterior(x, angle), denoiser.posterior(x, angle)
    shapes = {**dict.fromkeys(_VECTORS, (batch, d)), **dict.fromkeys(_OPERATORS[0 if exact else 1 :], (batch, d, d))}
    if exact:
        shapes["log_density"] = (batch,)
    for name, shape in shapes.items():
        first, second = (_entries(getattr(part, name)) for part in (posterior, again))
        if first.shape != shape:
            raise ConformanceError(f"`{name}` must have shape {shape}, got {first.shape}.")
        if first.dtype != x.dtype:
            raise ConformanceError(f"`{name}` must be {x.dtype} for such points, got {first.dtype}.")
        if not np.array_equal(first, second, equal_nan=True):
            raise ConformanceError(f"`{name}` must be the same when asked for again, but it is not.")
    if not np.array_equal(x, before):
        raise ConformanceError("`posterior` must not write to its arguments, but it does.")
    doors = {"posterior_mean": "mean", "noise": "noise", "noise_jacobian": "noise_jacobian"}
    for door, name in (doors | {"posterior_covariance": "covariance"} if exact else doors).items():
        if not np.array_equal(_entries(getattr(denoiser, door)(x, angle)), _entries(getattr(posterior, name))):
            raise ConformanceError(f"`{door}` must be `{name}` of the posterior, but it is not.")


def _entries(value: Any) -> Any:
    """An array as it is, operators as matrices."""
    return np.asarray(value.dense() if hasattr(value, "dense") else value)


def _size(x: Array) -> float:
    return 1 + float(np.abs(x).max(initial=0.0))


def _check_sums(posterior: Posterior, x: Array, angle: float) -> None:
    cos, sin, where, d = math.cos(angle), math.sin(angle), f"at angle {angle:.3g}", x.shape[1]
    unit = ROUNDING * EPS * (_size(x) + _size(posterior.mean))
    rule = "cos mean + sin noise must be x"
    compare(rule, where, cos * posterior.mean + sin * posterior.noise, x, unit, row="point")
    jacobians = [_entries(part) for part in (posterior.mean_jacobian, posterior.noise_jacobian)]
    together, unit = cos * jacobians[0] + sin * jacobians[1], ROUNDING * d * EPS * _size(jacobians[0])
    compare("cos J mean + sin J noise must be I", where, together, 0 * together + np.eye(d), unit, row="point")


def _check_derivatives(denoiser: Doors, x: Array, angle: float, *, exact: bool) -> None:
    posterior, sin, where = denoiser.posterior(x, angle), math.sin(angle), f"at angle {angle:.3g}"
    rule = "`{}_jacobian` must be the derivative of `{}`, here by differences"
    J = _entries(posterior.mean_jacobian)
    _compare_derivative(rule.format("mean", "mean"), where, J, lambda y: denoiser.posterior(y, angle).mean, x)
    J = _entries(posterior.noise_jacobian)
    _compare_derivative(rule.format("noise", "noise"), where, J, lambda y: denoiser.posterior(y, angle).noise, x)
    if exact:
        score = (-posterior.noise / sin)[:, None, :]
        rule = "-noise/sin must be the derivative of `log_density`, here by differences"
        _compare_derivative(rule, where, score, lambda y: denoiser.posterior(y, angle).log_density[:, None], x)


def _compare_derivative(rule: str, where: str, got: Array, f: Callable[[Array], Any], x: Array) -> None:
    """Central differences over h and 2h differ by more than their extrapolation to h = 0 errs."""
    h = EPS ** (1 / 4) * 0.1 * _size(x)
    size = _size(f(x))
    for j, unit in enumerate(np.eye(x.shape[1])):
        near, far = ((f(x + w * unit) - f(x - w * unit)) / (2 * w) for w in (h, 2 * h))
        allowed = np.abs(far - near) + ROUNDING * EPS * (size / h + _size(got))
        compare(rule, where, got[:, :, j], (4 * near - far) / 3, allowed, row="point")


def _check_covariance(posterior: Posterior, angle: float) -> None:
    cov, where, ratio = _entries(posterior.covariance), f"at angle {angle:.3g}", math.cos(angle) / math.sin(angle) ** 2
    unit = ROUNDING * cov.shape[1] * EPS * _size(cov)
    compare("`covariance` must be symmetric", where, cov, np.swapaxes(cov, 1, 2), unit, row="point")
    least = np.minimum(np.linalg.eigvalsh(cov)[:, 0], 0.0)
    compare("`covariance` must be positive semidefinite", where, least, 0.0, unit, row="point")
    rule = "`mean_jacobian` must be cos/sin^2 times `covariance`"
    compare(rule, where, _entries(posterior.mean_jacobian), ratio * cov, ratio * unit, row="point")
    weights = np.asarray(posterior.weights)
    compare("`weights` must not be negative", where, np.minimum(weights, 0.0), 0.0, 0.0, row="point")
    compare("`weights` must sum to one", where, weights.sum(axis=1), 1.0, ROUNDING * EPS, row="point")


def _check_batch(denoiser: Doors, x: Array, angles: tuple[float, ...]) -> None:
    own = np.resize(np.array(angles), len(x))
    together = denoiser.posterior(x, own)
    for name in (*_VECTORS, "mean_jacobian"):
        batch = _entries(getattr(together, name))
        alone = [_entries(getattr(denoiser.posterior(x[b : b + 1], float(own[b])), name)) for b in range(len(x))]
        rule = f"a point must have in a batch the `{name}` that it has alone"
        compare(rule, "with an angle each", batch, np.concatenate(alone), ROUNDING * EPS * _size(batch), row="point")


def _check_ends(denoiser: Doors, x: Array) -> None:
    law, size, half_pi = getattr(denoiser, "measure"), _size(x), math.pi / 2  # noqa: B009
    end, unit = denoiser.posterior(x, half_pi), ROUNDING * EPS * (size + _size(law.mean))
    compare("at pi/2 `mean` must be that of the law", "", end.mean, 0 * x + law.mean, unit, row="point")
    compare("at pi/2 `noise` must be x", "", end.noise, x, unit, row="point")
    cov = _entries(end.covariance)
    allowed = ROUNDING * EPS * _size(law.covariance)
    compare("at pi/2 `covariance` must be that of the law", "", cov, 0 * cov + law.covariance, allowed, row="point")
    zero = denoiser.posterior(x, 0.0)
    compare("at angle 0 `noise` must be 0", "", zero.noise, 0.0, 0.0, row="point")
    for place, at, near in (("angle 0", zero, _NEAR), ("pi/2", end, half_pi - _NEAR)):
        moved = denoiser.posterior(x, near).mean
        allowed = 100 * _NEAR * (size + _size(at.mean)) ** 2
        compare(f"`mean` must be continuous at {place}", "", moved, at.mean, allowed, row="point")
