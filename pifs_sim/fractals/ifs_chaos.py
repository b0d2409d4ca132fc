"""The chaos game: many independent orbits x <- A_i x + b_i, i drawn with probability p_i, as points, counts and system.

The maps are drawn by Philox numbers of (seed, orbit, step), so all three follow the same orbits (the system, which
takes one map at a time, up to rounding), and the result depends on the seed alone: not on threads, backends or pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics import Map
from pifs_sim.dynamics.arrays import check_count, check_generator, reals
from pifs_sim.fractals.ifs_inputs import cuts
from pifs_sim.kernels import backends, chaos_game
from pifs_sim.kernels.chaos_game.alphabet import choices
from pifs_sim.kernels.device import carriers

__all__ = ["Backend", "ChaosGame", "Progress", "grid_of", "log_density", "seed_of"]

Floats = npt.NDArray[np.float64]
Backend = backends.Backend | None
Progress = Callable[[int, int], None] | None

_LANES, _LENGTH = 128, 4096  # orbits come in so many, and make at least so many points each if there are enough
_PIECE = 1 << 23  # points between two reports of progress, at least; more if there are many boxes to clear and add
_MOST_TRANSIENT = 100_000
_CHUNK = 256  # steps of the system whose maps are drawn at once


@dataclass(frozen=True, eq=False)
class ChaosGame:
    """The game of given maps.

    Args:
        matrices: (M, d, d).
        offsets: (M, d).
        probabilities: (M,).
    """

    matrices: Any
    offsets: Any
    probabilities: Floats

    @cached_property
    def _cuts(self) -> npt.NDArray[np.uint32]:
        return cuts(self.probabilities)

    def _options(
        self, n: int, start: Floats, largest: float, transient: int | None, rng: np.random.Generator | None
    ) -> dict[str, Any]:
        """The kernel's maps and counts, for orbits from `start` and maps of constants at most `largest` < 1."""
        check_count("n", n, 0, None)
        if transient is None:
            rate = -math.log(max(largest, 2.0**-40))
            transient = min(math.ceil(40 * math.log(2) / rate), _MOST_TRANSIENT)
        check_count("transient", transient, 0, None)
        maps = chaos_game.Maps(self.matrices, self.offsets, self._cuts, start.astype(self.matrices.dtype))
        orbits = _LANES * max(1, -(-n // (_LANES * max(_LENGTH, 16 * transient))))
        return {"maps": maps, "n": n, "seed": seed_of(rng), "orbits": orbits, "transient": int(transient)}

    def points(self, n: int, start: Floats, largest: float, *, backend: Backend, **settings: Any) -> Any:
        """(n, d), in the precision of the maps."""
        there, here = carriers(backend)
        options = self._options(n, start, largest, **settings)
        options["maps"] = chaos_game.Maps._make(map(there, options["maps"]))
        return here(chaos_game.compute(**options, backend=backend))

    def counts(
        self,
        n: int,
        start: Floats,
        largest: float,
        *,
        grid: chaos_game.Grid,
        inside: bool,
        progress: Progress,
        backend: Backend,
        **settings: Any,
    ) -> npt.NDArray[np.int64]:
        """Counts of the same points in the boxes of a grid."""
        there, here = carriers(backend)
        options = self._options(n, start, largest, **settings)
        options["maps"] = chaos_game.Maps._make(map(there, options["maps"]))
        pieces = 1 if progress is None else max(1, n // max(_PIECE, 32 * math.prod(grid.bins)))
        edges = [options["orbits"] // _LANES * i // pieces * _LANES for i in range(pieces + 1)]
        options |= {"grid": grid, "inside": inside, "backend": backend}
        counts = chaos_game.compute(**options, span=(edges[0], edges[1]))
        for i in range(1, pieces + 1):
            if progress:
                progress(n * i // pieces, n)
            if i < pieces:
                counts += chaos_game.compute(**options, span=(edges[i], edges[i + 1]))
        return np.asarray(here(counts))

    def system(self, seed: int) -> Map:
        """The game as a system, orbit o at step n taking the map that is drawn for it there."""
        kept: dict[tuple[int, int], npt.NDArray[np.intp]] = {}

        def drawn(x: Any, n: int) -> npt.NDArray[np.intp]:
            key = (n // _CHUNK, len(x))
            if key not in kept:
                kept.clear()  # one chunk at a time
                kept[key] = choices(self._cuts, seed, key[0] * _CHUNK, _CHUNK, np.arange(len(x), dtype=np.uint64))
            return kept[key][n % _CHUNK]

        def step(x: Any, n: int) -> Any:
            i = drawn(x, n)
            return (self.matrices[i] @ x[:, :, None])[:, :, 0] + self.offsets[i]

        return Map(step, lambda x, n: self.matrices[drawn(x, n)], dim=self.matrices.shape[1])


def seed_of(rng: np.random.Generator | None) -> int:
    """64 bits of a generator, of one with seed 0 by default; ValueError for anything but a generator or None."""
    if rng is not None:
        check_generator(rng)
    return int((np.random.default_rng(0) if rng is None else rng).integers(2**64, dtype=np.uint64))


def grid_of(
    box: tuple[Floats, Floats], bins: Any, bounds: tuple[npt.ArrayLike, npt.ArrayLike] | None
) -> tuple[chaos_game.Grid, bool]:
    """The grid, and whether it holds the box; arguments and ValueError as for `IFS.histogram`."""
    low, high = box
    shape = (bins,) * len(low) if np.ndim(bins) == 0 else tuple(bins)
    if len(shape) != len(low):
        raise ValueError(f"`bins` must be a number or one for each of {len(low)} axes, got {bins!r}.")
    for count in shape:
        check_count("bins", count, 1, None)
    if math.prod(shape) > chaos_game.MAX_BOXES:
        raise ValueError(f"`bins` must make at most 2^30 boxes, got {shape!r}.")
    if bounds is None:
        width = high - low
        flat = np.where(width <= 2.0**-30 * width.max(), width.max() / 2, 0.0)
        first, last = low - flat, high + flat
    else:
        first, last = (np.asarray(reals("bounds", corner)[1], dtype=np.float64) for corner in bounds)
        if not first.shape == last.shape == low.shape:
            raise ValueError(f"`bounds` must be two corners ({len(low)},), got shapes {first.shape}, {last.shape}.")
    inside = bool((first <= low).all() and (high <= last).all())
    return chaos_game.Grid(first, last, tuple(int(count) for count in shape)), inside


def log_density(counts: npt.ArrayLike) -> Floats:
    """Brightness in [0, 1] of counts: ln(1 + c)/ln(1 + max c), as measures of fractals span many powers of ten.

    Args:
        counts: of any shape, not negative.

    Raises:
        ValueError: no counts, or negative ones.
    """
    values = np.asarray(reals("counts", counts)[1], dtype=np.float64)
    if values.size == 0 or not (values >= 0).all():
        raise ValueError(f"`counts` must hold numbers >= 0, got shape {values.shape}.")
    largest = float(values.max())
    return np.log1p(values) / math.log1p(largest) if largest > 0 else values
