"""Operators A = s I + f Cov_w(z), the covariance of points z_k under weights w, sum_k w_k = 1, over one set of points.

With rows z_k = p_k y_k + q_k x, centred rows C = Z - 1 w^T Z and R = diag(w)^(1/2) C, A = s I + f R^T R. The points
y (K, d) are kept once for the whole batch and a product is two products with them. All measures follow from the
smaller of the Gram matrices R R^T and R^T R; as the rows are centred, R has a rank of at most K - 1, and A the
eigenvalue s if K <= d.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from array_api_compat import array_namespace

from pifs_sim.dynamics.display import one_line
from pifs_sim.dynamics.memory import check_memory, itemsize
from pifs_sim.dynamics.operators import algebra
from pifs_sim.dynamics.operators.protocol import batched, block, check_vectors, common_batch, per_sample
from pifs_sim.dynamics.operators.scalar_low_rank import ScalarLowRank
from pifs_sim.dynamics.patches import Patches

__all__ = ["WeightedCovariance"]


@dataclass(frozen=True, eq=False)
class WeightedCovariance:
    """Operators scale * I + factor * Cov_weights(stretch_k points_k + along_k origin).

    Products cost O(K d) a vector and memory is that of the points, the weights and one sample's rows; spectra,
    determinants and solutions cost O(K d min(K, d)).

    Args:
        scale: s, (B,).
        factor: f, (B,).
        weights: w, (B, K) probabilities. That they sum to one is not checked.
        points: y, (K, d).
        stretch: p, (B, K); ones by default.
        along: q, (B, K); zeros by default.
        origin: x, (B, d); zero by default.

    Raises:
        ValueError: shapes or batches that do not fit.
    """

    scale: Any
    factor: Any
    weights: Any
    points: Any
    stretch: Any = field(default=None, kw_only=True)
    along: Any = field(default=None, kw_only=True)
    origin: Any = field(default=None, kw_only=True)

    __repr__ = one_line

    def __post_init__(self) -> None:
        xp = array_namespace(self.points)
        if self.points.ndim != 2 or 0 in self.points.shape:
            raise ValueError(f"`points` must have shape (K, d) and not be empty, got {tuple(self.points.shape)}.")
        count, d = self.points.shape
        defaults = {"stretch": xp.ones((1, count)), "along": xp.zeros((1, count)), "origin": xp.zeros((1, d))}
        shapes = {"scale": (), "factor": (), **dict.fromkeys(("weights", "stretch", "along"), (count,)), "origin": (d,)}
        found = {}
        for name, shape in shapes.items():
            value = getattr(self, name)
            value = xp.astype(defaults[name], self.points.dtype) if value is None else value
            found[name] = batched(name, value, len(shape) + 1)
            if tuple(found[name].shape[1:]) != shape:
                got = tuple(found[name].shape[1:])
                raise ValueError(f"`{name}` must have shape {shape} like `points` for a sample, got {got}.")
        batch = common_batch(found)
        for name, value in found.items():
            object.__setattr__(self, name, xp.broadcast_to(value, (batch, *value.shape[1:])))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""
        return self.weights.shape[0], self.points.shape[1], self.points.shape[1]

    @property
    def symmetric(self) -> bool:
        """True."""
        return True

    @property
    def T(self) -> WeightedCovariance:  # noqa: N802
        """The operator itself."""
        return self

    @cached_property
    def _centre(self) -> Any:
        """sum_k w_k z_k, (B, d)."""
        xp = array_namespace(self.points)
        shift = xp.sum(self.weights * self.along, axis=1, keepdims=True) * self.origin
        return (self.weights * self.stretch) @ self.points + shift

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""
        check_vectors(self, V)
        xp, points = array_namespace(self.points, V), self.points[None, ...]
        w, p, q = self.weights[:, :, None], self.stretch[:, :, None], self.along[:, :, None]
        x, centre = self.origin[:, None, :], self._centre[:, None, :]
        across = p * algebra.times(points, V) + q * xp.matmul(x, V)
        across = w * (across - xp.matmul(centre, V))
        lifted = algebra.times(algebra.transposed(points), p * across)
        lifted = lifted + algebra.transposed(x) * xp.sum(q * across, axis=1, keepdims=True)
        lifted = lifted - algebra.transposed(centre) * xp.sum(across, axis=1, keepdims=True)  # 0 but for rounding
        return self.scale[:, None, None] * V + self.factor[:, None, None] * lifted

    def _roots(self, columns: Any = None) -> Iterator[tuple[slice, Any]]:
        """Runs of samples, and their R (B, n, m) in the chosen columns, n <= K: one sample leaves out weights of 0."""
        xp, (count, d) = array_namespace(self.points), self.points.shape
        parts = (self.points, self.origin, self._centre)
        points, x, centre = parts if columns is None else (xp.take(part, xp.asarray(columns), axis=1) for part in parts)
        for run in algebra.runs(self.shape[0], count * d):
            w, p, q = (part[run, :, None] for part in (self.weights, self.stretch, self.along))
            y, positive = points[None, ...], int(xp.count_nonzero(w))
            if w.shape[0] == 1 and positive < count:
                kept = xp.argsort(w[0, :, 0], descending=True)[:positive]
                w, p, q, y = (xp.take(part, kept, axis=1) for part in (w, p, q, y))
            yield run, xp.sqrt(w) * (p * y + q * x[run, None, :] - centre[run, None, :])

    def _grams(self) -> Iterator[tuple[slice, Any, Any]]:
        """Runs of samples, their R, and the smaller of R R^T and R^T R."""
        for run, root in self._roots():
            count, d = root.shape[1:]
            check_memory("a spectrum", (root.shape[0], *(min(count, d),) * 2), itemsize(root))
            across = algebra.transposed(root)
            gram = array_namespace(root).matmul(*((root, across) if count < d else (across, root)))
            yield run, root, algebra.symmetrised(gram)

    def affine(self, scale: Any, shift: Any) -> WeightedCovariance:
        """scale * A + shift * I, for numbers or arrays (B,)."""
        own = per_sample(scale, self.scale) * self.scale + per_sample(shift, self.scale)
        factor = per_sample(scale, self.scale) * self.factor
        moves = {"stretch": self.stretch, "along": self.along, "origin": self.origin}
        return WeightedCovariance(own, factor, self.weights, self.points, **moves)

    def low_rank(self) -> ScalarLowRank:
        """The same operators with factors (B, d, K) of their own."""
        xp, (batch, d, _), count = array_namespace(self.points), self.shape, self.points.shape[0]
        check_memory("a low-rank form", (batch, d, count), itemsize(self.points))
        left = xp.zeros((batch, d, count), dtype=self.points.dtype)
        for run, root in self._roots():
            left[run, :, : root.shape[1]] = algebra.transposed(root)
        core = self.factor[:, None, None] * xp.eye(count, dtype=left.dtype)
        return ScalarLowRank(self.scale, left, core=core)

    def dense(self) -> Any:
        """(B, d, d)."""
        check_memory("a dense form", self.shape, itemsize(self.points))
        return algebra.symmetrised(self.submatrix(None))

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""
        xp, (_, d, _) = array_namespace(self.points), self.shape
        pairs = zip(self._roots(rows), self._roots(columns), strict=True)
        products = [xp.matmul(algebra.transposed(left), right) for (_, left), (_, right) in pairs]
        scale = xp.broadcast_to(self.scale[:, None], self.shape[:2])
        diagonal = algebra.diagonal_submatrix(scale, xp.arange(d) if rows is None else rows, columns)
        return diagonal + self.factor[:, None, None] * xp.concat(products)

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""
        return block(self, patches, (k, j))

    @cached_property
    def _excess(self) -> Any:
        """(B, min(K - 1, d)) eigenvalues of A less s, by size; the others are 0."""
        xp, (batch, d, _) = array_namespace(self.points), self.shape
        rank = min(self.points.shape[0] - 1, d)
        found = xp.zeros((batch, rank), dtype=self.points.dtype)
        for run, _, gram in self._grams():
            values = xp.flip(xp.linalg.eigvalsh(gram), axis=-1)[:, :rank]
            values = xp.where(values < 0, 0.0, values)  # a rounding of 0
            found[run, : values.shape[1]] = self.factor[run, None] * values
        return found

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p); ValueError where A is singular, exactly."""
        check_vectors(self, V)
        xp, (batch, d, _) = array_namespace(self.points, V), self.shape
        V = V if V.ndim == 3 else V[None, ...]
        V = V if batch == 1 else xp.broadcast_to(V, (batch, *V.shape[1:]))
        found = []
        for run, root, gram in self._grams():
            s, f, own = self.scale[run, None, None], self.factor[run, None, None], V if batch == 1 else V[run, :, :]
            values, vectors = xp.linalg.eigh(gram)
            values = s + f * xp.where(values < 0, 0.0, values)[:, None, :]
            if xp.any(values == 0) or (root.shape[1] <= d and xp.any(s == 0)):
                raise ValueError("a singular operator cannot be solved: an eigenvalue is 0.")
            if root.shape[1] < d:  # Woodbury's identity
                across = xp.matmul(algebra.transposed(root), vectors)
                own = own - xp.matmul(f / values * across, xp.matmul(algebra.transposed(across), own))
                found.append(own / s)
            else:
                found.append(xp.matmul(vectors / values, xp.matmul(algebra.transposed(vectors), own)))
        return xp.concat(found)

    def spectrum(self) -> Any:
        """(B, d) eigenvalues, descending."""
        xp, excess = array_namespace(self.points), self._excess
        rest = xp.zeros((self.shape[0], self.shape[1] - excess.shape[1]), dtype=excess.dtype)
        return algebra.ordered(self.scale[:, None] + xp.concat([excess, rest], axis=1))

    def logabsdet(self) -> Any:
        """(B,) ln|det A|; -inf where A is singular, exactly. Small multiples of the covariance keep their digits."""
        xp, excess = array_namespace(self.points), self._excess
        rest = xp.zeros((self.shape[0], self.shape[1] - excess.shape[1]), dtype=excess.dtype)
        return xp.sum(algebra.log_size_of_sum(self.scale[:, None], xp.concat([excess, rest], axis=1)), axis=-1)

    def norm(self) -> Any:
        """(B,) largest singular value: the largest |eigenvalue|."""
        xp = array_namespace(self.points)
        return xp.max(xp.abs(self.spectrum()), axis=-1)
