"""The gallery: dimensions against trusted values, counts that are exact, and box counting that finds them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.dynamics import box_counting_dimension
from pifs_sim.fractals import gallery
from pifs_sim.kernels import box_counting

ENTRIES = {name: gallery.get(name) for name in gallery.NAMES}
SIMILAR = [name for name in gallery.NAMES if name not in ("barnsley_fern", "bedford_mcmullen")]
KNOWN = [name for name in gallery.NAMES if ENTRIES[name].dimension is not None]
EXACT = [name for name in gallery.NAMES if ENTRIES[name].boxes is not None]
FIBONACCI = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765]


@pytest.fixture(scope="module")
def clouds() -> Any:
    return {name: ENTRIES[name].ifs.attractor(1_000_000) for name in KNOWN}


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        ("cantor", math.log(2) / math.log(3)),
        ("cantor_dust", math.log(4) / math.log(3)),
        ("sierpinski", math.log(3) / math.log(2)),
        ("sierpinski_right", math.log(3) / math.log(2)),
        ("carpet", math.log(8) / math.log(3)),
        ("menger", math.log(20) / math.log(3)),
        ("vicsek", math.log(5) / math.log(3)),
        ("koch", math.log(4) / math.log(3)),
        ("golden", math.log2((1 + math.sqrt(5)) / 2)),
        ("tetrahedron", 2.0),
        ("dragon", 2.0),
        ("levy", 2.0),
    ],
)
def test_similarity_sets_have_their_trusted_dimension(name: str, dimension: float) -> None:
    entry = gallery.get(name)
    assert entry.dimension == pytest.approx(dimension, rel=1e-15)
    assert entry.hausdorff == entry.dimension
    assert entry.bounds == (entry.dimension, entry.dimension)
    assert entry.ifs.similarity_dimension().value == pytest.approx(dimension, rel=1e-15)
    assert entry.ifs.affinity_dimension().value == pytest.approx(dimension, rel=1e-13)
    ratios = np.linalg.norm(entry.ifs.matrices, 2, axis=(1, 2))
    assert entry.ifs.probabilities == pytest.approx(ratios**dimension, rel=1e-13)
    if entry.ratio is not None:
        levels = -np.log(ratios) / math.log(entry.ratio) * (2 if name in ("dragon", "levy") else 1)
        assert levels == pytest.approx(np.round(levels), abs=1e-13)


def test_the_overlapping_set_is_smaller_than_its_similarity_dimension() -> None:
    entry = gallery.overlapping()
    assert entry.dimension == pytest.approx(0.8760357589718848, rel=1e-15)
    assert entry.ifs.similarity_dimension().value == pytest.approx(1, rel=1e-15)
    assert entry.open_set is False


def test_carpets_of_rectangles_have_bedfords_and_mcmullens_dimensions() -> None:
    example = gallery.bedford_mcmullen()
    assert example.hausdorff == pytest.approx(math.log2(1 + 2 ** (math.log(2) / math.log(3))), rel=1e-14)
    assert example.dimension == pytest.approx(1 + math.log(1.5) / math.log(3), rel=1e-14)
    assert example.ifs.affinity_dimension().value == pytest.approx(example.dimension, rel=1e-13)
    even = gallery.bedford_mcmullen(4, 2, [(0, 0), (3, 0), (1, 1), (2, 1)])
    assert even.hausdorff == pytest.approx(even.dimension, rel=1e-14)
    row = gallery.bedford_mcmullen(3, 2, [(0, 0), (2, 0)])  # Cantor's set: the affinity dimension is 1
    assert row.dimension == pytest.approx(math.log(2) / math.log(3), rel=1e-14)
    assert row.ifs.affinity_dimension().value == pytest.approx(1, rel=1e-13)


@given(data=st.data(), rows=st.integers(2, 4), more=st.integers(1, 3))
def test_hausdorff_box_and_affinity_dimensions_are_in_this_order(data: Any, rows: int, more: int) -> None:
    columns = rows + more
    cells = st.tuples(st.integers(0, columns - 1), st.integers(0, rows - 1))
    digits = data.draw(st.lists(cells, min_size=2, max_size=columns * rows, unique=True))
    entry = gallery.bedford_mcmullen(columns, rows, digits)
    affinity = min(2.0, entry.ifs.affinity_dimension().value)
    assert entry.hausdorff <= entry.dimension * (1 + 1e-14) <= affinity * (1 + 1e-12)


def test_the_fern_has_bounds_only() -> None:
    """Its images' hulls are connected: f_1 and f_4, f_2 and f_3 share a point, the hulls of f_2 and f_4 an open set."""
    entry = gallery.barnsley_fern()
    assert entry.dimension is None
    assert entry.hausdorff is None
    A, b = entry.ifs.matrices, entry.ifs.offsets
    root, (stem, top) = np.zeros(2), A[0] @ entry.ifs.bounding_box()[1] + b[0]
    assert (A[0] @ root + b[0]).tolist() == [0, 0]
    assert stem == 0
    assert 0 < (A[3] @ root + b[3])[1] < top - 0.1
    assert (A[1] @ root + b[1]).tolist() == (A[2] @ root + b[2]).tolist()
    # three points of f_2's image around one of f_4's, with room to spare
    points = entry.ifs.attractor(20_000)
    images = [points @ A[i].T + b[i] for i in (1, 3)]
    angles = np.linspace(0, 2 * math.pi, 360)
    normals = np.stack([np.cos(angles), np.sin(angles)])
    depth = ((images[0] @ normals).max(axis=0) - images[1] @ normals).min(axis=1)
    assert depth.max() > 0.02
    low, high = entry.ifs.affinity_dimension().interval
    assert entry.bounds[0] == 1
    assert low < high < entry.bounds[1] + 1e-4 < high + 2e-4


