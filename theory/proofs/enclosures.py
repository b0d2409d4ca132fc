"""Inequalities with numbers, certified in ball arithmetic (Arb, by python-flint; Johansson 2017, arXiv:1611.02831).

A function of balls encloses every value that it takes on a box. It is positive on the box if the enclosures over
finitely many pieces are; a piece on which the enclosure is negative refutes it. Floats are exact here.
"""

from __future__ import annotations

import math
from typing import Any

from theory.claim import Certified
from theory.proofs.decision import Decision

__all__ = ["available", "decide", "version"]

_BITS = 160
_PIECES = 4096


def available() -> bool:
    """Whether python-flint is installed."""
    try:
        import flint  # noqa: F401
    except ImportError:
        return False
    return True


def version() -> str:
    """Of python-flint."""
    import flint

    return str(flint.__version__)


def _ball(low: Any, high: Any) -> Any:
    """The ball over an interval of floats; the float nearest pi/2 means pi/2."""
    from flint import arb

    ends = [arb.pi() / 2 if end == math.pi / 2 else arb(end) for end in (low, high)]
    return ends[0].union(ends[1])


def decide(obligation: Certified) -> Decision:
    """Whether an obligation's function is positive all over the box, halving its widest side where undecided."""
    detail = f"certified: {obligation.name}"
    if not available():
        return Decision("arb", "not run", f"{detail}: python-flint is not installed")
    import flint

    before, flint.ctx.prec = flint.ctx.prec, _BITS
    try:
        return _bisect(obligation, detail)
    finally:
        flint.ctx.prec = before


def _bisect(obligation: Certified, detail: str) -> Decision:
    from flint import arb

    left, pieces, least = [tuple(obligation.box)], 0, None
    while left:
        box = left.pop()
        pieces += 1
        value = obligation.function(arb, *(_ball(low, high) for low, high in box))
        if value > 0:
            bound = float(value.lower())
            least = bound if least is None else min(least, bound)
            continue
        if value <= 0:
            return Decision("arb", "failed", detail, (f"on {box} the value is in {value.str(10)}",))
        widths = [high - low for low, high in box]
        if pieces > _PIECES or max(widths, default=0) == 0:
            return Decision("arb", "unknown", detail, (f"undecided on {box}: the value is in {value.str(10)}",))
        side = widths.index(max(widths))
        low, high = box[side]
        middle = low + (high - low) / 2
        left += [(*box[:side], part, *box[side + 1 :]) for part in ((low, middle), (middle, high))]
    steps = (f"{pieces} boxes at {_BITS} bits, on each an enclosure above 0; the least bound is {least:.3g}",)
    return Decision("arb", "passed", detail, steps)
