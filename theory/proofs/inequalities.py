"""Implications between polynomial inequalities, decided by z3's nlsat (Jovanovic, de Moura 2012, IJCAR).

With t = tan(phi/2), or tan(phi/4) where angles are halved, sines and cosines of angles in [0, pi/2] are rational in t,
and a square root is a number g >= 0 with g^2 given. A relation lhs < rhs between rational functions with
rhs - lhs = p/q in lowest terms is p q > 0; undefined (q = 0) counts as false. The conclusion is proved if hypotheses
and its negation are unsatisfiable together, while the hypotheses alone are satisfiable: a second solver says so.
A model of the first is a counterexample, believed once the relations, evaluated at it, agree.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import mpmath
import sympy as sp

from theory.claim import Implies
from theory.proofs.decision import Decision
from theory.proofs.identities import rational

__all__ = ["available", "decide", "expressible", "version"]

_EFFORT = 50_000_000  # z3's own count, not seconds: the answer is the same on every machine


def available() -> bool:
    """Whether z3 is installed."""
    try:
        import z3  # noqa: F401
    except ImportError:
        return False
    return True


def version() -> str:
    """Of z3."""
    import z3

    return str(z3.get_version_string())


@cache
def _half(phi: sp.Symbol) -> sp.Dummy:
    return sp.Dummy(str(phi), positive=True)


class _Translation:
    """An obligation's symbols as reals of z3, and what is known of them."""

    def __init__(self, obligation: Implies) -> None:
        import z3

        relations = (*obligation.hypotheses, obligation.conclusion)
        self.angles = obligation.angles
        arguments = [f.args[0] for r in relations for f in r.atoms(sp.sin, sp.cos, sp.tan)]
        terms = [term for argument in arguments for term in sp.Add.make_args(sp.expand(argument))]
        self.halved = not all(term.as_coeff_Mul()[0].is_Integer for term in terms)
        half = {phi: _half(phi) for phi in self.angles}
        self.rename = {phi: 2 * h for phi, h in half.items()} if self.halved else half
        self.roots: dict[sp.Expr, sp.Dummy] = {}
        self.phis = tuple(half[phi] for phi in self.angles)
        self.reals: dict[sp.Basic, Any] = {}
        ts = [self.real(phi) for phi in self.phis]
        self.known: list[Any] = []
        if ts:
            top = ts[-1] * ts[-1] + 2 * ts[-1] - 1 if self.halved else ts[-1] - 1  # tan(pi/8) = sqrt 2 - 1
            self.known = [ts[0] >= 0, *(a < b for a, b in pairwise(ts))]
            self.known += [ts[-1] > 0, top <= 0 if obligation.to_half_pi else top < 0]
        self.hypotheses = [self.relation(r) for r in obligation.hypotheses]
        self.conclusion = self.relation(obligation.conclusion)
        for symbol, value in self.reals.items():
            if symbol not in self.phis and symbol.is_nonnegative:
                self.known.append(value > 0 if symbol.is_positive else value >= 0)
        self.negation = z3.Not(self.conclusion)

    def real(self, symbol: sp.Symbol) -> Any:
        import z3

        return self.reals.setdefault(symbol, z3.Real(f"x{len(self.reals)}"))

    def _without_roots(self, expression: sp.Expr) -> sp.Expr:
        """Square roots replaced by numbers whose squares are known."""
        powers = {p: p for p in expression.atoms(sp.Pow) if p.exp.is_Rational and p.exp.q == 2}
        for power in sorted(powers, key=sp.count_ops):
            base = self._without_roots(power.base)
            if base not in self.roots:
                self.roots[base] = sp.Dummy("g", nonnegative=True)
                g = self.real(self.roots[base])
                top, bottom = self._fraction(base)
                self.known += [g >= 0, g * g * bottom == top, bottom != 0]
            powers[power] = self.roots[base] ** power.exp.p
        return expression.xreplace(powers)

    def _fraction(self, expression: sp.Expr) -> tuple[Any, Any]:
        found = rational(expression, self.phis)
        if found is None:
            raise ValueError(f"not a rational function of half-angle tangents: {expression}")
        fraction, symbols = found

        def build(polynomial: Any) -> Any:
            total: Any = 0
            for powers, coefficient in polynomial.terms():
                term: Any = _number(coefficient)
                for symbol, power in zip(symbols, powers, strict=True):
                    for _ in range(power):
                        term = term * self.real(symbol)
                total = total + term
            return total

        return build(fraction.numer), build(fraction.denom)

    def relation(self, relation: sp.Basic) -> Any:
        import z3

        if relation in (sp.true, sp.false):
            return z3.BoolVal(relation == sp.true)
        if isinstance(relation, sp.And | sp.Or):
            parts = [self.relation(part) for part in relation.args]
            return z3.And(parts) if isinstance(relation, sp.And) else z3.Or(parts)
        assert isinstance(relation, sp.core.relational.Relational)
        difference = self._without_roots(sp.sympify(relation.lhs - relation.rhs).xreplace(self.rename))
        top, bottom = self._fraction(difference)
        product, zero = top * bottom, z3.RealVal(0)
        sign = {
            sp.StrictLessThan: product < zero,
            sp.LessThan: product <= zero,
            sp.StrictGreaterThan: product > zero,
            sp.GreaterThan: product >= zero,
            sp.Equality: top == zero,
            sp.Unequality: top != zero,
        }[type(relation)]
        return z3.And(sign, bottom != zero)

    def point(self, model: Any) -> dict[sp.Symbol, Any]:
        """A model's values of the obligation's own symbols, to 50 digits."""
        point = {}
        for symbol, value in self.reals.items():
            number = model.eval(value, model_completion=True)
            text = number.approx(60).as_fraction() if hasattr(number, "approx") else number.as_fraction()
            if symbol in self.phis:
                t = mpmath.mpf(text.numerator) / text.denominator
                point[self.angles[self.phis.index(symbol)]] = (4 if self.halved else 2) * mpmath.atan(t)
            elif symbol not in self.roots.values():
                point[symbol] = mpmath.mpf(text.numerator) / text.denominator
        return point


