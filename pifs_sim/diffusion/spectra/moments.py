"""Mean and scatter of streamed vectors, merged chunk by chunk in constant memory.

Chunks A and B of vectors are merged by

    m = m_A + (n_B/n) delta,   S = S_A + S_B + (n_A n_B/n) delta delta^T,   delta = m_B - m_A

(Chan, Golub, LeVeque 1983, doi:10.1080/00031305.1983.10483115). Vectors are measured from the mean of the first chunk,
so that an offset common to all of them costs no digits. With a test matrix Omega (d, l) only S Omega and tr S are kept.
"""

from __future__ import annotations

import numpy as np

from pifs_sim.diffusion.angles import FloatArray

__all__ = ["Moments", "resolved"]

_ROWS = 1 << 13  # most vectors of one chunk,
_BYTES = 1 << 25  # unless they need more memory than this


class Moments:
    """Count, mean, scatter (d, d), or (d, l) times a test matrix, and total scatter of what passed through a buffer."""

    def __init__(self, dim: int, test: FloatArray | None = None) -> None:
        self.buffer = np.empty((max(1, min(_ROWS, _BYTES // (8 * dim))), dim))
        self.test = test
        self.filled = self.count = 0
        self.origin = np.zeros(dim)
        self.from_origin = np.zeros(dim)  # the mean
        self.scatter = np.zeros((dim, dim if test is None else test.shape[1]))
        self.total = 0.0  # trace of the scatter

    @property
    def mean(self) -> FloatArray:
        """(d,) mean of what was merged."""
        return self.origin + self.from_origin

    def room(self, vectors: int) -> FloatArray:
        """Rows (vectors, d) of the buffer for the caller to write to."""
        if self.filled + vectors > len(self.buffer):
            self.flush()
        self.filled += vectors
        return self.buffer[self.filled - vectors : self.filled]

    def flush(self) -> None:
        """Merge what the buffer holds."""
        block, n = self.buffer[: self.filled], self.filled
        if not n:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # the end result is checked instead
            if not self.count:
                self.origin = block.mean(axis=0)
            block -= self.origin
            mean = block.mean(axis=0)
            block -= mean
            delta, total = mean - self.from_origin, self.count + n
            apart = self.count * n / total
            self.scatter += block.T @ (block if self.test is None else block @ self.test)
            self.scatter += np.outer(delta, delta if self.test is None else delta @ self.test) * apart
            self.total += float(np.einsum("ij,ij->", block, block) + apart * (delta @ delta))
            self.from_origin += delta * (n / total)
        self.count, self.filled = total, 0


def resolved(descending: FloatArray, count: int) -> FloatArray:
    """Eigenvalues (d,) of the covariance of `count` vectors: at most count - 1 are positive, rounding aside."""
    values = np.maximum(descending, 0.0)
    values[count - 1 :] = 0.0
    return values
