"""Patches cut vectors into runs and images into blocks, and can be put together again."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.dynamics import Patches


@st.composite
def partitions(draw: st.DrawFn) -> Patches:
    """Patches of vectors and images of one to three patches a side."""
    h, w, c, down, across = (draw(st.integers(1, 3)) for _ in range(5))
    shapes = [((h * down,), h), ((h * down, w * across), (h, w)), ((h * down, w * across, c), (h, w))]
    shape, size = draw(st.sampled_from(shapes))
    return Patches(shape, size)


def test_a_vector_is_cut_into_runs() -> None:
    patches = Patches(6, 2)
    assert (patches.count, patches.dim, patches.length) == (3, 6, 2)
    assert patches.indices.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert patches == Patches((6,), (2,))
    assert len({patches, Patches([6], 2), Patches(6, 3)}) == 2


def test_an_image_is_cut_into_blocks_row_by_row() -> None:
    """Of 2 x 4: two blocks of 2 x 2."""
    assert Patches((2, 4), 2).indices.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]
    assert Patches((2, 4), (1, 2)).indices.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_a_patch_of_a_colour_image_is_that_part_of_the_image() -> None:
    image = np.random.default_rng(0).standard_normal((6, 8, 3))
    patches = Patches((6, 8, 3), (3, 2))
    parts = patches.split(image.reshape(1, -1))[0]
    assert (patches.count, patches.length) == (8, 18)
    assert np.array_equal(parts[6], image[3:6, 4:6].ravel())
    assert np.array_equal(image.ravel()[patches.indices], parts)


@given(patches=partitions(), rest=st.sampled_from([(), (2,), (2, 3)]), batch=st.integers(1, 3))
def test_joining_undoes_splitting_and_the_indices_say_where_everything_goes(
    patches: Patches, rest: tuple[int, ...], batch: int
) -> None:
    x = np.random.default_rng(1).standard_normal((batch, patches.dim, *rest))
    parts = patches.split(x)
    assert parts.shape == (batch, patches.count, patches.length, *rest)
    assert np.array_equal(parts, x[:, patches.indices])
    assert np.array_equal(patches.join(parts), x)
    assert np.array_equal(np.sort(patches.indices, axis=None), np.arange(patches.dim))
    assert np.all(np.diff(patches.indices, axis=1) > 0)


@pytest.mark.parametrize("xp", [np, strict])
def test_other_array_kinds_and_precisions_are_kept(xp) -> None:
    patches = Patches((4, 4), 2)
    x = xp.asarray(np.arange(32.0).reshape(2, 16), dtype=xp.float32)
    parts = patches.split(x)
    assert isinstance(parts, type(x))
    assert parts.dtype == patches.join(parts).dtype == xp.float32
    assert np.array_equal(np.asarray(patches.join(parts)), np.asarray(x))


def test_the_indices_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Patches(4, 2).indices[0, 0] = 1


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        ((32, 32, 3), 7, "`size` 7 does not divide height 32"),
        ((32, 30), 16, "`size` 16 does not divide width 30"),
        (10, 3, "`size` 3 does not divide length 10"),
        ((4, 4), (2, 2, 1), r"`size` must have 1 or 2 entries"),
        (4, (2, 2), r"`size` must have 1 or 1 entries"),
        ((2, 2, 2, 2), 1, r"`shape` must be \(d,\), \(H, W\) or \(H, W, C\)"),
        ((4, 0), 2, "`shape` must hold integers >= 1"),
        (4, -2, "`size` must hold integers >= 1"),
        (4, 2.0, "`size` must hold integers >= 1"),
        ("ab", 2, "`shape` must hold integers >= 1"),
        ((), 2, "`shape` must hold integers >= 1"),
    ],
    ids=str,
)
def test_patches_that_do_not_tile_are_refused(shape, size, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Patches(shape, size)


def test_vectors_of_another_size_are_refused() -> None:
    patches = Patches(6, 2)
    for x in (np.ones(6), np.ones((1, 5)), np.ones((6, 1))):
        with pytest.raises(ValueError, match=r"`x` must have shape \(batch, 6, ...\)"):
            patches.split(x)
    for y in (np.ones((3, 2)), np.ones((1, 2, 3)), np.ones((1, 6))):
        with pytest.raises(ValueError, match=r"`y` must have shape \(batch, 3, 2, ...\)"):
            patches.join(y)
