"""How spectra show themselves: in a line, and as a table of their leading variances and shares of the total."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.display import number, table

__all__ = ["columns", "line"]

_SHOWN = 10


def line(name: str, law: Any) -> str:
    """The size of vectors, their number, and the range of the variances."""
    size = "×".join(map(str, law.shape))
    low, high = (number(float(end), 3) for end in (law.eigenvalues.min(), law.eigenvalues.max()))
    return f"{name}(d={math.prod(law.shape)} as {size}, {law.count} vectors, λ {low}…{high})"


def columns(law: Any, multiplicities: npt.NDArray[np.int64]) -> str:
    """HTML of the largest variances: how many directions have each, and the share of the total up to there."""
    order = np.argsort(-law.eigenvalues, kind="stable")[:_SHOWN]
    total = float(law.eigenvalues @ multiplicities)
    rows, upto = [], 0.0
    for k, i in enumerate(order.tolist(), start=1):
        upto += float(law.eigenvalues[i] * multiplicities[i])
        share = f"{100 * upto / total:.1f} %" if total else "–"
        rows.append((str(k), number(float(law.eigenvalues[i])), str(multiplicities[i]), share))
    more = f", the largest {_SHOWN}" if len(law.eigenvalues) > _SHOWN else ""
    caption = f"{len(law.eigenvalues)} variances of {law.count} vectors{more}"
    return table(caption, ("k", "variance λ", "directions", "share up to here"), rows)
