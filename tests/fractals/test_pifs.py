"""The decoder: against the definition block by block, the solved fixed point, and every rule of a system."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.dynamics import System, lyapunov_spectrum
from pifs_sim.fractals import PIFS, Layout, Quantiser, encode, psnr
from pifs_sim.testing import check_system
from tests.fractals.codes import coded, photograph, pifs

SMALL = Layout((8, 8), 4, 2, 2, 2)


def by_blocks(system: PIFS, image: Any) -> Any:
    """W of a continued image from its definition: average, turn, scale, shift."""
    layout, result = system.layout, np.empty_like(image)
    for (row, column, size), domain, g, s, o in zip(
        system.ranges, system.domains, system.isometries, system.contrasts, system.brightnesses, strict=True
    ):
        rows, columns, step = layout.domain_grid(size)
        y, x = step * (domain // columns), step * (domain % columns)
        assert domain // columns < rows
        reach, q = layout.ratio * size, layout.ratio
        block = image[y : y + reach, x : x + reach].reshape(size, q, size, q).mean(axis=(1, 3))
        block = np.rot90(block, g % 4)
        result[row : row + size, column : column + size] = s * (block.T if g >= 4 else block) + o
    return result


@given(system=pifs(), seed=st.integers(0, 99))
def test_a_step_replaces_every_range_by_its_turned_scaled_and_shifted_domain(system: PIFS, seed: int) -> None:
    image = np.random.default_rng(seed).random(system.layout.padded)
    expected = by_blocks(system, image)
    assert system.step(image.reshape(1, -1), 0).reshape(expected.shape) == pytest.approx(expected, abs=1e-14)
    found = system.matrix() @ image.ravel() + system.offset
    assert found == pytest.approx(expected.ravel(), abs=1e-14)


@given(system=pifs())
def test_decoding_finds_the_solved_fixed_point(system: PIFS) -> None:
    """Within the tolerance, cropped to the image and clipped to [0, 1]."""
    matrix = system.matrix().toarray()
    solved = np.linalg.solve(np.eye(system.dim) - matrix, system.offset).reshape(system.layout.padded)
    height, width = system.shape
    expected = np.clip(solved[:height, :width], 0, 1)
    assert np.abs(system.decode() - expected).max() <= 1e-8
    assert np.abs(system.decode(tolerance=1e-3) - expected).max() <= 1e-3


def test_ranges_without_a_domain_are_decoded_in_one_step() -> None:
    system = coded(SMALL, Quantiser(5, 8, 0.5), np.random.default_rng(0), flat=1.0)
    m = system.brightness_levels * 1.5 / 255 - 0.25
    one = system.decode(iterations=1)
    assert np.array_equal(system.decode(), one)
    for (row, column, size), value in zip(system.ranges, m, strict=True):
        block = one[row : row + size, column : column + size]
        assert block == pytest.approx(np.full((size, size), min(max(value, 0), 1)), abs=1e-15)


def test_equal_codes_for_all_ranges_decode_to_a_constant() -> None:
    """x = s x + o everywhere."""
    layout, quantiser = Layout((8, 8), 4, 4), Quantiser(5, 7, 0.9)
    ranges, ones = np.array([[0, 0, 4], [0, 4, 4], [4, 0, 4], [4, 4, 4]]), np.ones(4, dtype=int)
    for level in (-15, -4, 6, 15):
        system = PIFS(layout, quantiser, ranges, 0 * ones, ones, level * ones, 50 * ones)
        s = 0.9 * level / 15
        o = 50 * 1.9 / 127 - 0.45 - s / 2
        expected = min(max(o / (1 - s), 0), 1)
        assert system.decode() == pytest.approx(np.full((8, 8), expected), abs=2e-8)


@pytest.mark.parametrize("start", ["black", "white", "noise", "the picture"])
def test_the_start_does_not_matter(start: str) -> None:
    image = photograph()[200:328, 180:300]
    system = encode(image, 8, min_size=4, tolerance=0.03)
    noise = np.random.default_rng(0).random(image.shape)
    x0 = {"black": 0 * noise, "white": np.full(image.shape, 255, np.uint8), "noise": noise, "the picture": image}[start]
    assert np.abs(system.decode(x0) - system.decode()).max() <= 2e-8


@given(system=pifs(), seed=st.integers(0, 99))
def test_the_error_falls_by_the_largest_contrast_at_every_step(system: PIFS, seed: int) -> None:
    s = float(np.abs(system.contrasts).max())
    fixed = np.linalg.solve(np.eye(system.dim) - system.matrix().toarray(), system.offset)
    x = np.random.default_rng(seed).random((1, system.dim))
    first = float(np.abs(x - fixed).max())
    for n in range(1, 30):
        x = system.step(x, n)
        assert np.abs(x - fixed).max() <= s**n * first + 1e-14 / (1 - s)


def test_iterations_are_steps() -> None:
    system = coded(SMALL, Quantiser(5, 7, 0.9), np.random.default_rng(3), inside=True)
    x0 = np.random.default_rng(4).random((8, 8))
    x = x0.reshape(1, -1)
    for n in range(4):
        assert np.array_equal(system.decode(x0, n), np.clip(x.reshape(8, 8), 0, 1))
        x = system.step(x, n)


@pytest.mark.parametrize("seed", range(3))
def test_a_decoder_is_a_system(seed: int) -> None:
    system = coded(Layout((4, 8), 4, 2, 2, 1), Quantiser(5, 7, 0.9), np.random.default_rng(seed))
    assert isinstance(system, System)
    check_system(system, np.random.default_rng(seed).random((3, system.dim)), steps=8)


def test_arrays_of_other_libraries_stay_so() -> None:
    system = coded(SMALL, Quantiser(5, 7, 0.9), np.random.default_rng(1))
    x, V = np.random.default_rng(2).random((2, 64)), np.random.default_rng(3).random((2, 64, 3))
    strict = system.tangent(array_api_strict.asarray(x), 0, array_api_strict.asarray(V))
    for found, expected in zip(strict, system.tangent(x, 0, V), strict=True):
        assert type(found).__module__.startswith("array_api_strict")
        assert np.array_equal(np.asarray(found), expected)


def test_leading_exponents_are_those_of_the_eigenvalues() -> None:
    """The first three, real and well apart, by the engine; the spectral radius by another iteration."""
    system = coded(Layout((16, 16), 4, 4, 2, 2), Quantiser(5, 7, 0.95), np.random.default_rng(29))
    moduli = np.sort(np.abs(np.linalg.eigvals(system.matrix().toarray())))[::-1]
    assert (moduli[:3] > 1.05 * moduli[1:4]).all()
    found = lyapunov_spectrum(system, np.zeros((1, system.dim)), 100, k=3, transient=500)
    assert found.exponents == pytest.approx(np.log(moduli[:3]), abs=1e-8)
    assert found.exponents[0] == pytest.approx(math.log(system.contraction().spectral_radius), abs=1e-8)


def test_psnr_is_ten_logarithms_of_the_mean_square() -> None:
    a = np.zeros((4, 5))
    assert psnr(a, a) == math.inf
    assert psnr(a, a + 0.1) == pytest.approx(20)
    assert psnr(a, np.full((4, 5), 255, np.uint8)) == 0
    assert psnr(a + 0.5, np.eye(4, 5) * 0.5 + 0.5) == pytest.approx(-10 * math.log10(4 / 20 / 4))
    with pytest.raises(ValueError, match="`b`"):
        psnr(a, a.T)


CODES: dict[str, Any] = {
    "ranges": [[y, x, 2] for y in (0, 2) for x in (0, 2, 4)],
    "domains": [0, 2, 0, 1, 0, 0],  # of three
    "isometries": [7, 0, 0, 3, 0, 0],
    "contrast_levels": [15, -15, 1, 2, 3, 0],
    "brightness_levels": [127, 0, 0, 0, 0, 0],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("domains", [3, 2, 0, 1, 0, 0]),
        ("domains", [-1, 2, 0, 1, 0, 0]),
        ("domains", [0, 2, 0, 1, 0, 1]),  # the contrast is 0
        ("domains", [0, 2, 0, 1, 0]),
        ("domains", [0.5, 2, 0, 1, 0, 0]),
        ("isometries", [8, 0, 0, 3, 0, 0]),
        ("isometries", [7, 0, 0, 3, 0, 1]),
        ("contrast_levels", [16, -15, 1, 2, 3, 0]),
        ("contrast_levels", [15, -16, 1, 2, 3, 0]),
        ("brightness_levels", [128, 0, 0, 0, 0, 0]),
        ("brightness_levels", [127, 0, 0, 0, 0, -1]),
        ("ranges", [[y, x, 2] for x in (0, 2, 4) for y in (0, 2)]),
        ("ranges", [[0, 0, 2]] * 6),
        ("ranges", [[y, x, 2] for y in (0, 2) for x in (0, 2, 2)]),
        ("ranges", [[y, x, 3] for y in (0, 2) for x in (0, 2, 4)]),
        ("ranges", [[y, x] for y in (0, 2) for x in (0, 2, 4)]),
    ],
)
def test_codes_out_of_range_are_refused_by_name(name: str, value: Any) -> None:
    layout, quantiser = Layout((4, 6), 2, 2, 2, 1), Quantiser(5, 7, 0.9)
    PIFS(layout, quantiser, **{key: np.array(values) for key, values in CODES.items()})
    with pytest.raises(ValueError, match=f"`{name}`"):
        PIFS(layout, quantiser, **{key: np.array(values) for key, values in (CODES | {name: value}).items()})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"x0": np.zeros((8, 7))}, "x0"),
        ({"x0": np.full((8, 8), 2.0)}, "x0"),
        ({"iterations": -1}, "iterations"),
        ({"iterations": 1.5}, "iterations"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerance": math.nan}, "tolerance"),
    ],
)
def test_bad_arguments_of_the_decoder_are_refused_by_name(options: Any, named: str) -> None:
    system = coded(SMALL, Quantiser(), np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"`{named}`"):
        system.decode(**options)
