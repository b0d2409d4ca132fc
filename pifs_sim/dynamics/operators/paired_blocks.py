"""Operators whose blocks are maps between pairs of patches, A_kj = w_kj L_kj + p_kj q_kj^T + [k = j] D_k.

The Jacobian of a block map x_k <- sum_j w_kj(x) L_kj x_j whose weights depend on the state: w L is the map with its
weights held, p q^T and D are what their derivative adds. For L = I the block's largest singular value is that of a
matrix on the plane of p and q: with alpha = <p, q> and rho = |p| |q|, n >= 2,

    ||w I + p q^T|| = (rho + sqrt(rho^2 + 4 w (w + alpha)))/2,

since the plane's singular values have the product |w (w + alpha)| and squares that sum to 2 w (w + alpha) + rho^2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.dense import Dense
from pifs_sim.dynamics.operators.krylov import largest_singular_value
from pifs_sim.dynamics.operators.protocol import batched, block, check_vectors, common_batch, per_sample
from pifs_sim.dynamics.patches import Patches

__all__ = ["PairedBlocks"]


@dataclass(frozen=True, eq=False)
class PairedBlocks:
    """Operators with blocks weights_kj maps_kj + left_kj right_kj^T, and diagonal_k added where k = j.

    Memory is (B, M, M, n) numbers, products cost O(M^2 n p) without maps; the spectrum, the determinant and solutions
    form d x d.

    Args:
        weights: w, (B, M, M).
        left: p, (B, M, M, n).
        right: q, (B, M, M, n).
        diagonal: D, (B, M, n, n).
        patches: the M patches of n coordinates.
        maps: L, of 4 axes that broadcast to (M, M, n, n), the same for the whole batch; by default the identity.

    Raises:
        ValueError: shapes or batches that do not fit.
    """

    weights: Any
    left: Any
    right: Any
    diagonal: Any
    patches: Patches = field(kw_only=True)
    maps: Any | None = field(default=None, kw_only=True)

    __repr__ = one_line

    def __post_init__(self) -> None:
        M, n = self.patches.count, self.patches.length
        shapes = {"weights": (M, M), "left": (M, M, n), "right": (M, M, n), "diagonal": (M, n, n)}
        found = {name: batched(name, getattr(self, name), len(shape) + 1) for name, shape in shapes.items()}
        for name, shape in shapes.items():
            if tuple(found[name].shape[1:]) != shape:
                raise ValueError(f"`{name}` must have shape (batch, *{shape}), got {tuple(found[name].shape)}.")
            object.__setattr__(self, name, found[name])
        common_batch(found)
        if self.maps is not None:
            shape = tuple(self.maps.shape)
            if len(shape) != 4 or shape[2:] != (n, n) or not {*shape[:2]} <= {1, M}:
                raise ValueError(f"`maps` must broadcast to {(M, M, n, n)} with 4 axes, got shape {shape}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        batch = max(part.shape[0] for part in (self.weights, self.left, self.right, self.diagonal))
        return batch, self.patches.dim, self.patches.dim

    @cached_property
    def symmetric(self) -> bool:
        """Whether every operator equals its transpose, exactly. Forms d x d."""
        return algebra.is_symmetric(self.dense())

    @property
    def T(self) -> PairedBlocks:  # noqa: N802
        """w_jk L_jk^T + q_jk p_jk^T + [k = j] D_k^T."""
        xp = array_namespace(self.weights)
        left, right = (xp.permute_dims(part, (0, 2, 1, 3)) for part in (self.right, self.left))
        diagonal = algebra.transposed(self.diagonal)
        maps = None if self.maps is None else xp.permute_dims(self.maps, (1, 0, 3, 2))
        weights = algebra.transposed(self.weights)
        return PairedBlocks(weights, left, right, diagonal, patches=self.patches, maps=maps)

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        check_vectors(self, V)
        xp = array_namespace(self.weights, V)
        parts = self.patches.split(V if V.ndim == 3 else V[None, ...])  # (B, M, n, p)
        inner = xp.matmul(xp.permute_dims(self.right, (0, 2, 1, 3)), parts)  # q_kj . V_j, (B, j, k, p)
        gradient = xp.matmul(algebra.transposed(self.left), xp.permute_dims(inner, (0, 2, 1, 3)))
        return self.patches.join(self._held(parts) + gradient + xp.matmul(self.diagonal, parts))

    def _held(self, parts: Any) -> Any:
        """sum_j w_kj L_kj V_j, (B, M, n, p)."""
        xp = array_namespace(self.weights, parts)
        batch, M, n, p = parts.shape
        if self.maps is None:
            mixed = xp.matmul(self.weights, xp.reshape(parts, (batch, M, n * p)))
            return xp.reshape(mixed, (mixed.shape[0], M, n, p))
        return xp.sum(self.weights[:, :, :, None, None] * xp.matmul(self.maps, parts[:, None, ...]), axis=2)

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p), by LU; ValueError where A is singular, exactly."""
        return Dense(self.dense()).solve(V)

    def affine(self, scale: Any, shift: Any) -> PairedBlocks:
        """scale * A + shift * I, for numbers or arrays (B,)."""
        unit = array_namespace(self.weights).eye(self.patches.length, dtype=self.weights.dtype)
        weights, left = (per_sample(scale, part) * part for part in (self.weights, self.left))
        diagonal = per_sample(scale, self.diagonal) * self.diagonal + per_sample(shift, self.diagonal) * unit
        return PairedBlocks(weights, left, self.right, diagonal, patches=self.patches, maps=self.maps)

    def dense(self) -> Any:
        """(B, d, d)."""
        return self.submatrix(np.arange(self.patches.dim))

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        xp, M, n = array_namespace(self.weights), self.patches.count, self.patches.length
        place = np.empty(self.patches.dim, dtype=np.intp)  # of each coordinate among the patches, one after the other
        place[self.patches.indices.ravel()] = np.arange(self.patches.dim)
        (k, row), (j, column) = (np.divmod(place if chosen is None else place[chosen], n) for chosen in (rows, columns))
        k, row = k[:, None], row[:, None]
        pair, own = k * M + j, k == j

        def entries(array: Any, index: Any) -> Any:
            flat = xp.reshape(array, (array.shape[0], -1))
            taken = xp.take(flat, xp.asarray(np.broadcast_to(index, pair.shape).ravel()), axis=1)
            return xp.reshape(taken, (array.shape[0], *pair.shape))

        found = entries(self.left, pair * n + row) * entries(self.right, pair * n + column)
        found = found + xp.where(xp.asarray(own), entries(self.diagonal, (k * n + row) * n + column), 0.0)
        weights = entries(self.weights, pair)
        if self.maps is None:
            return found + xp.where(xp.asarray(row == column), weights, 0.0)
        maps = xp.broadcast_to(self.maps, (M, M, n, n))[None, ...]
        return found + weights * entries(maps, (pair * n + row) * n + column)

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    def spectrum(self) -> Any:
        """(B, d) eigenvalues: real and descending if symmetric, else complex, by decreasing modulus. Forms d x d."""
        return algebra.ordered(algebra.eigenvalues(self.dense(), self.symmetric))

    def logabsdet(self) -> Any:
        """(B,) ln|det A|, by LU; -inf where A is singular, exactly."""
        return Dense(self.dense()).logabsdet()

    def norm(self) -> Any:
        """(B,) largest singular value, by Krylov iteration."""
        return largest_singular_value(self, like=self.weights)

    def held_norms(self) -> Any:
        """(B, M, M) |w_kj| ||L_kj||, of the blocks with the weights held."""
        size = array_namespace(self.weights).abs(self.weights)
        return size if self.maps is None else size * algebra.spectral_norm(self.maps)

    def gradient_norms(self) -> Any:
        """(B, M, M) |p_kj| |q_kj|, of what the weights' derivative adds to the blocks k != j."""
        return _lengths(self.left) * _lengths(self.right)

    def coupling_norms(self) -> Any:
        """(B, M, M) ||A_kj|| for k != j, and 0 for k = j; without maps in closed form."""
        xp, M, n = array_namespace(self.weights), self.patches.count, self.patches.length
        if self.maps is not None or n == 1:
            rows = [algebra.spectral_norm(self._row(k)) for k in range(M)]
            norms = xp.stack(rows, axis=1)
        else:
            rho, inner = self.gradient_norms(), xp.sum(self.left * self.right, axis=-1)
            size = xp.maximum(xp.abs(self.weights), rho)
            scale = xp.where(size > 0, size, 1.0)  # squares of weights underflow
            w, rho, inner = (part / scale for part in (self.weights, rho, inner))
            inside = rho**2 + 4 * w * (w + inner)  # at least (rho - 2 |w|)^2
            norms = scale * (rho + xp.sqrt(xp.where(inside > 0, inside, 0.0))) / 2
        return xp.where(xp.eye(M, dtype=xp.bool), 0.0, norms)

    def block_norms(self) -> Any:
        """(B, M, M) ||A_kj||."""
        xp, places = array_namespace(self.weights), self.patches.indices
        own = xp.stack([algebra.spectral_norm(self.submatrix(place, place)) for place in places], axis=1)
        return xp.where(xp.eye(self.patches.count, dtype=xp.bool), own[:, :, None], self.coupling_norms())

    def _row(self, k: int) -> Any:
        """The blocks of row k without D, (B, M, n, n)."""
        xp, n = array_namespace(self.weights), self.patches.length
        maps = xp.eye(n, dtype=self.weights.dtype)[None, ...]
        if self.maps is not None:
            maps = self.maps[min(k, self.maps.shape[0] - 1), ...]
        product = self.left[:, k, :, :, None] * self.right[:, k, :, None, :]
        return self.weights[:, k, :, None, None] * maps + product


def _lengths(vectors: Any) -> Any:
    """|v| of vectors (..., n) whose squares may underflow."""
    xp = array_namespace(vectors)
    size = xp.max(xp.abs(vectors), axis=-1)
    scale = xp.where(size > 0, size, 1.0)
    return scale * xp.linalg.vector_norm(vectors / scale[..., None], axis=-1)
