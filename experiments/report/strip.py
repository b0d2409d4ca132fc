"""A strip of errors on a logarithmic axis, the same for every claim: bars count points, marks are the worst ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

__all__ = ["strip"]

_LOW, _HIGH = -18, 1  # decades; what lies outside is drawn at the end
_BINS = 2  # a decade
_WIDTH, _LEFT, _TOP, _FLOOR, _HEIGHT = 380, 34, 14, 52, 70
_EPS = 2.0**-52


def _bin(error: float) -> int:
    """-1 for no error, else its bin from the left."""
    if error == 0:
        return -1
    place = math.floor(_BINS * (math.log10(error) - _LOW))
    return min(max(place, 0), _BINS * (_HIGH - _LOW) - 1)


def _x(error: float) -> float:
    """Where an error stands: zero in a column of its own, at the left."""
    if error == 0:
        return _LEFT / 2
    decade = min(max(math.log10(error), _LOW), _HIGH)
    return _LEFT + 6 + (decade - _LOW) / (_HIGH - _LOW) * (_WIDTH - _LEFT - 14)


def _axis() -> str:
    ends = f"M4,{_FLOOR}H{_LEFT - 4}M{_x(10.0**_LOW):.1f},{_FLOOR}H{_x(10.0**_HIGH):.1f}"
    texts = [f'<text x="{_LEFT / 2:g}" y="{_HEIGHT - 4}">0</text>']
    for decade in range(-16, 1, 4):
        x = _x(10.0**decade)
        ends += f"M{x:.1f},{_FLOOR}v4"
        power = f'10<tspan dy="-4" font-size="8">{decade}</tspan>'.replace("-", "−", 2).replace('dy="−4"', 'dy="-4"')
        texts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 4}">{power if decade else 1}</text>')
    eps = f'<path class="eps" d="M{_x(_EPS):.1f},{_TOP - 4}V{_FLOOR}"/>'
    return f'<path class="axis" d="{ends}"/>{eps}{"".join(texts)}'


def strip(errors: Sequence[float], worst: dict[str, float]) -> str:
    """SVG of errors, a bar for each half of a decade, and of the worst that each kind of check saw.

    Args:
        errors: of single points, >= 0; may be empty.
        worst: kind of check -> its worst error, >= 0.
    """
    counts = Counter(map(_bin, errors))
    most = max(counts.values(), default=1)
    width = (_x(10.0) - _x(1.0)) / _BINS
    bars = ""
    for place, count in sorted(counts.items()):
        x = 8.0 if place < 0 else _x(10.0**_LOW) + place * width + 0.5
        height = (_FLOOR - _TOP) * count / most
        across = _LEFT - 16 if place < 0 else width - 1
        bars += f"M{x:.1f},{_FLOOR}v{-height:.1f}h{across:.1f}v{height:.1f}z"
    marks = "".join(
        f'<path class="worst" d="M{_x(error):.1f},{_FLOOR}l-4,-7h8z"><title>worst of {kind}: {error:.2g}</title></path>'
        for kind, error in worst.items()
    )
    told = [f"worst of {kind} {error:.2g}" for kind, error in worst.items()]
    if errors:
        told.insert(0, f"{len(errors)} errors, {counts[-1]} of them 0")
    return (
        f'<svg class="strip" role="img" aria-label="{"; ".join(told)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}">{_axis()}<path class="bars" d="{bars}"/>{marks}</svg>'
    )
