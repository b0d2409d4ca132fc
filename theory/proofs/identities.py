"""Exact decisions on trigonometric expressions, by polynomial arithmetic with SymPy.

A sum of fractions in the cosines c and sines s of half angles vanishes iff its numerator lies in the ideal of the
circles c^2 + s^2 - 1, that is iff its remainder by them is 0 (they are a Groebner basis, and prime).

For positivity, angles 0 <= phi_1 < ... < phi_k < pi/2 are tan(phi_i/2) = (x_1 + .. + x_i)/(x_1 + .. + x_{k+1}) with
positive x: an expression is positive if numerator and denominator have only positive coefficients (sufficient, not
necessary).
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.polys.polyerrors import PolynomialError

from theory.claim import Positive

__all__ = ["is_positive", "is_zero"]


def _without_tangents(expression: sp.Expr) -> sp.Expr:
    return expression.replace(sp.tan, lambda x: sp.sin(x) / sp.cos(x))


def _without_assumptions(expression: sp.Expr) -> sp.Expr:
    """Plain symbols: polynomial arithmetic need not ask about signs."""
    return expression.xreplace({symbol: sp.Dummy(str(symbol)) for symbol in expression.free_symbols})


def _away_from_zero(expression: sp.Expr) -> bool:
    """Whether the expression is non-zero, to 30 digits, at an exact point with increasing angles below pi/2."""
    symbols = sorted(expression.free_symbols, key=str)
    point = {symbol: sp.Rational(3 * i + 4, 7 * len(symbols) + 9) for i, symbol in enumerate(symbols)}
    value = expression.subs(point).evalf(30)
    return bool(value.is_number and value.is_finite and abs(value) > sp.Float("1e-15"))


@cache
def is_zero(expression: sp.Expr) -> bool | None:
    """Whether an expression in angles (symbols phi_*, whole or halved) is identically zero; None if undecided."""
    expression = sp.sympify(expression)
    undefined = expression.has(AppliedUndef, sp.Derivative)
    if not undefined and _away_from_zero(expression):
        return False
    plain = {symbol: sp.Dummy(str(symbol)) for symbol in expression.free_symbols}
    halves = {plain[phi]: sp.Dummy("h") for phi in plain if str(phi).startswith("phi")}
    halved = _without_tangents(expression.xreplace(plain)).xreplace({phi: 2 * h for phi, h in halves.items()})
    expanded = sp.expand_trig(halved)
    names: dict[sp.Expr, sp.Symbol] = {}
    circles = []
    for h in halves.values():
        c, s = sp.Dummy("c"), sp.Dummy("s")
        names |= {sp.cos(h): c, sp.sin(h): s}
        circles.append(c**2 + s**2 - 1)
    expanded = expanded.xreplace(names)
    if not undefined and not expanded.has(sp.sin, sp.cos):
        numerator = sp.fraction(sp.together(expanded))[0]
        first = [name for angle, name in names.items() if angle.func == sp.cos]
        others = sorted(numerator.free_symbols - set(first), key=str)
        try:
            if circles:
                return bool(sp.reduced(numerator, circles, *first, *others)[1] == 0)
            return bool(sp.Poly(numerator, *others).is_zero if others else numerator == 0)
        except PolynomialError:
            pass  # roots or logarithms: not a polynomial, so simplify decides
    return True if sp.simplify(expression) == 0 else None


@cache
def is_positive(obligation: Positive) -> bool | None:
    """Whether an expression is positive on the obligation's region; None if the test cannot tell."""
    angles = obligation.angles
    gaps = sp.symbols(f"x_1:{len(angles) + 2}", positive=True)
    total = sum(gaps)
    expression = sp.expand_trig(_without_tangents(obligation.expression))
    for i, phi in enumerate(angles):
        a = sum(gaps[: i + 1]) / total
        expression = expression.subs({sp.sin(phi): 2 * a / (1 + a**2), sp.cos(phi): (1 - a**2) / (1 + a**2)})
    if expression.has(sp.sin, sp.cos) or not all(symbol.is_positive for symbol in expression.free_symbols):
        return None
    cases = [expression, expression.subs(gaps[0], 0)] if angles and obligation.from_zero else [expression]
    return True if all(_positive_coefficients(case) for case in cases) else None


def _positive_coefficients(expression: sp.Expr) -> bool:
    parts = sp.fraction(sp.cancel(sp.together(_without_assumptions(expression))))
    for part in parts:
        symbols = tuple(part.free_symbols)
        if not symbols:
            if not part.is_positive:
                return False
        elif not part.is_polynomial(*symbols) or not all(c.is_positive for c in sp.Poly(part, *symbols).coeffs()):
            return False
    return True
