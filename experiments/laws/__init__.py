"""Data laws fitted to the windows of one photograph, by the names that `pifs-sim regimes` takes.

    gaussian        N(mu, Sigma) with the windows' moments
    scale-mixture   sum_i w_i N(mu, s_i Sigma) with the same moments, s_i = 2^-6 .. 2^4
    mixture         8 normal components with full covariances
    points          1000 of the windows themselves

A window is across x across patches of size x size pixels in grey, so patches are coupled. Every fit has a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.laws import fits, windows
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud, ScaleMixture
from pifs_sim.dynamics import Patches

__all__ = ["NAMES", "Law", "fitted", "of_points"]

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None] | None

NAMES = ("gaussian", "scale-mixture", "mixture", "points")
SCALES = 2.0 ** np.arange(-6.0, 5.0)
FLOOR = 1e-4  # variance of a pixel's rounding and coding noise, about the least of a window's own
_WINDOWS, _POINTS, _COMPONENTS = 6000, 1000, 8


@dataclass(frozen=True, eq=False)
class Law:
    """A law with the patches of its coordinates, and what it was fitted to, in words."""

    name: str
    measure: Any
    patches: Patches
    about: str


def of_points(name: str, x: Array, progress: Progress = None) -> tuple[Any, str]:
    """The law of a name in `NAMES` fitted to points (N, d), and how it came from the {} of them."""
    if name == "gaussian":
        return Gaussian(x.mean(axis=0), np.cov(x.T, bias=True)), "moments of {}"
    if name == "points":
        return PointCloud(x[:_POINTS]), f"{min(_POINTS, len(x))} of {{}}"
    if name == "scale-mixture":
        weights, _ = fits.fit_scale_mixture(x, SCALES, progress=progress)
        law = ScaleMixture(x.mean(axis=0), np.cov(x.T, bias=True), SCALES, weights)
        return law, f"{len(SCALES)} scales fitted to {{}}"
    rng = np.random.default_rng(0)
    weights, means, covariances, _ = fits.fit_mixture(x, _COMPONENTS, rng, floor=FLOOR, progress=progress)
    return Mixture(weights, means, covariances), f"{_COMPONENTS} normal components fitted to {{}}"


def fitted(
    name: str, picture: Path, size: int, *, across: int = 2, aligned: bool = False, progress: Progress = None
) -> Law:
    """The law of that name, fitted to windows of a picture.

    Args:
        name: one of `NAMES`.
        picture: an image file.
        size: side of a patch, in pixels of the window.
        across: patches from side to side of a window.
        aligned: shifted views of the whole scene, reduced, in place of windows from all positions.
        progress: called with (iterations done, iterations) of a fit.

    Raises:
        ValueError: another name, a size or number below 1, or a picture that is too small or cannot be read.
    """
    if name not in NAMES:
        raise ValueError(f"`name` must be one of {', '.join(NAMES)}, got {name!r}.")
    if min(size, across) < 1:
        raise ValueError(f"a window must hold patches of at least 1 pixel, got {across} x {across} of size {size}.")
    pixels, side, rng = windows.grey(picture), size * across, np.random.default_rng(0)
    if aligned:
        x = windows.views(pixels, side, rng=rng, most=_WINDOWS, reach=size)
    else:
        x = windows.everywhere(pixels, side, rng=rng, most=_WINDOWS)
    measure, how = of_points(name, x, progress)
    kind = "aligned views" if aligned else "windows"
    patches = Patches((side, side), size)
    about = f"{kind} {side} x {side} of {picture.name}, {patches.count} patches of {size} x {size}"
    return Law(name, measure, patches, f"{how.format(len(x))} {about}")
