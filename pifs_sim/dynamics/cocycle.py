"""Products of matrices as systems: x_{n+1} = A_n x_n, whose tangent map is A_n whatever x is.

Start at the origin, x0 = zeros((B, d)): it is fixed, while other points grow or shrink out of the range of floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import check_frame, check_points, reals

__all__ = ["Cocycle"]

_CHUNK = 256  # steps whose matrices are drawn at once


class Cocycle:
    """A linear system x -> A_n x from given matrices; `Cocycle.random` draws them.

    Args:
        matrices: (T, d, d) the same for all orbits, or (T, B, d, d) one an orbit.
        periodic: repeat them for ever, A_{n + T} = A_n; otherwise the system is a finite chain of length T.

    Raises:
        ValueError: another shape, or entries that are not finite.
    """

    def __init__(self, matrices: npt.ArrayLike, *, periodic: bool = False) -> None:
        xp, given = reals("matrices", matrices)
        if given.ndim not in (3, 4) or given.shape[-1] != given.shape[-2] or 0 in given.shape:
            raise ValueError(f"`matrices` must have shape (T, d, d) or (T, B, d, d), got {tuple(given.shape)}.")
        if not xp.all(xp.isfinite(given)):
            raise ValueError("`matrices` must be finite.")
        given, count = xp.asarray(given, copy=True), given.shape[0]
        self.dim: int = given.shape[-1]
        self.length: int | None = None if periodic else count
        self._matrix: Callable[[int, int], Any] = lambda n, _: given[n % count if periodic else n, ...]

    @classmethod
    def random(
        cls,
        draw: Callable[[np.random.Generator, tuple[int, int]], Any],
        *,
        dim: int,
        seed: int,
        length: int | None = None,
    ) -> Cocycle:
        """Independent random matrices, drawn anew for each orbit and step.

        Args:
            draw: draw(rng, (n, B)) giving matrices (n, B, d, d); it sees a generator that depends on `seed` and the
                step alone, so a run can be resumed.
            dim: d.
            seed: of the sequence.
            length: number of steps of a finite chain, or None.

        Raises:
            ValueError: dim < 1, length < 1; later, draws of a wrong shape.
        """
        if dim < 1:
            raise ValueError(f"`dim` must be at least 1, got {dim!r}.")
        if length is not None and length < 1:
            raise ValueError(f"`length` must be None or at least 1, got {length!r}.")
        self = cls.__new__(cls)
        self.dim, self.length = dim, length
        kept: dict[tuple[int, int], Any] = {}

        def matrix(n: int, batch: int) -> Any:
            key = (n // _CHUNK, batch)
            if key not in kept:
                kept.clear()  # one chunk at a time
                drawn = draw(np.random.default_rng([seed, key[0]]), (_CHUNK, batch))
                if tuple(drawn.shape) != (_CHUNK, batch, dim, dim):
                    raise ValueError(f"`draw` must return shape {(_CHUNK, batch, dim, dim)}, got {tuple(drawn.shape)}.")
                kept[key] = drawn
            return kept[key][n % _CHUNK]

        self._matrix = matrix
        return self

    def _at(self, x: Any, n: int) -> tuple[Any, Any]:
        x = check_points(x, self.dim)
        if n < 0 or (self.length is not None and n >= self.length):
            raise ValueError(f"`n` must be in 0..{'' if self.length is None else self.length - 1}, got {n!r}.")
        matrix = self._matrix(n, x.shape[0])
        if matrix.ndim == 3 and matrix.shape[0] != x.shape[0]:
            raise ValueError(f"`x` must hold {matrix.shape[0]} orbits, one a matrix, got {x.shape[0]}.")
        return x, array_namespace(x).asarray(matrix, dtype=x.dtype)

    def step(self, x: Any, n: int) -> Any:
        """A_n x, (B, d)."""
        x, matrix = self._at(x, n)
        return array_namespace(x).matmul(matrix, x[:, :, None])[:, :, 0]

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:
        """(A_n x, A_n V) for V of shape (B, d, p)."""
        x, matrix = self._at(x, n)
        xp = array_namespace(x)
        return xp.matmul(matrix, x[:, :, None])[:, :, 0], xp.matmul(matrix, check_frame(V, x))

    def cotangent(self, x: Any, n: int, U: Any) -> Any:
        """A_n^T U for U of shape (B, d, p)."""
        x, matrix = self._at(x, n)
        xp = array_namespace(x)
        return xp.matmul(xp.matrix_transpose(matrix), check_frame(U, x, "U"))
