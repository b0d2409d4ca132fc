"""The door to the engines: one obligation in, one decision out.

A lemma of the proof assistant is only named here: compiling is done once for all claims, by `assistant.check`.
"""

from __future__ import annotations

import sympy as sp

from theory.claim import Certified, Identity, Implies, Lemma, NotProved, Obligation, Positive
from theory.proofs import enclosures, identities, inequalities
from theory.proofs.decision import Decision, verdict

__all__ = ["OPTIONAL", "PROOF", "decide"]

OPTIONAL = ("z3", "arb", "coq")  # engines that may be absent
PROOF = ("sympy", *OPTIONAL, "proof")  # "proof": an obligation that no engine here discharges


def _text(expression: sp.Basic) -> str:
    """An expression for reading, cut where it is long."""
    text = sp.sstr(expression)
    return text if len(text) <= 300 else f"{text[:300]} …"


def decide(obligation: Obligation) -> Decision:
    """Hand an obligation to its engine."""
    match obligation:
        case Identity(name, residual):
            answer = identities.is_zero(residual)
            steps = (f"residual: {_text(residual)}", "its numerator as a rational function of half-angle tangents is 0")
            return Decision("sympy", verdict(answer), f"identity: {name}", steps if answer else steps[:1])
        case Positive(name, expression):
            answer = identities.is_positive(obligation)
            steps = (f"expression: {_text(expression)}", "in gaps of half-angle tangents every coefficient is positive")
            return Decision("sympy", verdict(answer), f"inequality: {name}", steps if answer else steps[:1])
        case Implies():
            return inequalities.decide(obligation)
        case Certified():
            return enclosures.decide(obligation)
        case Lemma(name, file):
            return Decision("coq", "not run", f"{name} of {file}: left out by --quick", (f"theorem {name} of {file}",))
        case NotProved(name, needs):
            return Decision("proof", "not run", f"{name}: needs {needs}")
