"""The encoder: for every range block the domain whose contrasted copy comes nearest to it (collage coding).

Over domains D, isometries P and quantised contrasts s and brightnesses o, the least |R - s P D - o|^2.

The image is cut into ranges of the largest size; each takes the domain, isometry, contrast and brightness of the least
squared error after quantisation (`kernels.block_matching` states the law). A range whose root-mean-square error
exceeds a tolerance is divided into four, until the smallest size. Grey levels are compared in 255ths from mid grey:
whole numbers over 4 for images of uint8 and ratio 2, of which all sums are exact, so that ties are ties.

Source: Jacquin 1992, IEEE Trans. Image Process. 1, 18-30; Fisher 1995, Fractal Image Compression.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from pifs_sim.dynamics.arrays import check_count
from pifs_sim.fractals.grey import FloatArray, check_grey
from pifs_sim.fractals.layout import IntArray, Layout, blocks
from pifs_sim.fractals.layout import isometries as isometry_table
from pifs_sim.fractals.pifs import PIFS
from pifs_sim.fractals.quadtree import Flags, grow
from pifs_sim.fractals.quantiser import Quantiser
from pifs_sim.fractals.search import Matcher, exhaustive, nearest
from pifs_sim.kernels.backends import Backend
from pifs_sim.kernels.block_matching import Match, Quantisation

__all__ = ["encode"]

_UNIT = 255.0
_TOGETHER = 1024  # ranges between two reports of progress

Progress = Callable[[int, int], None] | None
Searcher = Callable[[FloatArray, IntArray, Quantisation], Matcher]


def encode(
    image: Any,
    range_size: int = 8,
    *,
    domain_size: int | None = None,
    domain_step: int | None = None,
    min_size: int | None = None,
    tolerance: float = 0.02,
    isometries: int = 8,
    contrast_bits: int = 5,
    brightness_bits: int = 7,
    contrast_limit: float = 0.95,
    allow_expansion: bool = False,
    search: Literal["exhaustive", "kdtree"] = "exhaustive",
    neighbours: int = 16,
    slack: float = 2.0,
    progress: Progress = None,
    backend: Backend | None = None,
) -> PIFS:
    """The PIFS that codes a grey image.

    Args:
        image: (H, W), floats in [0, 1] or uint8; any size: it is continued by its last row and column, and the
            decoded image is cropped.
        range_size: pixels along the largest ranges, 2..1024.
        domain_size: pixels along their domains, a multiple of range_size; twice range_size by default. Smaller ranges
            keep the ratio.
        domain_step: pixels between domains; for every range its size by default.
        min_size: pixels along the smallest ranges, range_size over a power of two; range_size by default: no quadtree.
        tolerance: root-mean-square error, of grey levels in [0, 1], above which a range is divided.
        isometries: how many of the eight are tried: 1 (none), 4 (turns), 8.
        contrast_bits: bits of a contrast.
        brightness_bits: bits of a brightness.
        contrast_limit: the largest |contrast|, below 1, so that the decoder contracts.
        allow_expansion: accept a limit of 1 or more, with a warning.
        search: "exhaustive", or "kdtree": the nearest in a space of features, nearly as good, and faster where domains
            are many (`search`).
        neighbours: candidates of each range that "kdtree" judges.
        slack: of "kdtree": candidates may be 1 + slack times as far as the nearest; 0: they are the nearest.
        progress: called with (pixels done, pixels), where every size of range counts the image once.
        backend: of the exhaustive search.

    Raises:
        ValueError: an image that is not grey, an argument out of range, or a contrast limit of 1 or more without
            `allow_expansion`.

    >>> import numpy as np
    >>> image = np.add.outer(np.arange(16), np.arange(16)) / 30
    >>> code = encode(image, range_size=4)
    >>> bool(np.abs(code.decode() - image).max() < 0.01), code.contraction().norm_inf < 1
    (True, True)
    """
    grey = check_grey("image", image)
    check_count("range_size", range_size, 2, 1024)
    size = 2 * range_size if domain_size is None else domain_size
    if size not in (ratio * range_size for ratio in range(2, 256)):
        raise ValueError(f"`domain_size` must be 2..255 times `range_size`={range_size}, got {size!r}.")
    least = range_size if min_size is None else min_size
    layout = Layout(grey.shape, range_size, least, size // range_size, domain_step, isometries)
    quantiser = Quantiser(contrast_bits, brightness_bits, contrast_limit)
    _check_expansion(contrast_limit, allow_expansion)
    if not tolerance >= 0:
        raise ValueError(f"`tolerance` must be at least 0, got {tolerance!r}.")
    if search not in ("exhaustive", "kdtree"):
        raise ValueError(f'`search` must be "exhaustive" or "kdtree", got {search!r}.')
    check_count("neighbours", neighbours, 1, None)
    if not 0 <= slack < np.inf:
        raise ValueError(f"`slack` must be at least 0 and finite, got {slack!r}.")
    if search == "kdtree" and backend is not None:
        raise ValueError(f'`backend` must be None for the search "kdtree", got {backend!r}.')
    searcher: Searcher
    searcher = (
        partial(exhaustive, backend=backend)
        if search == "exhaustive"
        else partial(nearest, neighbours=neighbours, slack=slack)
    )
    pixels = _UNIT * layout.pad(grey) - _UNIT / 2
    return _coded(pixels, layout, quantiser, searcher=searcher, tolerance=_UNIT * tolerance, progress=progress)


def _check_expansion(limit: float, allowed: bool) -> None:
    if limit >= 1 and not allowed:
        raise ValueError(f"`contrast_limit` must be below 1 unless `allow_expansion` is set, got {limit!r}.")
    if limit >= 1:
        warnings.warn(f"contrasts up to {limit:.6g} are allowed: the decoder may diverge.", stacklevel=3)


def _coded(
    pixels: FloatArray,
    layout: Layout,
    quantiser: Quantiser,
    *,
    searcher: Searcher,
    tolerance: float,
    progress: Progress,
) -> PIFS:
    """The PIFS of a continued image in units from mid grey."""
    quantisation = quantiser.in_units(_UNIT)
    kept: list[Match] = []
    done, total = 0, len(layout.sizes) * pixels.size

    def report(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, total)

    def split(nodes: IntArray, size: int) -> Flags:
        if not len(nodes):
            return np.zeros(0, dtype=bool)
        turns = isometry_table(size, layout.isometries)
        match_ranges = searcher(layout.shrunk_domains(pixels, size), turns, quantisation)
        parts = []
        for start in range(0, len(nodes), _TOGETHER):
            ranges = blocks(pixels, nodes[start : start + _TOGETHER], size)
            parts.append(match_ranges(ranges))
            report(ranges.size)
        match = _joined(parts)
        rough = np.sqrt(np.maximum(match.error, 0.0)) > tolerance * size  # an error may be -1e-12 by rounding
        divided = rough & (size > layout.min_size)
        kept.append(Match._make(column[~divided] for column in match))
        report(int(np.count_nonzero(~divided)) * size**2 * (layout.sizes[::-1].index(size)))
        return divided

    ranges = grow(layout, split)
    match = _joined(kept)
    return PIFS(layout, quantiser, ranges, match.domain, match.isometry, match.contrast, match.brightness)


def _joined(parts: list[Match]) -> Match:
    return Match._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
