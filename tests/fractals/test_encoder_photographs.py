"""Whole photographs: rate and quality, starts that agree, clamped contrasts, and the collage bound."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pifs_sim.fractals import PIFS, encode, psnr
from tests.fractals.codes import photograph

NAMES = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "moon.png",
    "rocket.jpg",
)


@cache
def coded() -> PIFS:
    """Grace Hopper, 512 x 512, at about 0.7 bits a pixel."""
    return encode(photograph(), 16, min_size=4, tolerance=0.025)


def shipped(name: str) -> Any:
    """The middle 256 x 256 pixels (or all there are) of a photograph of scikit-image, in grey."""
    found = importlib.util.find_spec("skimage")
    if found is None or not found.submodule_search_locations:
        pytest.skip("scikit-image, whose photographs this needs, is not installed")
    with Image.open(Path(found.submodule_search_locations[0]) / "data" / name) as image:
        grey = np.asarray(image.convert("L"))
    top, left = (max(0, (length - 256) // 2) for length in grey.shape)
    return grey[top : top + 256, left : left + 256]


def test_thirty_decibels_cost_less_than_a_bit_a_pixel() -> None:
    assert coded().rate <= 1
    assert psnr(coded().decode(), photograph()) >= 30


def test_black_white_and_noise_decode_to_the_same_photograph() -> None:
    starts = [np.zeros((512, 512)), np.ones((512, 512)), np.random.default_rng(0).random((512, 512))]
    decoded = [coded().decode(start) for start in starts]
    assert max(float(np.abs(a - b).max()) for a in decoded for b in decoded) <= 1e-6


def test_every_contrast_is_clamped() -> None:
    assert np.abs(coded().contrasts).max() == 0.95


def test_a_file_decodes_to_the_same_photograph(tmp_path: Path) -> None:
    coded().save(tmp_path / "hopper.pifs")
    assert (tmp_path / "hopper.pifs").stat().st_size * 8 == coded().rate * 512**2
    assert np.array_equal(PIFS.load(tmp_path / "hopper.pifs").decode(), coded().decode())


def test_the_collage_bound_holds_on_the_photograph() -> None:
    found = coded().collage(photograph())
    assert 0 < found.distance <= found.bound
    assert found.error <= (1 + found.factor) * found.distance


@pytest.mark.parametrize("name", NAMES)
def test_the_collage_bound_holds_on_photographs(name: str) -> None:
    image = shipped(name)
    system = encode(image, 8)
    found = system.collage(image)
    assert 0 < found.distance <= found.bound
    assert found.error <= (1 + found.factor) * found.distance
    assert psnr(system.decode(), image) > 18
