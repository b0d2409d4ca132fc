"""The encoder: fixed points are found again, no other code is better, and arguments are checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.fractals import PIFS, Layout, Quantiser, encode, psnr
from pifs_sim.fractals.layout import isometries
from tests.fractals.codes import coded, photograph


def crop(height: int = 64, width: int = 64) -> Any:
    """A part of the photograph around an eye."""
    return photograph()[150 : 150 + height, 230 : 230 + width]


def same(a: PIFS, b: PIFS) -> bool:
    """Whether all codes agree."""
    names = ("ranges", "domains", "isometries", "contrast_levels", "brightness_levels")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def range_errors(system: PIFS, image: Any) -> Any:
    """Root-mean-square |x - W x| of every range, (K,), for an image (H, W) in [0, 1]."""
    x = system.layout.pad(image).reshape(1, -1)
    squares = np.bincount(system.wiring.owners, ((x - system.step(x, 0)) ** 2)[0])
    return np.sqrt(squares) / system.ranges[:, 2]


@settings(max_examples=15)
@given(seed=st.integers(0, 999), depth=st.integers(0, 1), step=st.sampled_from([None, 2, 5]))
def test_a_fixed_point_is_coded_without_error(seed: int, depth: int, step: int | None) -> None:
    """Its own codes are among those that are tried (if no domain is flat: contrasts of those are 0)."""
    layout = Layout((24, 16), 4 << depth, 4, 2, step)
    system = coded(layout, Quantiser(5, 7, 0.5), np.random.default_rng(seed), flat=0.0, inside=True)
    image = system.decode(tolerance=1e-12)
    options: dict[str, Any] = {"min_size": 4, "domain_step": step, "contrast_limit": 0.5, "tolerance": 1e-5}
    again = encode(image, 4 << depth, **options)
    assert again.collage_error(image) < 1e-10
    assert psnr(again.decode(tolerance=1e-12), image) > 180


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_a_constant_image_needs_no_domains(value: float) -> None:
    system = encode(np.full((20, 12), value), 4)
    assert not system.contrast_levels.any()
    levels = np.arange(128) * 1.95 / 127 - 0.475
    expected = np.clip(levels[np.abs(levels - value).argmin()], 0, 1)
    assert system.decode() == pytest.approx(np.full((20, 12), expected), abs=1e-15)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_bytes_and_floats_of_one_picture_have_the_same_code(backend: Any) -> None:
    image = crop(32, 40)
    options: dict[str, Any] = {"min_size": 4, "tolerance": 0.04, "backend": backend}
    assert same(encode(image, 8, **options), encode(image / 255, 8, **options))
    assert same(encode(image, 8, **options), encode(image, 8, min_size=4, tolerance=0.04))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (7, 13), (31, 33), (16, 17), (64, 1)])
def test_awkward_sizes_are_coded_as_their_continuation(shape: tuple[int, int]) -> None:
    image = crop(*shape) / 255
    system = encode(image, 8, min_size=4)
    assert system.decode().shape == shape
    height, width = system.layout.padded
    assert (height % 8, width % 8) == (0, 0)
    assert min(height, width) >= 16
    continued = np.pad(image, ((0, height - shape[0]), (0, width - shape[1])), mode="edge")
    whole = encode(continued, 8, min_size=4)
    assert same(system, whole)
    assert np.array_equal(whole.decode()[: shape[0], : shape[1]], system.decode())


def test_no_other_code_of_a_range_has_a_smaller_error() -> None:
    """Ten thousand other domains, isometries and contrasts, each with its best brightness."""
    image = crop() / 255
    system = encode(image, 8, contrast_bits=4)
    rng, J = np.random.default_rng(0), system.quantiser.contrast_levels
    best = range_errors(system, image)
    for _ in range(160):
        levels = rng.integers(1, J + 1, 64) * rng.choice([-1, 1], 64)
        other = replace(
            system, domains=rng.integers(0, 49, 64), isometries=rng.integers(0, 8, 64), contrast_levels=levels
        )
        means = [
            np.bincount(system.wiring.owners, (image.ravel() - other.step(image.reshape(1, -1), 0)[0]))[k] / 64
            for k in range(64)
        ]
        shift = np.rint(np.array(means) / system.quantiser.brightness_step).astype(int)
        tones = np.clip(other.brightness_levels + shift, 0, 127)
        assert (range_errors(replace(other, brightness_levels=tones), image) >= best - 1e-12).all()


def test_ranges_above_the_tolerance_are_divided_and_no_others() -> None:
    image = crop() / 255
    system = encode(image, 16, min_size=4, tolerance=0.05)
    errors, sizes = range_errors(system, image), system.ranges[:, 2]
    assert set(sizes.tolist()) == {4, 8, 16}
    assert (errors[sizes > 4] <= 0.05 + 1e-12).all()
    coarse = encode(image, 16)
    rough = range_errors(coarse, image) > 0.05
    kept = {tuple(corner) for corner in system.ranges[sizes == 16, :2].tolist()}
    assert kept == {tuple(corner) for corner in coarse.ranges[~rough, :2].tolist()}


@pytest.mark.parametrize("limit", [0.2, 0.95, 0.999])
def test_contrasts_are_clamped(limit: float) -> None:
    system = encode(crop(), 4, contrast_limit=limit)
    assert np.abs(system.contrasts).max() == limit
    assert system.contraction().norm_inf == limit < 1


def test_expansion_must_be_allowed_and_is_warned_of() -> None:
    with pytest.raises(ValueError, match="`contrast_limit`"):
        encode(crop(), 8, contrast_limit=1.0)
    with pytest.warns(UserWarning, match="may diverge"):
        system = encode(crop(), 8, contrast_limit=1.2, allow_expansion=True)
    assert np.abs(system.contrasts).max() > 1
    assert psnr(system.decode(iterations=30), crop()) > 20


def test_isometries_are_the_symmetries_of_the_square() -> None:
    """Eight different ones, closed under composition; the first four are turns."""
    table = isometries(5)
    found = {tuple(turn) for turn in table}
    assert len(found) == 8
    assert {tuple(a[b]) for a in table for b in table} == found
    assert np.array_equal(np.arange(25)[table[1]].reshape(5, 5), np.rot90(np.arange(25).reshape(5, 5)))
    assert np.array_equal(table[2], table[1][table[1]])
    assert np.array_equal(table[4].reshape(5, 5), np.arange(25).reshape(5, 5).T)


def test_more_isometries_bring_a_smaller_error() -> None:
    image = crop() / 255
    errors = [(range_errors(encode(image, 8, isometries=count), image) ** 2).sum() for count in (1, 4, 8)]
    assert errors[0] > errors[1] > errors[2]


def test_the_tree_with_all_neighbours_is_the_full_search() -> None:
    image = crop(32, 32)
    whole = encode(image, 4, domain_step=8)
    assert same(encode(image, 4, domain_step=8, search="kdtree", neighbours=10**6, slack=0.0), whole)


def test_the_tree_finds_the_largest_correlation_of_four_by_four_blocks() -> None:
    """With fine levels and one neighbour, the error is that of the best unquantised contrast below the limit."""
    image = crop(32, 32) / 255
    fine: dict[str, Any] = {"contrast_bits": 16, "brightness_bits": 16, "contrast_limit": 0.999}
    tree = encode(image, 4, search="kdtree", neighbours=1, slack=0.0, **fine)
    full = encode(image, 4, **fine)
    inside = np.abs(full.contrasts) < 0.99
    assert inside.mean() > 0.3
    tree_errors, full_errors = range_errors(tree, image), range_errors(full, image)
    clamped = np.abs(tree.contrasts) > 0.99
    assert tree_errors[~clamped] == pytest.approx(full_errors[~clamped], abs=1e-5)
    assert (tree_errors >= full_errors - 1e-12).all()


def test_the_tree_is_nearly_as_good_as_the_full_search() -> None:
    image = crop()
    full, tree = (psnr(encode(image, 4, search=search).decode(), image) for search in ("exhaustive", "kdtree"))
    assert full - 1.0 < tree <= full + 0.2


def test_progress_ends_at_the_whole_and_never_falls() -> None:
    calls: list[tuple[int, int]] = []
    encode(crop(), 16, min_size=4, tolerance=0.05, progress=lambda done, total: calls.append((done, total)))
    done = [count for count, _ in calls]
    assert done == sorted(done)
    assert calls[-1] == (3 * 64 * 64, 3 * 64 * 64)


@pytest.mark.parametrize(
    ("image", "options", "named"),
    [
        (np.zeros((4, 4, 3)), {}, "image"),
        (np.zeros((0, 4)), {}, "image"),
        (np.zeros(4), {}, "image"),
        (np.full((4, 4), 1.5), {}, "image"),
        (np.full((4, 4), np.nan), {}, "image"),
        (np.zeros((4, 4), dtype=int), {}, "image"),
        (np.zeros((4, 4), dtype=complex), {}, "image"),
        (np.zeros((4, 4)), {"range_size": 1}, "range_size"),
        (np.zeros((4, 4)), {"range_size": 4.5}, "range_size"),
        (np.zeros((4, 4)), {"range_size": 2048}, "range_size"),
        (np.zeros((4, 4)), {"domain_size": 12}, "domain_size"),
        (np.zeros((4, 4)), {"domain_size": 8}, "domain_size"),
        (np.zeros((4, 4)), {"domain_step": 0}, "domain_step"),
        (np.zeros((4, 4)), {"min_size": 3}, "min_size"),
        (np.zeros((4, 4)), {"min_size": 16}, "min_size"),
        (np.zeros((4, 4)), {"tolerance": -0.1}, "tolerance"),
        (np.zeros((4, 4)), {"tolerance": np.nan}, "tolerance"),
        (np.zeros((4, 4)), {"isometries": 9}, "isometries"),
        (np.zeros((4, 4)), {"contrast_bits": 1}, "contrast_bits"),
        (np.zeros((4, 4)), {"brightness_bits": 0}, "brightness_bits"),
        (np.zeros((4, 4)), {"contrast_limit": 0.0}, "contrast_limit"),
        (np.zeros((4, 4)), {"contrast_limit": np.inf, "allow_expansion": True}, "contrast_limit"),
        (np.zeros((4, 4)), {"search": "random"}, "search"),
        (np.zeros((4, 4)), {"search": "kdtree", "neighbours": 0}, "neighbours"),
        (np.zeros((4, 4)), {"search": "kdtree", "slack": -1.0}, "slack"),
        (np.zeros((4, 4)), {"search": "kdtree", "backend": "cpu"}, "backend"),
        (np.zeros((4, 4)), {"backend": "cuda"}, "backend"),
    ],
)
def test_bad_arguments_are_refused_by_name(image: Any, options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"`{named}`"):
        encode(image, **options)
