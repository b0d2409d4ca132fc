"""The door of the denoisers: angles, and arrays of a law beside points of another precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_namespace

from pifs_sim.diffusion.angles import HALF_PI, cos_sin
from pifs_sim.dynamics.arrays import reals

__all__ = ["Angle", "like"]

_SMALL = 1e-100  # the cube of a sine below is no float


@dataclass(frozen=True, eq=False)
class Angle:
    """Angles phi in [0, pi/2] of a batch of points, float64, of the points' kind; those below 1e-100 count as 0.

    Args:
        cos: (A, 1) with A = 1 for one angle of all, or B.
        sin: (A, 1).
        drop: (A, 1) 1 - cos(phi) = 2 sin^2(phi/2), without cancellation.
        variance: (A, 1) sin^2(phi).
    """

    cos: Any
    sin: Any
    drop: Any
    variance: Any

    @classmethod
    def at(cls, angle: Any, x: Any) -> Angle:
        """The angle, a number or (B,), of points x, (B, d); ValueError for another shape or outside [0, pi/2]."""
        phi = np.asarray(reals("angle", angle.get() if hasattr(angle, "get") else angle)[1], dtype=np.float64)
        if phi.shape not in ((), (x.shape[0],)):
            raise ValueError(f"`angle` must be a number or have shape ({x.shape[0]},) like `x`, got shape {phi.shape}.")
        outside = ~((phi >= 0) & (phi <= HALF_PI))
        if outside.any():
            raise ValueError(f"`angle` must lie in [0, pi/2], got {float(phi[outside].flat[0])!r}.")
        xp, phi = array_namespace(x), phi.reshape(-1, 1)
        cos, sin = cos_sin(phi)
        drop = np.where(phi == HALF_PI, 1.0, 2 * np.sin(phi / 2) ** 2)
        sin = np.where(sin < _SMALL, 0.0, sin)
        return cls(*(xp.asarray(value, dtype=xp.float64) for value in (cos, sin, drop, sin**2)))

    @property
    def moved(self) -> tuple[Any, Any]:
        """near and far (A,) with x - near y - far y = x - cos y, where what cancels is exact at small angles."""
        xp, cos = array_namespace(self.cos), self.cos[:, 0]
        return xp.where(cos > 0.5, 1.0, cos), xp.where(cos > 0.5, -self.drop[:, 0], 0.0)


def like(array: Any, x: Any, dtype: Any = None) -> Any:
    """`array` in the precision of `x`, or in `dtype`, and of its kind if NumPy's; ValueError for another kind."""
    dtype = x.dtype if dtype is None else dtype
    if type(array) is type(x) and array.dtype == dtype:
        return array
    xp, own = array_namespace(x), array_namespace(array)
    if own is not xp and not is_numpy_namespace(own):
        raise ValueError(f"`x` must be an array of {own.__name__} like the measure, got {xp.__name__}.")
    return xp.asarray(array, dtype=dtype)
