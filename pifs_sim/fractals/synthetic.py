"""Synthetic PIFS on vectors of M patches of n coordinates, with prescribed constants.

    x_k <- sum_j w_kj A_kj x_j + b_k,

w a stochastic matrix: with one 1 in each row the pairing of ranges k with domains j is hard, as in a coded image; rows
of a softmax make it soft, as in attention. With |A_kj|_2 = a_k the row sum of the blocks' norms is max_k a_k, exactly;
the induced block-max norm is at most that, and equal to it if the pairing is hard, or if the A_kj of a row share their
left singular vectors. A matrix that is triangular up to the order of its coordinates has the eigenvalues of its
diagonal, without rounding, whatever stands above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace
from scipy.special import softmax

from pifs_sim.dynamics import Patches
from pifs_sim.dynamics.arrays import check_points
from pifs_sim.dynamics.display import one_line
from pifs_sim.fractals.grey import FloatArray

__all__ = ["AffinePIFS", "random_pifs", "spectral_pifs"]


@dataclass(frozen=True, eq=False)
class AffinePIFS:
    """The map x -> L x + b on vectors of patches, a `System`.

    Args:
        matrix: (d, d) L.
        offset: (d,) b.
        patches: partition of the d coordinates.
        exponents: (d,) ln|eigenvalue|, descending, where the construction knows them.

    Raises:
        ValueError: shapes that do not fit, or values that are not finite.
    """

    matrix: FloatArray
    offset: FloatArray
    patches: Patches
    exponents: FloatArray | None = None

    __repr__ = one_line

    def __post_init__(self) -> None:
        d = self.patches.dim
        for name, shape in (("matrix", (d, d)), ("offset", (d,))):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != shape or not np.isfinite(values).all():
                raise ValueError(f"`{name}` must be finite and of shape {shape}, got {values!r:.80}.")
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @classmethod
    def paired(cls, weights: FloatArray, maps: FloatArray, offset: FloatArray) -> AffinePIFS:
        """The map with blocks w_kj A_kj.

        Args:
            weights: (M, M) rows of a stochastic matrix.
            maps: (n, n), (M, M, n, n), or another shape that broadcasts to that.
            offset: (M n,) b.

        Raises:
            ValueError: rows that are negative or do not sum to 1 (to 1e-12), or shapes that do not fit.
        """
        w, A = np.asarray(weights, dtype=np.float64), np.asarray(maps, dtype=np.float64)
        if w.ndim != 2 or not (w >= 0).all() or not (np.abs(w.sum(axis=1) - 1) <= 1e-12).all():
            raise ValueError(f"`weights` must hold rows of a stochastic matrix, got {weights!r:.80}.")
        count, n = len(w), A.shape[-1]
        try:
            blocks = w[:, :, None, None] * np.broadcast_to(A, (count, count, n, n))
        except ValueError:
            raise ValueError(f"`maps` must broadcast to ({count}, {count}, n, n), got shape {A.shape}.") from None
        return cls(blocks.swapaxes(1, 2).reshape(count * n, count * n), offset, Patches(count * n, n))

    @property
    def dim(self) -> int:
        """Dimension d = M n."""
        return self.patches.dim

    @property
    def length(self) -> None:
        """None: the map is iterated without end."""
        return

    @cached_property
    def fixed_point(self) -> FloatArray:
        """(d,) the x with x = L x + b; ValueError where I - L is singular."""
        try:
            return np.asarray(np.linalg.solve(np.eye(self.dim) - self.matrix, self.offset), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise ValueError("the map has no unique fixed point: 1 is an eigenvalue of `matrix`.") from None

    def step(self, x: Any, n: int) -> Any:  # noqa: ARG002
        """L x + b for x of shape (B, d)."""
        x = check_points(x, self.dim)
        xp = array_namespace(x)
        return xp.matmul(x, xp.asarray(self.matrix.T, dtype=x.dtype)) + xp.asarray(self.offset, dtype=x.dtype)

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:
        """(L x + b, L V) for V of shape (B, d, p)."""
        xp = array_namespace(V)
        return self.step(x, n), xp.matmul(xp.asarray(self.matrix, dtype=V.dtype), V)

    def cotangent(self, x: Any, n: int, U: Any) -> Any:  # noqa: ARG002
        """L^T U for U of shape (B, d, p)."""
        xp = array_namespace(U)
        return xp.matmul(xp.asarray(self.matrix.T, dtype=U.dtype), U)


def random_pifs(
    patches: int,
    size: int,
    *,
    norm: float | None = None,
    spectral_radius: float | None = None,
    pairing: Literal["hard", "soft"] = "hard",
    temperature: float | None = None,
    aligned: bool = False,
    rng: np.random.Generator | None = None,
) -> AffinePIFS:
    """A random PIFS with a prescribed row sum of its blocks' norms, or with a prescribed spectral radius.

    The pairing comes from scores N(0, 1): w = softmax(scores/temperature) along rows, or its hard limit, one 1 at the
    greatest score. The A_kj are Gaussian matrices over their norms, times a_k between a half and all of the norm. The
    same generator gives the same scores, A_kj and b for both pairings, so that a soft one is equal to the hard one,
    bit by bit, at temperature 0 and where temperature * 745 is below the least lead of a greatest score.

    Args:
        patches: M, their number.
        size: n, coordinates of each.
        norm: max_k sum_j |L_kj|_2, to rounding; the induced block-max norm if the pairing is hard or `aligned`, else an
            upper bound of it; 0.9 by default.
        spectral_radius: the largest |eigenvalue|, to the rounding of its computation, instead of `norm`.
        pairing: "hard" or "soft".
        temperature: of a soft pairing, 1 by default.
        aligned: whether the A_kj of a row share their left singular vectors.
        rng: a generator with seed 0 by default.

    Raises:
        ValueError: counts below 1, a norm or radius that is not positive and finite, both of them, a negative
            temperature, or one with a hard pairing.
    """
    if norm is not None and spectral_radius is not None:
        raise ValueError(f"give `norm` or `spectral_radius`, not both, got {norm!r} and {spectral_radius!r}.")
    name, level = ("norm", 0.9 if norm is None else norm)
    if spectral_radius is not None:
        name, level = "spectral_radius", spectral_radius
    if not 0 < level < np.inf:
        raise ValueError(f"`{name}` must be positive and finite, got {level!r}.")
    if pairing not in ("hard", "soft"):
        raise ValueError(f'`pairing` must be "hard" or "soft", got {pairing!r}.')
    if temperature is not None and (pairing == "hard" or not temperature >= 0):
        raise ValueError(f"`temperature` must be at least 0, for a soft pairing, got {temperature!r} for {pairing!r}.")
    rng = np.random.default_rng(0) if rng is None else rng
    offset = rng.standard_normal(Patches(patches * size, size).dim)
    scores = rng.standard_normal((patches, patches))
    gains = rng.uniform(0.5, 1.0, patches)
    left, values, right = np.linalg.svd(rng.standard_normal((patches, patches, size, size)))
    left = left[:, :1] if aligned else left
    maps = (gains / gains.max())[:, None, None, None] * (left * (values / values[..., :1])[..., None, :]) @ right
    cold = pairing == "hard" or temperature == 0
    weights = np.eye(patches)[scores.argmax(axis=1)] if cold else softmax(scores / (temperature or 1.0), axis=1)
    found = AffinePIFS.paired(weights, maps, offset)
    scale = level if spectral_radius is None else level / np.abs(np.linalg.eigvals(found.matrix)).max()
    return AffinePIFS(scale * found.matrix, offset, found.patches)


def spectral_pifs(
    groups: Sequence[tuple[complex, int]], size: int, *, coupling: float = 0.3, rng: np.random.Generator | None = None
) -> AffinePIFS:
    """A PIFS whose eigenvalues are known exactly, with their Jordan blocks.

    L = P T P^T with a random permutation P. T is block triangular: on its diagonal one Jordan block for each group,
    with `coupling` above the eigenvalue, and N(0, coupling^2) between groups of different eigenvalues.

    Args:
        groups: (eigenvalue, length of its Jordan block); a complex one stands for itself and its conjugate, twice the
            length. A value that occurs twice has two blocks; (0, m) is nilpotent.
        size: n, coordinates of a patch; divides the number of eigenvalues.
        coupling: size of what stands above the diagonal; 0: a normal map, if all lengths are 1.
        rng: a generator with seed 0 by default.

    Raises:
        ValueError: no groups, lengths below 1, eigenvalues that are not finite, or a size that does not divide.
    """
    pairs = [(complex(value), int(length)) for value, length in groups]
    if not pairs or min(length for _, length in pairs) < 1 or not np.isfinite([value for value, _ in pairs]).all():
        raise ValueError(f"`groups` must hold finite eigenvalues with lengths of at least 1, got {groups!r:.80}.")
    rng = np.random.default_rng(0) if rng is None else rng
    pairs.sort(key=lambda pair: (-abs(pair[0]), pair[0].real, abs(pair[0].imag)))  # equal eigenvalues side by side
    cells = [(complex(z.real, abs(z.imag)), i, k) for i, (z, length) in enumerate(pairs) for k in range(length)]
    kinds = [np.array([[z.real, z.imag], [-z.imag, z.real]]) if z.imag else np.array([[z.real]]) for z, _, _ in cells]
    ends = np.cumsum([0, *(len(kind) for kind in kinds)])
    d = int(ends[-1])
    T = np.zeros((d, d))
    for a, (z, group, _) in enumerate(cells):
        rows = slice(ends[a], ends[a + 1])
        T[rows, rows] = kinds[a]
        for b in range(a + 1, len(cells)):
            columns = slice(ends[b], ends[b + 1])
            if cells[b][0] != z:
                T[rows, columns] = coupling * rng.standard_normal((len(kinds[a]), len(kinds[b])))
            elif cells[b][1] == group and b == a + 1:
                T[rows, columns] = coupling * np.eye(len(kinds[a]))
    order = rng.permutation(d)
    with np.errstate(divide="ignore"):
        exponents = np.log(np.repeat([abs(z) for z, _, _ in cells], [len(kind) for kind in kinds]))
    return AffinePIFS(T[np.ix_(order, order)], rng.standard_normal(d), Patches(d, size), exponents)
