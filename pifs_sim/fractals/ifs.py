"""Iterated function systems of affine maps f_i(x) = A_i x + b_i, drawn with probabilities p_i.

If all maps contract in some norm there is one compact set K = f_1(K) u .. u f_M(K), the attractor, and one law mu =
sum_i p_i f_i(mu), the invariant measure (Hutchinson 1981, Indiana Univ. Math. J. 30, 713-747). K is reached by mapping
any set again and again (`deterministic`), mu by the orbits x <- f_i(x) of independent draws, the chaos game
(`attractor`, `histogram`), which is a random system with Lyapunov exponents (`system`, `lyapunov`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics import LyapunovSpectrum, Map, lyapunov_spectrum
from pifs_sim.dynamics.arrays import check_count, check_points
from pifs_sim.fractals import affinity, dimensions
from pifs_sim.fractals.ifs_bounds import bounding_box
from pifs_sim.fractals.ifs_chaos import Backend, ChaosGame, Progress, grid_of, seed_of
from pifs_sim.fractals.ifs_inputs import affine_maps, checked, natural
from pifs_sim.fractals.ifs_norms import adapted_norm, constants

__all__ = ["IFS"]

Floats = npt.NDArray[np.float64]

_MOST_NUMBERS = 1 << 27  # that `deterministic` may return


@dataclass(frozen=True, eq=False)
class IFS:
    """Affine maps with probabilities; float32 arrays stay, everything else becomes float64.

    Args:
        matrices: (M, d, d).
        offsets: (M, d).
        probabilities: (M,) positive, of sum 1 within 1e-9 (they are scaled to it), each at least 2^-32, the unit in
            which the chaos game draws. By default proportional to |det A_i|, so that images of one size hold equally
            many points; singular matrices get a hundredth of the sum each. If all are singular, proportional to
            |A_i|_2, and at least a hundredth of the largest.

    Raises:
        ValueError: other shapes, entries that are not finite, bad probabilities.
    """

    matrices: Any
    offsets: Any
    probabilities: Any = None

    def __post_init__(self) -> None:
        A, b = affine_maps(self.matrices, self.offsets)
        p = natural(A.astype(np.float64)) if self.probabilities is None else checked(self.probabilities, len(A))
        for name, array in (("matrices", A), ("offsets", b), ("probabilities", p)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        """Number of maps M."""
        return len(self.matrices)

    def __repr__(self) -> str:
        return f"IFS({len(self)} maps of R^{self.dim})"

    @property
    def dim(self) -> int:
        """Dimension d of the space."""
        return int(self.matrices.shape[1])

    @cached_property
    def _doubles(self) -> tuple[Floats, Floats]:
        return self.matrices.astype(np.float64), self.offsets.astype(np.float64)

    @cached_property
    def adapted_norm(self) -> Floats:
        """S (d, d) of an ellipsoidal norm |S x|_2 made for the maps, whose largest constant is about the least."""
        return adapted_norm(self._doubles[0])

    @cached_property
    def _best_norm(self) -> tuple[Any, float]:
        """Of the adapted norm, 1 and inf the one with the least largest constant, and this constant."""
        norms = (self.adapted_norm, 1, math.inf)
        largest = [float(constants(self._doubles[0], norm).max()) for norm in norms]
        best = int(np.argmin(largest))
        return norms[best], largest[best]

    def contraction(self, norm: Any = 2) -> Floats:
        """Lipschitz constants (M,) of the maps.

        Args:
            norm: 1, 2, inf; S (d, d) for the norm |S x|_2; or "adapted", for S = `adapted_norm`.

        Raises:
            ValueError: another norm, or S not invertible.
        """
        if isinstance(norm, str) and norm == "adapted":
            norm = self.adapted_norm
        elif not (np.isscalar(norm) and norm in (1, 2, math.inf)):
            S = np.asarray(norm) if isinstance(norm, (np.ndarray, list, tuple)) else np.empty(0)
            if S.shape != (self.dim, self.dim) or not np.linalg.cond(S) < 1e15:
                raise ValueError(f'`norm` must be 1, 2, inf, "adapted" or an invertible matrix (d, d), got {norm!r}.')
            norm = S.astype(np.float64)
        return constants(self._doubles[0], norm)

    def mean_log_contraction(self, norm: Any = 2) -> float:
        """sum_i p_i ln |A_i|: below 0 the IFS contracts on average, and mu exists even if some map expands.

        Source: Barnsley, Elton 1988, Adv. Appl. Prob. 20, 14-32.
        """
        with np.errstate(divide="ignore"):
            return float(self.probabilities @ np.log(self.contraction(norm)))

    def is_contractive(self) -> bool:
        """Whether all maps contract in one of the norms 1, 2, inf, "adapted".

        True is certain. False is not: some other norm may do where these do not, if the joint spectral radius is above
        1/sqrt(min(d, M)) (Blondel, Nesterov, Theys 2005, Linear Algebra Appl. 394, 91-107).
        """
        return self._best_norm[1] < 1

    def _require_contraction(self) -> None:
        if not self.is_contractive():
            found = [(f"{norm}-norm", self.contraction(norm).max()) for norm in (1, 2, math.inf)]
            found.append(("best ellipsoidal norm found", self.contraction("adapted").max()))
            raise ValueError(
                "the IFS has no attractor that is certain: the largest constant of its maps must be below 1, got "
                f"{', '.join(f'{value:.6g} in the {name}' for name, value in found)}."
            )

    @cached_property
    def fixed_points(self) -> Floats:
        """(M, d), x = A_i x + b_i; points of the attractor if the maps contract.

        Raises:
            ValueError: a map without exactly one fixed point.
        """
        A, b = self._doubles
        gaps = np.eye(self.dim) - A
        singular = np.flatnonzero(np.linalg.cond(gaps) > 1e15)
        if singular.size:
            raise ValueError(f"map {singular[0]} must have one fixed point, but 1 is an eigenvalue of its matrix.")
        return np.asarray(np.linalg.solve(gaps, b[:, :, None])[:, :, 0])

    @cached_property
    def _box(self) -> tuple[Floats, Floats]:
        self._require_contraction()
        return bounding_box(*self._doubles, *self._best_norm, self.fixed_points)

    def bounding_box(self) -> tuple[Floats, Floats]:
        """Corners low (d,), high (d,) of a box that certainly holds the attractor, and its orbits in floats.

        As tight as rounding lets it be, except where thousands of branches compete for an extreme point: see
        `ifs_bounds`.

        Raises:
            ValueError: the maps do not contract.
        """
        low, high = self._box
        return low.copy(), high.copy()

    def deterministic(self, points: Any, iterations: int) -> Any:
        """All images of points after so many applications of W(A) = f_1(A) u .. u f_M(A).

        Args:
            points: (N, d).
            iterations: k >= 0.

        Returns:
            (M^k N, d): images under the words w_1 .. w_k in lexical order, f_{w_1} applied last.

        Raises:
            ValueError: points of another dimension, or more than 2^27 numbers in the result.
        """
        x = check_points(points, self.dim, "points")
        check_count("iterations", iterations, 0, None)
        if iterations * math.log(len(self)) + math.log(max(1, x.size)) > math.log(_MOST_NUMBERS):
            raise ValueError(f"`iterations` must leave at most 2^27 numbers, got {iterations} of {len(self)} maps.")
        A, b = self.matrices.astype(x.dtype), self.offsets.astype(x.dtype)
        for _ in range(iterations):
            x = (x @ A.swapaxes(1, 2) + b[:, None, :]).reshape(-1, self.dim)
        return x

    @cached_property
    def _game(self) -> ChaosGame:
        return ChaosGame(self.matrices, self.offsets, self.probabilities)

    def _orbits(self) -> tuple[Floats, float]:
        """Where orbits start, and the largest constant."""
        self._require_contraction()
        return self.fixed_points[int(self.probabilities.argmax())], self._best_norm[1]

    def attractor(
        self,
        n: int,
        *,
        rng: np.random.Generator | None = None,
        transient: int | None = None,
        backend: Backend = None,
    ) -> Any:
        """Points (n, d) of the attractor, distributed by the invariant measure: the chaos game.

        Many independent orbits start on the attractor, at a fixed point. The result depends on `rng` alone, not on
        threads or the backend.

        Args:
            n: number of points.
            rng: gives the seed; a generator with seed 0 by default.
            transient: steps of every orbit before its first point; by default as many as shrink the attractor to
                2^-40 of its size, 100000 at most.
            backend: of the kernel `chaos_game`.

        Raises:
            ValueError: the maps do not contract; n or transient negative.
        """
        return self._game.points(n, *self._orbits(), rng=rng, transient=transient, backend=backend)

    def histogram(
        self,
        n: int,
        *,
        bins: Any = 512,
        bounds: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        rng: np.random.Generator | None = None,
        transient: int | None = None,
        progress: Progress = None,
        backend: Backend = None,
    ) -> npt.NDArray[np.int64]:
        """Numbers of the points `attractor(n)` (for the same rng) in the boxes of a grid, for d <= 3.

        Args:
            n: number of points.
            bins: boxes along each axis, or a number for each axis.
            bounds: corners (d,) of the grid; points outside are not counted, and the far faces belong to the last
                boxes. By default `bounding_box`; an axis along which that is flat gets the length of the longest.
            rng: gives the seed; a generator with seed 0 by default.
            transient: see `attractor`.
            progress: called with (points done, n).
            backend: of the kernel `chaos_game`.

        Returns:
            Counts (bins_0, .., bins_{d-1}); axis j is coordinate j, ascending. For a picture, rows from the top, take
            `counts.T[::-1]`, and `log_density` of that.

        Raises:
            ValueError: the maps do not contract; d > 3; bad counts or bounds.
        """
        orbits = self._orbits()
        grid, inside = grid_of(self._box, bins, bounds)
        options: dict[str, Any] = {"rng": rng, "transient": transient, "progress": progress, "backend": backend}
        return self._game.counts(n, *orbits, grid=grid, inside=inside, **options)

    def system(self, rng: np.random.Generator | None = None) -> Map:
        """The chaos game as a system: orbit o takes at step n the map that `attractor` draws for it there."""
        return self._game.system(seed_of(rng))

    def lyapunov(
        self,
        steps: int,
        *,
        orbits: int = 64,
        k: int | None = None,
        transient: int = 64,
        rng: np.random.Generator | None = None,
        progress: Progress = None,
    ) -> LyapunovSpectrum:
        """Lyapunov exponents of the invariant measure, by `pifs_sim.dynamics.lyapunov_spectrum`.

        They are those of products of matrices drawn independently with the probabilities (Furstenberg, Kesten 1960,
        Ann. Math. Stat. 31, 457-469): sum_i p_i ln r_i, d times, for similarities of ratios r_i.

        Args:
            steps: steps of every orbit.
            orbits: independent orbits, whose spread gives the standard errors.
            k: number of exponents; d by default.
            transient: steps before, that align the frames.
            rng: gives the seed of the draws; a generator with seed 0 by default.
            progress: called with (steps done, steps).

        Raises:
            ValueError: bad counts.
        """
        check_count("orbits", orbits, 1, None)
        x0 = np.zeros((orbits, self.dim), self.matrices.dtype)
        return lyapunov_spectrum(self.system(rng), x0, steps, k=k, transient=transient, progress=progress)

    def similarity_dimension(self) -> dimensions.SimilarityDimension:
        """The D with sum_i r_i^D = 1 of similarities, and an overlap if one is found: `dimensions.of_similarities`."""
        return dimensions.of_similarities(*self._doubles)

    def affinity_dimension(self, *, level: int | None = None) -> affinity.AffinityDimension:
        """The affinity dimension of the matrices: `affinity.affinity_dimension` at this `level`."""
        return affinity.affinity_dimension(self._doubles[0], level=level)
