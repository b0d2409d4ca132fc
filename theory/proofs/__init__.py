"""Engines that decide a claim's obligations: SymPy, z3, Arb and Coq, behind one door, `engines.decide`.

Each answers passed, failed or unknown, or "not run" where it is not installed; none stands in for another.
"""
