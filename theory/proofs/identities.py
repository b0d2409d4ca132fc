"""Exact decisions on trigonometric expressions by the tangent half-angle substitution, with SymPy.

With p = tan(phi/4), every sine and cosine of phi/2 and phi is a rational function of p: an identity in angles
and half angles holds iff the numerator of the difference is the zero polynomial. For positivity, angles
0 <= phi_1 < ... < phi_k < pi/2 are a_i = tan(phi_i/2) = (x_1 + .. + x_i)/(x_1 + .. + x_{k+1}) with positive x: an
expression is positive if numerator and denominator have only positive coefficients (sufficient, not necessary).
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.core.function import AppliedUndef

from theory.claim import Positive

__all__ = ["is_positive", "is_zero"]


def _is_angle(symbol: sp.Symbol) -> bool:
    return str(symbol).startswith("phi")


@cache
def is_zero(expression: sp.Expr) -> bool | None:
    """Whether an expression in angles (symbols phi_*, whole or halved) is identically zero; None if undecided."""
    expression = sp.sympify(expression)
    halves = {phi: sp.Dummy(f"h_{phi}", positive=True) for phi in expression.free_symbols if _is_angle(phi)}
    halved = expression.subs({phi: 2 * h for phi, h in halves.items()})
    expanded = sp.expand_trig(halved.replace(sp.tan, lambda x: sp.sin(x) / sp.cos(x)))
    rational: dict[sp.Expr, sp.Expr] = {}
    for h in halves.values():
        p = sp.Dummy(f"p_{h}", positive=True)
        rational |= {sp.sin(h): 2 * p / (1 + p**2), sp.cos(h): (1 - p**2) / (1 + p**2)}
    expanded = expanded.subs(rational)
    if expanded.has(sp.sin, sp.cos, sp.tan, AppliedUndef, sp.Derivative):
        return True if sp.simplify(expanded) == 0 else None
    numerator = sp.expand(sp.fraction(sp.together(expanded))[0])
    if numerator == 0:
        return True
    if numerator.is_polynomial(*numerator.free_symbols):
        return False
    return True if sp.simplify(numerator) == 0 else None


@cache
def is_positive(obligation: Positive) -> bool | None:
    """Whether an expression is positive on the obligation's region; None if the test cannot tell."""
    angles = obligation.angles
    gaps = sp.symbols(f"x_1:{len(angles) + 2}", positive=True)
    total = sum(gaps)
    expression = sp.expand_trig(obligation.expression.replace(sp.tan, lambda x: sp.sin(x) / sp.cos(x)))
    for i, phi in enumerate(angles):
        a = sum(gaps[: i + 1]) / total
        expression = expression.subs({sp.sin(phi): 2 * a / (1 + a**2), sp.cos(phi): (1 - a**2) / (1 + a**2)})
    if expression.has(sp.sin, sp.cos):
        return None
    cases = [expression, expression.subs(gaps[0], 0)] if angles and obligation.from_zero else [expression]
    return True if all(_positive_coefficients(case) for case in cases) else None


def _positive_coefficients(expression: sp.Expr) -> bool:
    numerator, denominator = sp.fraction(sp.cancel(sp.together(expression)))
    for part in (numerator, denominator):
        symbols = tuple(part.free_symbols)
        if not symbols:
            if not part.is_positive:
                return False
        elif not part.is_polynomial(*symbols) or not all(c.is_positive for c in sp.Poly(part, *symbols).coeffs()):
            return False
    return True