def _number(coefficient: Any) -> Any:
    import z3

    return z3.Q(int(coefficient.numerator), int(coefficient.denominator))


def _solver(assertions: list[Any]) -> Any:
    import z3

    solver = z3.SolverFor("QF_NRA")
    solver.set("rlimit", _EFFORT)
    solver.add(*assertions)
    return solver


def _holds(relation: sp.Basic, point: dict[sp.Symbol, Any], slack: Any) -> bool:
    """Whether a relation holds at a point, to within a slack in its favour (positive) or against it."""
    if relation in (sp.true, sp.false):
        return bool(relation)
    if isinstance(relation, sp.And | sp.Or):
        parts = [_holds(part, point, slack) for part in relation.args]
        return all(parts) if isinstance(relation, sp.And) else any(parts)
    difference = sp.lambdify(tuple(point), relation.lhs - relation.rhs, "mpmath")(*point.values())
    if isinstance(relation, sp.Equality):
        return bool(abs(difference) <= abs(slack)) if slack > 0 else False
    if isinstance(relation, sp.StrictLessThan | sp.LessThan):
        difference = -difference
    return bool(difference > -slack)


def _counterexample(obligation: Implies, point: dict[sp.Symbol, Any]) -> bool:
    """Whether the hypotheses hold and the conclusion clearly fails at a point."""
    with mpmath.workdps(50):
        tiny = mpmath.mpf(10) ** -30
        try:
            given = all(_holds(hypothesis, point, tiny) for hypothesis in obligation.hypotheses)
        except ZeroDivisionError:
            return False
        try:
            return given and not _holds(obligation.conclusion, point, -tiny if _strict(obligation.conclusion) else tiny)
        except ZeroDivisionError:
            return given  # undefined there


def _strict(relation: sp.Basic) -> bool:
    return isinstance(relation, sp.StrictLessThan | sp.StrictGreaterThan)


@cache
def _translated(obligation: Implies) -> _Translation:
    return _Translation(obligation)


def expressible(obligation: Implies) -> bool:
    """Whether every relation of the obligation is one between rational functions of half-angle tangents and reals."""
    try:
        _translated(obligation)
    except ValueError:
        return False
    return True


def decide(obligation: Implies) -> Decision:
    """Whether the obligation's conclusion follows from its hypotheses, for increasing angles in [0, pi/2)."""
    detail = f"implication: {obligation.name}"
    if not available():
        return Decision("z3", "not run", f"{detail}: z3 is not installed")
    import z3

    try:
        problem = _translated(obligation)
    except ValueError as error:
        return Decision("z3", "unknown", f"{detail}: {error}")
    given = ", ".join(map(str, obligation.hypotheses)) or "nothing but the angles' order"
    steps = [f"given: {given}", f"claimed: {obligation.conclusion}"]
    possible = _solver([*problem.known, *problem.hypotheses]).check()
    if possible != z3.sat:
        word = "contradict each other" if possible == z3.unsat else "could not be shown to be satisfiable"
        return Decision("z3", "unknown", detail, (*steps, f"the hypotheses {word}"))
    solver = _solver([*problem.known, *problem.hypotheses, problem.negation])
    answer = solver.check()
    if answer == z3.unsat:
        steps += ["hypotheses alone: sat; with the conclusion negated: unsat"]
        return Decision("z3", "passed", detail, tuple(steps))
    if answer != z3.sat:
        return Decision("z3", "unknown", detail, (*steps, f"z3 gave up: {solver.reason_unknown()}"))
    with mpmath.workdps(50):
        point = problem.point(solver.model())
    shown = ", ".join(f"{symbol} = {mpmath.nstr(value, 8)}" for symbol, value in point.items())
    confirmed = _counterexample(obligation, point)
    steps.append(f"counterexample{'' if confirmed else ', not confirmed'}: {shown}")
    return Decision("z3", "failed" if confirmed else "unknown", f"{detail} fails at {shown}", tuple(steps))
