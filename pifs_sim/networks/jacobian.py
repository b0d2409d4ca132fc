"""The Jacobian of a network's estimate, scale J + shift I, as an operator that is only applied.

J V is forward mode, J^T U reverse mode (`field`), many vectors at once. Entries, blocks and the dense form are those of
unit vectors: reverse mode gives rows, forward mode columns, whichever are fewer. Norms are Lanczos' (`krylov`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from pifs_sim.dynamics.memory import check_memory
from pifs_sim.dynamics.operators import Dense
from pifs_sim.dynamics.operators.krylov import largest_singular_value
from pifs_sim.dynamics.operators.protocol import block, check_vectors, per_sample
from pifs_sim.dynamics.patches import Patches
from pifs_sim.networks.field import TorchField

__all__ = ["NetworkJacobian"]

_MOST_DENSE = 3072  # coordinates up to which eigenvalues, determinants and inverses are taken of the dense form


@dataclass(frozen=True, eq=False)
class NetworkJacobian:
    """A batch of operators scale J(x) + shift I, or their transposes.

    Args:
        field: the network as a vector field on R^d.
        x: (B, d) points.
        angle: (B,) float64.
        scale: number or (B,).
        shift: number or (B,).
        transposed: whether it is the transpose.
    """

    field: TorchField
    x: Any
    angle: Any
    scale: Any = 1.0
    shift: Any = 0.0
    transposed: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        batch, d = self.x.shape
        return batch, d, d

    @property
    def symmetric(self) -> bool:
        """False: nothing makes a network a gradient."""
        return False

    @property
    def T(self) -> NetworkJacobian:  # noqa: N802
        """The transposed operators."""
        return replace(self, transposed=not self.transposed)

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        check_vectors(self, V)
        V = np.asarray(V)
        V = V if V.ndim == 3 else V[None]
        (batch, d, _), others, p = self.shape, V.shape[0], V.shape[2]
        if batch == 1 < others:
            flat = self._applied(np.moveaxis(V, 0, 1).reshape(1, d, others * p))
            return np.moveaxis(flat.reshape(d, others, p), 1, 0)
        return self._applied(np.broadcast_to(V, (batch, d, p)))

    def _applied(self, V: Any) -> Any:
        V = V.astype(np.result_type(self.x, V), copy=False)
        rule = self.field.pull if self.transposed else self.field.push
        found = rule(self.x, self.angle, V)[1]
        return per_sample(self.scale, found) * found + per_sample(self.shift, found) * V

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p), of the dense form; ValueError where A is singular, exactly."""
        check_vectors(self, V)
        return self._dense("solve").solve(V)

    def affine(self, scale: Any, shift: Any) -> NetworkJacobian:
        """scale * A + shift * I, for numbers or arrays (B,)."""
        return replace(self, scale=np.multiply(scale, self.scale), shift=scale * np.asarray(self.shift) + shift)

    def dense(self) -> Any:
        """(B, d, d)."""
        check_memory("a dense form", self.shape, self.x.dtype.itemsize)
        return self.submatrix(np.arange(self.shape[1]))

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        d = self.shape[1]
        rows, chosen = np.asarray(rows), np.arange(d) if columns is None else np.asarray(columns)
        if len(chosen) < len(rows) or (len(chosen) == len(rows) and self.transposed):  # reverse mode is no slower
            return (self @ _units(d, chosen, self.x))[:, rows, :]
        return np.swapaxes((self.T @ _units(d, rows, self.x))[:, chosen, :], 1, 2)

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def _dense(self, what: str) -> Dense:
        d = self.shape[1]
        if d > _MOST_DENSE:
            raise ValueError(f"`{what}` needs the dense form, which is formed up to d={_MOST_DENSE}, got d={d}.")
        return self._matrices

    @cached_property
    def _matrices(self) -> Dense:
        return Dense(self.dense())

    def spectrum(self) -> Any:
        """(B, d) complex eigenvalues by decreasing modulus, of the dense form."""
        return self._dense("spectrum").spectrum()

    def logabsdet(self) -> Any:
        """(B,) ln|det A|, by LU of the dense form; -inf where A is singular, exactly."""
        return self._dense("logabsdet").logabsdet()

    def norm(self) -> Any:
        """(B,) largest singular value, by Lanczos to 1024 roundings of the coarser of points and module."""
        precision = min(self.x.dtype, np.dtype(self.field.precision), key=lambda kind: kind.itemsize)
        found = largest_singular_value(self, like=np.empty((), precision))
        return found.astype(self.x.dtype, copy=False)


def _units(d: int, indices: Any, like: Any) -> Any:
    """Unit vectors as columns, (d, n)."""
    return (np.arange(d)[:, None] == indices[None, :]).astype(like.dtype)
