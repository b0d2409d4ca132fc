"""Coded images with random codes, and a photograph."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from pifs_sim.diffusion.spectra import default_photograph
from pifs_sim.fractals import PIFS, Layout, Quantiser
from pifs_sim.fractals.quadtree import grow

QUANTISERS = st.builds(
    Quantiser,
    st.integers(2, 8),
    st.integers(1, 9),
    st.sampled_from([0.25, 0.5, 0.75, 0.9, 0.95]) | st.floats(0.01, 0.9),
)


@cache
def photograph() -> Any:
    """Grace Hopper, the upper 512 x 512 pixels in grey, uint8."""
    with Image.open(default_photograph()) as image:
        return np.asarray(image.convert("L"))[:512, :512]


def coded(layout: Layout, quantiser: Quantiser, rng: Any, *, flat: float = 0.2, inside: bool = False) -> PIFS:
    """Random codes, a part `flat` of them without a domain; `inside`: W maps [0, 1] into itself."""
    ranges = grow(layout, lambda nodes, size: (rng.random(len(nodes)) < 0.5) & (size > layout.min_size))
    places = np.array([np.prod(layout.domain_grid(size)[:2]) for size in ranges[:, 2].tolist()])
    J = quantiser.contrast_levels
    contrasts = rng.integers(-J, J + 1, len(ranges)) * (rng.random(len(ranges)) >= flat)
    low = quantiser.contrast_limit if inside else 0.0  # m from S/2 to 1 - S/2 is brightness S to 1 of 1 + S
    tones = rng.uniform(low, 1.0, len(ranges)) * (quantiser.brightness_levels - 1) / (1 + low)
    return PIFS(
        layout,
        quantiser,
        ranges,
        domains=rng.integers(0, places) * (contrasts != 0),
        isometries=rng.integers(0, layout.isometries, len(ranges)) * (contrasts != 0),
        contrast_levels=contrasts,
        brightness_levels=np.floor(tones).astype(int),
    )


@st.composite
def layouts(draw: st.DrawFn, *, pixels: int = 24) -> Layout:
    """Small images of any shape, with and without quadtrees."""
    range_size, depth = draw(st.sampled_from([(2, 0), (3, 0), (4, 0), (4, 1), (8, 1), (8, 2), (6, 1)]))
    return Layout(
        (draw(st.integers(1, pixels)), draw(st.integers(1, pixels))),
        range_size,
        range_size >> depth,
        draw(st.sampled_from([2, 2, 2, 3])),
        draw(st.sampled_from([None, None, 1, 2, 3])),
        draw(st.sampled_from([1, 4, 8])),
    )


@st.composite
def pifs(draw: st.DrawFn, *, inside: bool = False, pixels: int = 24) -> PIFS:
    """Coded images of small random pictures."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return coded(draw(layouts(pixels=pixels)), draw(QUANTISERS), rng, inside=inside)