@pytest.mark.parametrize("name", EXACT)
def test_grids_of_the_own_ratio_are_met_in_powers_exactly(name: str) -> None:
    """Sixteen points of the set after as many steps as make k levels: some of each piece, inside of its box."""
    entry = ENTRIES[name]
    k = int(math.log(5000) / math.log(entry.boxes))
    steps = round(k * math.log(entry.boxes) / math.log(len(entry.ifs.offsets)))
    points = entry.aligned(entry.ifs.deterministic(entry.ifs.attractor(16), steps))
    corner, side = np.array(entry.cube.corner), entry.cube.side
    counts = box_counting.compute(points, corner[None], side, levels=k, ratio=entry.ratio)[0]
    assert counts.tolist() == [entry.boxes**j for j in range(k + 1)]


def test_carpets_of_squared_columns_are_met_in_powers_too() -> None:
    """Boxes of side 4^-k: k letters, and k more of which the row alone counts."""
    entry = gallery.bedford_mcmullen(4, 2, [(0, 0), (2, 0), (3, 1)])
    points = entry.ifs.deterministic(np.full((1, 2), 0.5), 8)
    counts = box_counting.compute(points, np.zeros((1, 2)), 1.0, levels=4, ratio=4)[0]
    assert entry.boxes == 6
    assert counts.tolist() == [6**k for k in range(5)]
    assert math.log(6) / math.log(4) == pytest.approx(entry.dimension, rel=1e-14)


@pytest.mark.parametrize(("name", "steps"), [("golden", 1), ("overlapping", 2)])
def test_the_golden_ratios_sets_are_met_in_fibonacci_numbers(name: str, steps: int) -> None:
    entry = ENTRIES[name]
    found = entry.ifs.attractor(300_000)
    corner = np.array([entry.cube.corner])
    counts = box_counting.compute(found, corner, entry.cube.side, levels=8, ratio=entry.ratio)[0]
    assert counts.tolist() == FIBONACCI[1 : 1 + 9 * steps : steps]


# widths of the intervals at 1e6 points, boxes where they fall: how much the numbers leave open; most of five seeds
WIDTHS = {
    "bedford_mcmullen": 0.26, "cantor": 0.05, "cantor_dust": 0.22, "carpet": 0.18, "dragon": 0.31, "golden": 0.08,
    "koch": 0.10, "levy": 0.37, "menger": 0.40, "overlapping": 0.10, "sierpinski": 0.11, "sierpinski_right": 0.28,
    "tetrahedron": 0.46, "vicsek": 0.17,
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_the_interval_of_box_counting_holds_the_exact_dimension(name: str, clouds: Any) -> None:
    found = box_counting_dimension(clouds[name])
    assert found.interval[0] <= ENTRIES[name].dimension <= found.interval[1]
    assert found.interval[1] - found.interval[0] <= WIDTHS[name]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", KNOWN)
def test_so_does_that_of_fewer_points_of_a_turned_set(name: str, seed: int) -> None:
    """Other points, other grids, and edges askew to them."""
    entry, rng = ENTRIES[name], np.random.default_rng(seed)
    frame = np.linalg.qr(rng.standard_normal((entry.ifs.dim, entry.ifs.dim)))[0]
    found = box_counting_dimension(entry.ifs.attractor(100_000, rng=rng) @ frame, rng=rng)
    assert found.interval[0] <= entry.dimension <= found.interval[1]


@pytest.mark.parametrize("name", SIMILAR)
def test_at_the_own_ratio_and_with_boxes_that_fit_the_interval_is_narrow(name: str, clouds: Any) -> None:
    entry = ENTRIES[name]
    found = box_counting_dimension(entry.aligned(clouds[name]), ratio=entry.ratio, cube=entry.cube)
    assert found.interval[0] - 1e-12 <= entry.dimension <= found.interval[1] + 1e-12
    assert found.interval[1] - found.interval[0] <= 0.05


def test_names_that_are_not_there_and_bad_carpets_are_refused() -> None:
    with pytest.raises(ValueError, match="near it are: cantor"):
        gallery.get("cantr")
    for arguments in ((2, 2, [(0, 0), (1, 1)]), (3, 1, [(0, 0), (1, 0)]), (3, 2, [(0, 0)]), (3, 2, [(0, 0), (0, 0)])):
        with pytest.raises(ValueError, match=r"rows|digits"):
            gallery.bedford_mcmullen(*arguments)
    with pytest.raises(ValueError, match="digits"):
        gallery.bedford_mcmullen(3, 2, [(0, 0), (3, 0)])
