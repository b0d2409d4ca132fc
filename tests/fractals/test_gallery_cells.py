"""Cells that fit a set are a fair grid for every other: bounded like it, of its area, nested, found from places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pifs_sim.dynamics import box_counting_dimension
from pifs_sim.fractals import gallery
from pifs_sim.fractals.gallery import cells

TILES = pytest.mark.parametrize("name", ["dragon", "levy"])
AREA = {"dragon": 1 / 2, "levy": 1 / 4}
CELLED = pytest.mark.parametrize("name", ["sierpinski", "koch", "dragon", "levy"])
EVEN = np.random.default_rng(4).uniform(-1, 2, (100_000, 2))


def farthest(points: Any, boxes: Any) -> float:
    """The longest diagonal of a box around the points of one box of the grid."""
    order = np.lexsort(boxes.T)
    starts = np.flatnonzero(np.r_[True, (np.diff(boxes[order], axis=0) != 0).any(axis=1)])
    spread = np.maximum.reduceat(points[order], starts) - np.minimum.reduceat(points[order], starts)
    return float(np.hypot(*spread.T).max())


@TILES
def test_tiles_are_as_large_as_the_curve_at_every_other_level(name: str) -> None:
    entry = gallery.get(name)
    found, widest = entry.cells(EVEN), float(np.hypot(*np.subtract(*entry.ifs.bounding_box())))
    for k in range(6):  # turned by quarters, as an even number of levels turns them
        size = farthest(EVEN, np.floor(found * 2.0**k)) * 2.0**k
        assert 0.8 * widest < size <= widest + 1e-9
    inside, area = np.mean((np.floor(found) == 0).all(axis=1)), AREA[name]
    assert inside == pytest.approx(area / 9, abs=5 * math.sqrt(area / 9 / len(EVEN)))


def test_triangles_are_of_side_one_and_stand_on_both_heads() -> None:
    boxes = np.floor(cells.triangles(EVEN))
    assert farthest(EVEN, boxes) <= math.hypot(1, math.sqrt(0.75)) + 1e-9
    for up in (True, False):
        one = (boxes == ([0, 0, 0] if up else [0, 0, 1])).all(axis=1)
        area = math.sqrt(3) / 4
        assert one.mean() == pytest.approx(area / 9, abs=5 * math.sqrt(area / 9 / len(EVEN)))


@TILES
def test_tiles_repeat_with_the_lattice(name: str) -> None:
    """Heighway's by even shifts, which keep steps; but for points that the shift rounds, by 2^-50, off a face."""
    points, shift, coordinates = EVEN[:20_000], [3, -5], gallery.get(name).cells
    moved = np.floor(coordinates(points + shift) * 2) - 4 * np.array(shift)
    assert (moved == np.floor(coordinates(points) * 2)).all(axis=1).mean() > 0.95


@CELLED
def test_other_sets_keep_their_dimension_in_the_cells(name: str) -> None:
    """A segment and a dust, turned and shifted; 0.1: cells that they merely touch fade as slowly as at edges."""
    segment = np.stack([EVEN[:, 0], np.zeros(len(EVEN))], axis=1)
    for cloud, dimension in ((segment, 1.0), (gallery.cantor_dust().ifs.attractor(len(EVEN)), math.log(4, 3))):
        found = gallery.get(name).cells(cloud @ [[0.8, 0.6], [-0.6, 0.8]] + 0.1)
        value = box_counting_dimension(found, cube=(np.full(found.shape[1], -8.0), 16.0)).value
        assert value == pytest.approx(dimension, abs=0.1)


@pytest.mark.parametrize(("name", "least"), [("sierpinski", 1.0), ("koch", 1.0), ("dragon", 0.9999), ("levy", 0.86)])
def test_the_set_lies_in_the_cube_of_its_cells_but_for_rounding_at_faces(name: str, least: float) -> None:
    """Of Levy's, with its boundary of dimension 1.934, rounding takes 13 in 100; the other tile would take more."""
    entry, n = gallery.get(name), 100_000
    kept = len(entry.aligned(entry.ifs.attractor(n))) / n
    assert kept >= least
    if name in AREA:
        other = cells.levy if name == "dragon" else cells.heighway
        assert (np.floor(other(entry.ifs.attractor(n))) == 0).all(axis=1).mean() < kept - 0.2


@CELLED
def test_points_are_checked_and_those_off_the_cube_left_out(name: str) -> None:
    entry = gallery.get(name)
    points = entry.ifs.attractor(100)
    inside = entry.aligned(np.concatenate([points, points + 40]))
    assert len(inside) > 50
    assert inside.tolist() == entry.aligned(points).tolist()
    assert set(map(tuple, inside.tolist())) <= set(map(tuple, entry.cells(points).tolist()))
    with pytest.raises(ValueError, match=r"`points` must be finite with shape \(N, 2\), got shape \(1, 3\)"):
        entry.aligned([[0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="finite"):
        entry.aligned([[0.0, math.nan]])
    if name in ("dragon", "levy"):
        with pytest.raises(ValueError, match=r"coordinates below 256, got 300\.0"):
            entry.aligned([[0.0, -300.0]])
