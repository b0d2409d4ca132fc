"""What a claim file must have before any evidence is gathered: every part, a label of its own, ancestors, witnesses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from inspect import signature
from types import ModuleType
from typing import Any

from theory.checks import file_of, load
from theory.claim import Claim, Status

__all__ = ["admit", "claims_for"]

_PARTS = ("CLAIM", "GIVEN", "prove", "observe", "holds")
_TEXTS = ("source", "statement", "assumptions", "scope")


def claims_for(wanted: Iterable[str]) -> dict[str, Claim]:
    """The wanted claims and all that they use; ValueError naming the first file that is not in order, and why."""
    claims: dict[str, Claim] = {}
    left = {label: "" for label in sorted(wanted)}
    while left:
        for label, user in left.items():
            try:
                module = load(label)
            except ModuleNotFoundError as error:
                if error.name is None or not error.name.startswith("theory.claims."):
                    raise
                raise ValueError(f"{file_of(user)}: `uses` names {label!r}, but there is no such claim.") from None
            claims[label] = admit(module, label)
        left = {ancestor: label for label in left for ancestor in claims[label].uses if ancestor not in claims}
    return claims


def admit(module: ModuleType, label: str) -> Claim:
    """The claim of a file, imported as `module`, if the file is in order.

    Raises:
        ValueError: a part is missing or empty, the label is not the file's, a statement believed true has no witness
            or fewer than two mutants, one believed false no correction or no counterexample, or a point
            violates the assumptions.
    """

    def refuse(why: str) -> ValueError:
        return ValueError(f"{file_of(label)}: {why}.")

    for part in _PARTS:
        if not hasattr(module, part):
            raise refuse(f"{part} is missing")
    if not (module.__doc__ or "").strip():
        raise refuse("the docstring is missing")
    claim: Claim = module.CLAIM
    if claim.label != label:
        raise refuse(f"its label is {claim.label!r}, which belongs to {file_of(claim.label)}")
    for text in _TEXTS:
        if not getattr(claim, text).strip():
            raise refuse(f"`{text}` is empty")
    if claim.corrected_by is None:
        if not claim.witness:
            raise refuse("it has no witness")
        if len(claim.mutants) < 2:
            raise refuse(f"it has {len(claim.mutants)} mutants, expected at least 2")
        if claim.expects is Status.REFUTED:
            raise refuse("it is believed false, but `corrected_by` names no claim that is true instead")
    else:
        if find_spec(f"theory.claims.{claim.corrected_by.replace('-', '_')}") is None:
            raise refuse(f"`corrected_by` names {claim.corrected_by!r}, but there is no such claim")
        if not claim.counterexamples:
            raise refuse("it is believed false, but has no counterexample")
    for name, point in {**claim.witness, **claim.counterexamples}.items():
        why = _objection(module, point)
        if why:
            raise refuse(f"at {name!r}: {why}")
    return claim


def _objection(module: ModuleType, point: Mapping[str, Any]) -> str:
    """Why a point cannot be one of the claim's: other variables than those of `holds`, or assumptions violated."""
    try:
        signature(module.holds).bind(None, **point)
    except TypeError as error:
        return f"`holds` does not take {sorted(point)}: {error}"
    if hasattr(module, "supposes"):
        try:
            module.supposes(**point)
        except ValueError as error:
            return f"the assumptions are violated: {error}"
    return ""
