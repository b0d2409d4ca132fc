"""The rotations, pair after pair, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["compute"]

_SWEEPS = 60


def compute(s: Any, U: Any) -> Any:
    """Logarithms (B, d), descending."""
    out = np.empty(s.shape)
    for b in range(s.shape[0]):
        rows, logs = np.array(U[b], dtype=np.float64), np.array(s[b], dtype=np.float64)
        lengths = np.linalg.norm(rows, axis=1)
        logs[lengths == 0] = -np.inf
        live = logs > -np.inf
        rows, logs = rows[live] / lengths[live, None], logs[live] + np.log(lengths[live])
        tolerance = np.finfo(float).eps * max(rows.shape) ** 0.5 if rows.size else 1.0
        for _ in range(_SWEEPS):
            worst = 0.0
            for i in range(len(logs)):
                for j in range(i + 1, len(logs)):
                    p, q = (i, j) if logs[i] >= logs[j] else (j, i)
                    c = rows[p] @ rows[q]
                    worst = max(worst, abs(c))
                    if abs(c) <= tolerance:
                        continue
                    g2 = np.exp(2 * (logs[q] - logs[p]))
                    tau = 2 * c / ((1 - g2) + np.sqrt((1 - g2) ** 2 + 4 * g2 * c * c))
                    a, b_ = rows[p] + g2 * tau * rows[q], rows[q] - tau * rows[p]
                    shrink = 0.5 * np.log1p(g2 * tau * tau)
                    rows[p], logs[p] = a / np.linalg.norm(a), logs[p] + np.log(np.linalg.norm(a)) - shrink
                    rows[q], logs[q] = b_ / np.linalg.norm(b_), logs[q] + np.log(np.linalg.norm(b_)) - shrink
            if worst <= tolerance:
                break
        out[b] = -np.inf
        out[b, : len(logs)] = -np.sort(-logs)
    return out
