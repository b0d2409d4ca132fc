"""The theory's symbols, its definitions as SymPy expressions, and formulas evaluated to 50 digits.

Symbols: phi_s < phi_t the angles of a step from t to s = t - 1, lam a variance. Definitions (theory's notation):
r = cos phi_s/cos phi_t, b = -sin(phi_t - phi_s)/cos phi_t, N(phi) = lam cos^2 phi + sin^2 phi.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy as sp

__all__ = ["DELTA", "LAM", "MEAN_ANGLE", "PHI_0", "PHI_1", "PHI_S", "PHI_T", "B", "N", "R", "evaluate", "steps_of"]

PHI_S, PHI_T, PHI_0, PHI_1 = sp.symbols("phi_s phi_t phi_0 phi_1", positive=True)
LAM = sp.Symbol("lambda", positive=True)
DELTA = PHI_T - PHI_S
MEAN_ANGLE = (PHI_S + PHI_T) / 2
R = sp.cos(PHI_S) / sp.cos(PHI_T)
B = -sp.sin(DELTA) / sp.cos(PHI_T)

_DIGITS = 50


def N(phi: sp.Expr, lam: sp.Expr = LAM) -> sp.Expr:
    """Variance of x_t along a direction of variance lam: lam cos^2 phi + sin^2 phi."""
    return lam * sp.cos(phi) ** 2 + sp.sin(phi) ** 2


def _cos(x: Any) -> Any:
    """Cosine, exactly 0 at pi/2 (no other angle that comes from floats is within 1e-25 of it)."""
    value = mpmath.cos(x)
    return mpmath.mpf(0) if abs(value) < 1e-25 else value


def _tan(x: Any) -> Any:
    return mpmath.sin(x) / _cos(x)


@cache
def _compiled(formula: sp.Basic, symbols: tuple[sp.Symbol, ...]) -> Any:
    return sp.lambdify(symbols, formula, [{"cos": _cos, "tan": _tan}, "mpmath"])


def _exact(value: float) -> Any:
    """A float as it stands; the float nearest pi/2 means pi/2 (as an angle, which every such float here is)."""
    return mpmath.pi / 2 if value == math.pi / 2 else mpmath.mpf(value)


def evaluate(formula: sp.Expr, values: dict[sp.Symbol, npt.ArrayLike]) -> npt.NDArray[np.float64]:
    """A SymPy formula at values of its symbols, arrays of one shape or numbers, to 50 digits before the last rounding.

    An entry where the formula divides by zero is inf.
    """
    arrays = np.broadcast_arrays(*(np.asarray(array, dtype=np.float64) for array in values.values()))
    function = _compiled(formula, tuple(values))
    out = np.empty(arrays[0].shape)
    with mpmath.workdps(_DIGITS):
        for i in np.ndindex(out.shape):
            try:
                out[i] = float(mpmath.re(function(*(_exact(float(array[i])) for array in arrays))))
            except ZeroDivisionError:
                out[i] = math.inf
    return out


def steps_of(schedule: Any, lam: npt.ArrayLike | None = None) -> dict[sp.Symbol, npt.ArrayLike]:
    """The angles of each step of a schedule (and variances) as values for `evaluate`: (T,), or (T, m) with lam (m,)."""
    if lam is None:
        return {PHI_S: schedule.angles[:-1], PHI_T: schedule.angles[1:]}
    row = np.atleast_1d(np.asarray(lam, dtype=np.float64))
    return {PHI_S: schedule.angles[:-1, None], PHI_T: schedule.angles[1:, None], LAM: row[None, :]}
