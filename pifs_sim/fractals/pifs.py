"""A PIFS (Jacquin 1992, IEEE Trans. Image Process. 1, 18-30): an affine map of images whose fixed point is a picture.

Range block k becomes s_k g_k(D_k) + o_k: the domain block D_k averaged to the range's size, turned by the isometry g_k,
with contrast s_k and brightness o_k. Over the pixels of the whole image that is W x = L x + b, and |L|_inf = max |s_k|
exactly. Where that is s < 1 there is one fixed point x*, and

    |x - x*|_inf <= |x - W x|_inf/(1 - s)        (the collage bound; Barnsley, Ervin, Hardin, Lancaster 1986, PNAS 83)
    |W^n x - x*|_inf <= s/(1 - s) |W^n x - W^(n-1) x|_inf,

of which the second stops the decoder. Images are rows of the d = H' W' pixels of the continued image (see `Layout`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from scipy.sparse import csr_array

from pifs_sim.dynamics.arrays import check_count, check_points
from pifs_sim.dynamics.display import one_line
from pifs_sim.fractals.contraction import Contraction, contraction_of
from pifs_sim.fractals.format import pack, unpack
from pifs_sim.fractals.grey import FloatArray, check_grey
from pifs_sim.fractals.layout import IntArray, Layout
from pifs_sim.fractals.quadtree import splits
from pifs_sim.fractals.quantiser import Quantiser
from pifs_sim.fractals.wiring import Wiring, wire
from pifs_sim.kernels import pifs_decode

__all__ = ["PIFS", "Collage"]

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Collage:
    """How near an image is to a fixed point, and how near the collage bound says it is, in the largest pixel.

    Args:
        error: |x - W x|_inf.
        factor: s = |L|_inf.
        bound: error/(1 - s); inf where s >= 1.
        distance: |x - x*|_inf to the decoded image, over the continued image; nan where s >= 1.
    """

    error: float
    factor: float
    bound: float
    distance: float

    __repr__ = one_line


@dataclass(frozen=True, eq=False)
class PIFS:
    """A coded image, which is a `System` on its pixels.

    Args:
        layout: places of ranges and domains, and the image's shape.
        quantiser: what the levels stand for.
        ranges: (K, 3) row, column and size of the range blocks, in the order of `quadtree`.
        domains: (K,) index among `layout.domains(size)`; 0 where the contrast is 0.
        isometries: (K,) 0..7; 0 where the contrast is 0.
        contrast_levels: (K,) j, s = S j/J.
        brightness_levels: (K,) 0..2^bits - 1.

    Raises:
        ValueError: codes out of range, or ranges that do not tile the image in order.
    """

    layout: Layout
    quantiser: Quantiser
    ranges: IntArray
    domains: IntArray
    isometries: IntArray
    contrast_levels: IntArray
    brightness_levels: IntArray

    def __post_init__(self) -> None:
        for field in fields(self)[2:]:
            values = np.array(getattr(self, field.name))
            shape = (len(values), 3) if field.name == "ranges" else (len(self.ranges),)
            if values.dtype.kind not in "iu" or values.shape != shape:
                raise ValueError(f"`{field.name}` must be integers of shape {shape}, got {values!r:.80}.")
            values = values.astype(np.int64)
            values.flags.writeable = False
            object.__setattr__(self, field.name, values)
        splits(self.layout, self.ranges)
        most = self.quantiser.contrast_levels
        counts = {size: int(np.prod(self.layout.domain_grid(size)[:2])) for size in self.layout.sizes}
        coded = self.contrast_levels != 0
        places = np.array([counts[size] for size in self.ranges[:, 2].tolist()], dtype=np.int64)
        for name, low, high in (
            ("domains", 0, np.where(coded, places - 1, 0)),
            ("isometries", 0, np.where(coded, self.layout.isometries - 1, 0)),
            ("contrast_levels", -most, np.full(coded.shape, most)),
            ("brightness_levels", 0, np.full(coded.shape, self.quantiser.brightness_levels - 1)),
        ):
            values = getattr(self, name)
            wrong = (values < low) | (values > high)
            if wrong.any():
                k = int(wrong.argmax())
                raise ValueError(f"`{name}` of range {k} must lie in {low}..{high[k]}, got {values[k]}.")

    def __repr__(self) -> str:
        height, width = self.shape
        return f"PIFS({height}×{width} pixels, {len(self.ranges)} ranges, {self.rate:.3g} bits per pixel)"

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the decoded image."""
        return self.layout.shape

    @property
    def dim(self) -> int:
        """d = H' W', pixels of the continued image."""
        return self.layout.padded[0] * self.layout.padded[1]

    @property
    def length(self) -> None:
        """None: the map is iterated without end."""
        return

    @cached_property
    def contrasts(self) -> FloatArray:
        """(K,) s_k."""
        return self.quantiser.contrasts(self.contrast_levels)

    @cached_property
    def brightnesses(self) -> FloatArray:
        """(K,) o_k, for grey levels in [0, 1]."""
        return self.quantiser.brightnesses(self.brightness_levels, self.contrasts)

    @cached_property
    def wiring(self) -> Wiring:
        """Which pixels every pixel averages, and its range."""
        return wire(self.layout, self.ranges, self.domains, self.isometries)

    @cached_property
    def offset(self) -> FloatArray:
        """(d,) b."""
        return self.brightnesses[self.wiring.owners]

    def matrix(self) -> csr_array:
        """(d, d) L, sparse, ratio^2 numbers a row."""
        q, d = self.wiring.sources.shape
        weights = np.repeat(self.contrasts[self.wiring.owners] / q, q)
        columns = self.wiring.sources.T.ravel()
        return csr_array((weights, columns, np.arange(0, q * d + 1, q)), shape=(d, d))

    def _tables(self, x: Any) -> tuple[Any, Any, Any]:
        """Sources, factors and offsets as arrays of the kind and precision of `x`; kept, for they are as large as W."""
        xp = array_namespace(x)
        key = xp.__name__, str(x.dtype), str(device(x))
        if key not in self._kept:
            factors = self.contrasts[self.wiring.owners] / len(self.wiring.sources)
            numbers = (xp.asarray(values, dtype=x.dtype) for values in (factors, self.offset))
            self._kept[key] = (xp.asarray(self.wiring.sources), *numbers)
        return self._kept[key]

    @cached_property
    def _kept(self) -> dict[tuple[str, str, str], tuple[Any, Any, Any]]:
        return {}

    def step(self, x: Any, n: int) -> Any:  # noqa: ARG002
        """W x = L x + b for images (B, d)."""
        x = check_points(x, self.dim)
        return pifs_decode.compute(x, *self._tables(x))

    def tangent(self, x: Any, n: int, V: Any) -> tuple[Any, Any]:
        """(W x, L V) for V of shape (B, d, p)."""
        return self.step(x, n), pifs_decode.compute(V, *self._tables(V)[:2])

    def cotangent(self, x: Any, n: int, U: Any) -> Any:  # noqa: ARG002
        """L^T U for NumPy arrays U of shape (B, d, p)."""
        transposed = self._transposed if U.dtype == np.float64 else self._transposed.astype(U.dtype)
        batch, d, p = U.shape
        moved = transposed @ np.moveaxis(U, 1, 0).reshape(d, batch * p)
        return np.moveaxis(moved.reshape(d, batch, p), 0, 1)

    @cached_property
    def _transposed(self) -> csr_array:
        return self.matrix().T.tocsr()

    def _flat(self, name: str, image: Any) -> FloatArray:
        """An image as a row (1, d)."""
        grey = check_grey(name, image)
        if grey.shape != self.shape:
            raise ValueError(f"`{name}` must have the shape {self.shape} of the coded image, got {grey.shape}.")
        return self.layout.pad(grey).reshape(1, -1)

    def _iterated(self, x: FloatArray, tolerance: float) -> FloatArray:
        """W^n x within `tolerance` of the fixed point, or as near as rounding lets it come, for s < 1."""
        s = self._factor
        while True:
            before, x = x, self.step(x, 0)
            moved, rounding = float(np.abs(x - before).max()), 4 * _EPS * max(1.0, float(np.abs(x).max()))
            if s * moved <= tolerance * (1.0 - s) or moved <= rounding:
                return x

    @property
    def _factor(self) -> float:
        return float(np.abs(self.contrasts).max())

    def decode(self, x0: Any = None, iterations: int | None = None, *, tolerance: float = 1e-8) -> FloatArray:
        """The image, (H, W) in [0, 1].

        Args:
            x0: grey image (H, W) to start from; mid grey by default.
            iterations: number of steps; None: until no pixel is further than `tolerance` from the fixed point.
            tolerance: of a pixel; rounding allows no less than about 1e-15/(1 - s).

        Raises:
            ValueError: an image of another shape, iterations < 0, a tolerance that is not positive, or no `iterations`
                where some |s_k| >= 1, so that nothing bounds the error.
        """
        if not tolerance > 0:
            raise ValueError(f"`tolerance` must be positive, got {tolerance!r}.")
        x = np.full((1, self.dim), 0.5) if x0 is None else self._flat("x0", x0)
        if iterations is None:
            if self._factor >= 1:
                raise ValueError(f"`iterations` must be given where a contrast reaches {self._factor:.3g} >= 1.")
            x = self._iterated(x, tolerance)
        else:
            check_count("iterations", iterations, 0, None)
            for n in range(iterations):
                x = self.step(x, n)
        height, width = self.shape
        return np.clip(x.reshape(self.layout.padded)[:height, :width], 0.0, 1.0)

    def contraction(self) -> Contraction:
        """Norms and spectral radius of L; see `Contraction`."""
        return contraction_of(self.matrix(), self.wiring, self.contrasts)

    def collage_error(self, image: Any) -> float:
        """|x - W x|_inf of an image (H, W), continued; ValueError for another shape."""
        x = self._flat("image", image)
        return float(np.abs(x - self.step(x, 0)).max())

    def collage(self, image: Any) -> Collage:
        """Collage error and bound of an image (H, W) beside its true distance; ValueError for another shape."""
        error, s = self.collage_error(image), self._factor
        if s >= 1:
            return Collage(error, s, np.inf, np.nan)
        x = self._flat("image", image)
        return Collage(error, s, error / (1.0 - s), float(np.abs(x - self._iterated(x, _EPS)).max()))

    def _packed(self) -> bytes:
        codes = {field.name: getattr(self, field.name) for field in fields(self)[2:]}
        return pack(self.layout, self.quantiser, codes)

    @property
    def rate(self) -> float:
        """Bits of the file for each pixel of the image."""
        return 8 * len(self._packed()) / (self.shape[0] * self.shape[1])

    def save(self, path: str | PathLike[str]) -> None:
        """Write the file of `format` to exactly this path."""
        Path(path).write_bytes(self._packed())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> PIFS:
        """Read what `save` wrote to `path`.

        Raises:
            ValueError: anything but such a file: cut, extended, altered, of another version, or something else.
            OSError: a file that cannot be read.
        """
        try:
            return cls(**unpack(Path(path).read_bytes()))
        except ValueError as error:
            raise ValueError(f"'{path}' is not a readable PIFS file: {str(error).rstrip('.')}.") from None
