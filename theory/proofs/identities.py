"""Exact decisions on trigonometric expressions, as rational functions over Q, by SymPy's sparse polynomials.

With t = tan(phi/2), sin(phi) = 2t/(1 + t^2) and cos(phi) = (1 - t^2)/(1 + t^2): an expression in sines and cosines
of angles is a rational function of their t, which is identically zero iff its numerator is. Half angles are angles
once every angle is written 2h; roots of a positive symbol go likewise.

For positivity, angles 0 <= phi_1 < ... < phi_k < pi/2 are t_i = (x_1 + .. + x_i)/(x_1 + .. + x_{k+1}) with
positive x: an expression is positive if numerator and denominator have only positive coefficients in x (sufficient,
not necessary).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.polys.fields import FracField
from sympy.polys.orderings import lex
from sympy.polys.rings import PolyRing

from theory.claim import Positive

__all__ = ["is_positive", "is_zero", "rational"]


@cache
def rational(expression: sp.Expr, angles: tuple[sp.Symbol, ...]) -> tuple[Any, tuple[sp.Symbol, ...]] | None:
    """The expression as an element of Q(t of each angle, other symbols), and whose t or value each generator is.

    None if it is no rational function of them.
    """
    plain = {symbol: sp.Dummy(str(symbol)) for symbol in {*expression.free_symbols, *angles}}  # assumptions cost time
    phis = [plain[phi] for phi in angles]
    others = sorted(set(plain.values()) - set(phis), key=str)
    field = FracField([*phis, *others], sp.QQ, lex)
    values = dict(zip(others, field.gens[len(phis) :], strict=True))
    for phi, t in zip(phis, field.gens, strict=False):
        values |= {sp.sin(phi): 2 * t / (1 + t**2), sp.cos(phi): (1 - t**2) / (1 + t**2)}

    def build(part: sp.Expr) -> Any:
        if part in values:
            return values[part]
        if part.is_Rational:
            return field.ground_new(sp.QQ.from_sympy(part))
        if part.is_Add:
            return sum(map(build, part.args), field.zero)
        if part.is_Mul:
            return math.prod(map(build, part.args), start=field.one)
        if part.is_Pow and part.exp.is_Integer:
            return build(part.base) ** int(part.exp)
        raise ValueError(f"not a rational function: {part}")

    whose = {dummy: symbol for symbol, dummy in plain.items()}
    try:
        found = build(sp.expand_trig(expression.xreplace(plain).replace(sp.tan, lambda x: sp.sin(x) / sp.cos(x))))
    except (ValueError, ZeroDivisionError):
        return None
    return found, tuple(whose[dummy] for dummy in (*phis, *others))


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
    if not expression.has(AppliedUndef, sp.Derivative):
        if _away_from_zero(expression):
            return False
        angles = {phi: sp.Dummy("h") for phi in expression.free_symbols if str(phi).startswith("phi")}
        terms = [
            term for f in expression.atoms(sp.sin, sp.cos, sp.tan) for term in sp.Add.make_args(sp.expand(f.args[0]))
        ]
        double = 1 if all(term.as_coeff_Mul()[0].is_Integer for term in terms) else 2
        roots = {x: sp.Dummy("g", positive=True) ** 2 for x in expression.free_symbols - set(angles) if x.is_positive}
        for powers in ({}, roots):
            names = powers | {phi: double * h for phi, h in angles.items()}
            found = rational(expression.xreplace(names), tuple(angles.values()))
            if found is not None:
                return bool(found[0] == 0)
    return True if sp.simplify(expression) == 0 else None


@cache
def is_positive(obligation: Positive) -> bool | None:
    """Whether an expression is positive on the obligation's region; None if the test cannot tell."""
    angles = obligation.angles
    expression = sp.sympify(obligation.expression)
    others = expression.free_symbols - set(angles)
    found = rational(expression, angles) if all(symbol.is_positive for symbol in others) else None
    if found is None:
        return None
    fraction, _ = found
    cases = [False, True] if angles and obligation.from_zero else [False]
    return (
        True if all(_positive_coefficients(fraction, len(angles), first_is_zero) for first_is_zero in cases) else None
    )


def _positive_coefficients(fraction: Any, angles: int, first_is_zero: bool) -> bool:
    """Whether the coefficients in x_1..x_{k+1} (and in the other symbols) are of one sign, above and below alike."""
    others = fraction.field.ngens - angles
    ring = PolyRing(sp.symbols(f"x:{angles + 1 + others}"), sp.QQ, lex)
    gaps = [ring.zero if first_is_zero and i == 0 else ring.gens[i] for i in range(angles + 1)]
    sums = [sum(gaps[: i + 1], ring.zero) for i in range(angles + 1)]
    signs = set()
    for part in (fraction.numer, fraction.denom):
        degree = max((sum(powers[:angles]) for powers in part.monoms()), default=0)
        total = ring.zero  # part * (x_1 + .. + x_{k+1})^degree
        for powers, coefficient in part.terms():
            exponents = [*powers[:angles], degree - sum(powers[:angles]), *powers[angles:]]
            factors = [x**n for x, n in zip([*sums, *ring.gens[angles + 1 :]], exponents, strict=True) if n]
            total += math.prod(factors, start=ring.ground_new(coefficient))
        signs |= {c > 0 for c in total.coeffs()} or {True, False}
    return len(signs) == 1
