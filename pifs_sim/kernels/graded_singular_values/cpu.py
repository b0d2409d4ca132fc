"""The same rotations, compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = ["compute"]

_SWEEPS = 60
_EPS = 2.220446049250313e-16


def _kernel(logs: Any, rows: Any) -> None:
    batch, d = logs.shape
    tolerance = _EPS * math.sqrt(d)
    for b in range(batch):
        s, u = logs[b], rows[b]
        for i in range(d):
            square = 0.0
            for m in range(d):
                square += u[i, m] * u[i, m]
            if square == 0.0 or s[i] == -math.inf:
                s[i] = -math.inf
                for m in range(d):
                    u[i, m] = 0.0
            else:
                inverse = 1.0 / math.sqrt(square)
                for m in range(d):
                    u[i, m] *= inverse
                s[i] += 0.5 * math.log(square)
        for _ in range(_SWEEPS):
            worst = 0.0
            for i in range(d):
                for j in range(i + 1, d):
                    p, q = (i, j) if s[i] >= s[j] else (j, i)
                    c = 0.0
                    for m in range(d):
                        c += u[p, m] * u[q, m]
                    worst = max(worst, abs(c))
                    if abs(c) <= tolerance:
                        continue
                    g2 = math.exp(2.0 * (s[q] - s[p]))
                    tau = 2.0 * c / ((1.0 - g2) + math.sqrt((1.0 - g2) ** 2 + 4.0 * g2 * c * c))
                    shrink = 0.5 * math.log1p(g2 * tau * tau)
                    pp = qq = 0.0
                    for m in range(d):
                        a, e = u[p, m], u[q, m]
                        u[p, m] = a + g2 * tau * e
                        u[q, m] = e - tau * a
                        pp += u[p, m] * u[p, m]
                        qq += u[q, m] * u[q, m]
                    pp, qq = math.sqrt(pp), math.sqrt(qq)
                    for m in range(d):
                        u[p, m] /= pp
                        u[q, m] /= qq
                    s[p] += math.log(pp) - shrink
                    s[q] += math.log(qq) - shrink
            if worst <= tolerance:
                break


_compiled = njit(cache=True, nogil=True, error_model="numpy")(_kernel)


def compute(s: Any, U: Any) -> Any:
    """Logarithms (B, d), descending."""
    logs = np.array(s, dtype=np.float64, order="C")
    _compiled(logs, np.array(U, dtype=np.float64, order="C"))
    return -np.sort(-logs, axis=1)
