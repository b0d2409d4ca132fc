"""The chaos game: numbers with known answers, the law by hand; backends, threads and pieces agree in every bit."""

from __future__ import annotations

import math
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import get_num_threads, set_num_threads

from pifs_sim.kernels import chaos_game
from pifs_sim.kernels.chaos_game import Grid, Maps, cpu
from pifs_sim.kernels.chaos_game.alphabet import choices, columns, letters, spell, word_maps
from pifs_sim.kernels.chaos_game.stream import block, draws

TURN = np.array([[0.6, -0.8], [0.8, 0.6]])


def maps_of(A: Any, b: Any, cuts: Any, start: Any = None, dtype: Any = np.float64) -> Maps:
    A, b = np.asarray(A, dtype), np.asarray(b, dtype)
    start = np.zeros(b.shape[1]) if start is None else start
    return Maps(A, b, np.asarray(cuts, np.uint32), np.asarray(start, dtype))


def random_maps(seed: int, count: int, d: int, dtype: Any = np.float64) -> Maps:
    """Maps of norm 0.7 at most, with uneven probabilities."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((count, d, d))
    A *= 0.7 / np.maximum(np.linalg.norm(A, 2, axis=(1, 2)), 0.7)[:, None, None]
    cuts = np.sort(rng.integers(1, 2**32, count - 1))
    return maps_of(A, rng.standard_normal((count, d)), cuts, rng.standard_normal(d), dtype)


def grid_of(d: int, bins: tuple[int, ...], side: float = 3.0) -> Grid:
    return Grid(np.full(d, -side / 2), np.linspace(side / 2, side, d), bins)


FERN = maps_of(
    [[[0, 0], [0, 0.16]], [[0.85, 0.04], [-0.04, 0.85]], [[0.2, -0.26], [0.23, 0.22]], [[-0.15, 0.28], [0.26, 0.24]]],
    [[0, 0], [0, 1.6], [0, 1.6], [0, 0.44]],
    np.array([0.01, 0.86, 0.93]) * 2**32,
)


@pytest.mark.parametrize(
    ("counter", "seed", "answer"),
    [
        ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**32 - 1,) * 4, 2**64 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            0x299F31D0A4093822,
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_its_authors(counter: Any, seed: int, answer: Any) -> None:
    assert tuple(int(word) for word in block(tuple(np.array(c, np.uint64) for c in counter), seed)) == answer


@pytest.mark.parametrize("each", [2, 4])
def test_a_draw_is_that_of_its_seed_and_orbit_and_number_alone(each: int) -> None:
    orbits = np.array([5, 2**32 + 7, 2**40 - 1], np.uint64)
    drawn = draws(9, 3, 6, orbits, each=each)
    for i, number in enumerate(range(3, 9)):
        for j, orbit in enumerate(orbits.tolist()):
            counter = tuple(np.array(c, np.uint64) for c in (number // each, orbit % 2**32, orbit >> 32, 0))
            four = [int(word) for word in block(counter, 9)]
            low, high = four[2 * (number % 2) :][:2] if each == 2 else (0, four[number % 4])
            assert int(drawn[i, j]) == low + 2**32 * high


@pytest.mark.parametrize(("count", "k"), [(1, 4), (4, 4), (5, 2), (16, 2), (17, 1)])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_points_are_what_the_law_says_one_by_one(backend: Any, count: int, k: int) -> None:
    """Three orbits, by hand, in rationals that float64 holds: products of maps are then exact."""
    rng = np.random.default_rng(count)
    maps = maps_of(rng.integers(-8, 9, (count, 2, 2)) / 16, rng.integers(-8, 9, (count, 2)) / 16,
                   np.sort(rng.integers(1, 2**32, count - 1)), (0.3, 0.7))  # fmt: skip
    seed, orbits, transient, n = 77, 3, 5, 20
    found = chaos_game.compute(maps, n, seed=seed, orbits=orbits, transient=transient, backend=backend)
    assert letters(count) == k
    for o in range(orbits):
        i = choices(maps.cuts, seed, 0, 12, np.array([o], np.uint64))[:, 0]
        x = maps.start
        for step in range(12):
            if step % k == 0:
                A, b, before = np.eye(2), np.zeros(2), x
            A, b = maps.matrices[i[step]] @ A, maps.matrices[i[step]] @ b + maps.offsets[i[step]]
            x = np.array([(A[r, 0] * before[0] + A[r, 1] * before[1]) + b[r] for r in range(2)])
            p = (step - transient) * orbits + o
            if 0 <= p < n:
                assert np.array_equal(found[p], x)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40))
def test_words_are_drawn_with_the_product_of_their_maps_probabilities(edges: list[int]) -> None:
    """Exact counts of the 2^64 numbers, in integers; draws of 32 bits are every 2^32-th of them."""
    cuts = np.array(sorted(edges), np.uint32)
    shares = np.diff([0, *sorted(edges), 2**32]).tolist()
    keep, pair, bits, each = columns(cuts)
    drawn = [0] * len(shares) ** letters(len(shares))
    for (own, other), stay in zip(pair.tolist(), keep.tolist(), strict=True):
        for word, count in ((own, stay), (other, 2 ** (64 - bits) - stay)):
            if count:
                drawn[word] += count
    assert sum(drawn) == 2**64
    lot = 1 if each == 2 else 2**32
    assert all(count % lot == 0 for count in drawn)
    for word, count in zip(spell(len(shares)), drawn, strict=True):
        assert abs(count * 2 ** (32 * len(word)) - 2**64 * math.prod(shares[i] for i in word)) < lot * 2 ** (
            32 * len(word)
        )


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_a_draw_keeps_its_column_below_the_threshold_and_leaves_it_from_there_on(seed: int, draw: int) -> None:
    chosen = columns(random_maps(seed, 3, 1).cuts)
    t = draw >> (64 - chosen.bits)
    own, other = chosen.pair[t].tolist()
    keep, size = int(chosen.keep[t]), 2 ** (64 - chosen.bits)
    for rest, word in ((0, own), (keep - 1, own), (keep, other), (size - 1, other)):
        if 0 <= rest < size and (word == own) == (rest < keep):
            assert chosen.words(np.array([t * size + rest], np.uint64)).tolist() == [word]


@given(seed=st.integers(0, 2**32), d=st.integers(1, 4), count=st.integers(1, 17))
def test_a_words_maps_are_the_products_of_its_letters(seed: int, d: int, count: int) -> None:
    """To 4 k roundings of products of norm at most 0.7."""
    maps = random_maps(seed, count, d)
    A, b = word_maps(maps.matrices, maps.offsets)
    for v, word in enumerate(spell(count)):
        matrix, offset = np.eye(d), np.zeros(d)
        for j, i in enumerate(word):
            matrix, offset = maps.matrices[i] @ matrix, maps.matrices[i] @ offset + maps.offsets[i]
            assert np.abs(A[v, j] - matrix).max() < 1e-14
            assert np.abs(b[v, j] - offset).max() < 1e-14 * (1 + np.abs(maps.offsets).max())


KINDS = [(np.float64, d, count) for d, count in ((1, 7), (2, 1), (2, 3), (2, 6), (2, 20), (3, 4), (4, 3))]


@given(
    kind=st.sampled_from([*KINDS, (np.float32, 2, 4), (np.float32, 2, 9)]),
    n=st.integers(0, 3000),
    orbits=st.integers(1, 700),
    transient=st.integers(0, 9),
    seed=st.integers(0, 2**64 - 1),
)
def test_the_backends_agree_in_every_bit(kind: Any, n: int, orbits: int, transient: int, seed: int) -> None:
    """With words of one, two and four maps; each kind is a kernel to compile."""
    dtype, d, count = kind
    maps = random_maps(seed, count, d, dtype)
    span = (seed % orbits, orbits - seed // orbits % (orbits - seed % orbits))
    options: dict[str, Any] = {"seed": seed, "orbits": orbits, "transient": transient, "span": span}
    points = chaos_game.compute(maps, n, backend="reference", **options)
    assert points.dtype == dtype
    assert np.array_equal(chaos_game.compute(maps, n, **options), points)
    if d <= 3:
        for inside, side in ((False, 3.0), (False, 400.0), (True, 400.0)):
            grid = grid_of(d, (70, 50, 9)[:d], side)
            counts = chaos_game.compute(maps, n, grid=grid, inside=inside, backend="reference", **options)
            assert np.array_equal(chaos_game.compute(maps, n, grid=grid, inside=inside, **options), counts)
            assert counts.sum() == len(points) if side > 3 else counts.sum() <= len(points)


@pytest.mark.parametrize("count", [16, 17, 300])
def test_many_maps_are_played_as_the_law_says(count: int) -> None:
    maps = random_maps(3, count, 1)
    options: dict[str, Any] = {"seed": 1, "orbits": 200, "transient": 0}
    points = chaos_game.compute(maps, 2000, backend="reference", **options)
    assert np.array_equal(chaos_game.compute(maps, 2000, **options), points)
    assert len(np.unique(points)) > 1000


def test_more_points_than_a_count_of_32_bits_holds_are_counted_in_parts(monkeypatch: Any) -> None:
    options: dict[str, Any] = {"seed": 1, "orbits": 301, "transient": 3, "grid": grid_of(2, (7, 5), 400.0)}
    counts = chaos_game.compute(FERN, 5000, **options)
    monkeypatch.setattr(cpu, "_MOST_COUNT", 700)
    with mock.patch.object(cpu, "_counted", wraps=cpu._counted) as counted:
        assert np.array_equal(chaos_game.compute(FERN, 5000, **options), counts)
    assert counted.call_count >= 8


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_boxes_begin_at_their_face_the_last_holds_both_and_what_is_outside_is_not_counted(backend: Any) -> None:
    """Seven constant maps, whose images lie on faces."""
    places = [-0.25, 0.0, 0.25, np.nextafter(0.5, 0), 0.5, 1.0, 1.25]
    maps = maps_of(np.zeros((7, 1, 1)), np.array(places)[:, None], np.arange(1, 7) * (2**32 // 7))
    options: dict[str, Any] = {"seed": 4, "orbits": 10, "transient": 0, "backend": backend}
    points = chaos_game.compute(maps, 5000, **options)[:, 0]
    counts = chaos_game.compute(maps, 5000, grid=Grid(np.zeros(1), np.ones(1), (4,)), **options)
    number = [int((points == place).sum()) for place in places]
    assert counts.tolist() == [number[1], number[2] + number[3], number[4], number[5]]
    assert min(number) > 500


@given(seed=st.integers(0, 2**64 - 1), cut=st.integers(0, 900))
def test_pieces_add_up_to_the_whole(seed: int, cut: int) -> None:
    options: dict[str, Any] = {"seed": seed, "orbits": 900, "transient": 3}
    grid = Grid(np.array([-3.0, 0.0]), np.array([3.0, 10.0]), (20, 30))
    whole = chaos_game.compute(FERN, 10_000, grid=grid, **options)
    parts = [chaos_game.compute(FERN, 10_000, grid=grid, span=s, **options) for s in ((0, cut), (cut, 900))]
    assert np.array_equal(sum(parts), whole)
    assert whole.sum() == 10_000


def test_the_number_of_threads_changes_nothing() -> None:
    options: dict[str, Any] = {"seed": 8, "orbits": 1500, "transient": 11}
    grid = Grid(np.array([-3.0, 0.0]), np.array([3.0, 10.0]), (64, 64))
    threads, found = get_num_threads(), []
    try:
        for count in (1, threads):
            set_num_threads(count)
            found.append(
                (
                    chaos_game.compute(FERN, 40_000, grid=grid, **options),
                    chaos_game.compute(FERN, 40_000, **options),
                )
            )
    finally:
        set_num_threads(threads)
    assert all(np.array_equal(a, b) for a, b in zip(found[0], found[-1], strict=True))


def test_counts_are_those_of_the_points() -> None:
    options: dict[str, Any] = {"seed": 2, "orbits": 300, "transient": 40}
    points = chaos_game.compute(FERN, 100_000, **options)
    low, high, bins = np.array([-1.0, 2.0]), np.array([1.5, 9.0]), (50, 80)
    q = (points - low) * (np.array(bins) / (high - low))
    q = q[((q >= 0) & (q <= bins)).all(axis=1)]
    expected = np.zeros(bins, int)
    np.add.at(expected, tuple(np.minimum(np.floor(q), np.array(bins) - 1).astype(int).T), 1)
    assert np.array_equal(chaos_game.compute(FERN, 100_000, grid=Grid(low, high, bins), **options), expected)
    assert 10_000 < expected.sum() < 99_000


def test_maps_are_drawn_with_their_probabilities_and_independently_in_time_and_across_orbits() -> None:
    """Chi-squared of single draws, and of pairs of neighbours in time and of neighbouring orbits; 5 sigma."""
    p = np.array([0.01, 0.85, 0.07, 0.07])
    drawn = choices(FERN.cuts, 12345, 0, 1000, np.arange(1000, dtype=np.uint64))
    single = np.bincount(drawn.ravel(), minlength=4)
    pairs = [np.bincount((4 * first + second).ravel(), minlength=16)
             for first, second in ((drawn[1:], drawn[:-1]), (drawn[:, 1:], drawn[:, :-1]))]  # fmt: skip
    for counts, chances in ((single, p), *((pair, np.outer(p, p).ravel()) for pair in pairs)):
        expected = counts.sum() * chances
        chi, freedom = ((counts - expected) ** 2 / expected).sum(), len(chances) - 1
        assert abs(chi - freedom) < 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"n": -1}, "n"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"orbits": 0}, "orbits"),
        ({"transient": -1}, "transient"),
        ({"span": (2, 1)}, "span"),
        ({"span": (0, 11)}, "span"),
        ({"n": 2**40, "orbits": 1}, "steps of an orbit"),
        ({"backend": "cuda"}, "backend"),
        ({"grid": Grid(np.zeros(1), np.ones(1), (4,))}, "grid"),
        ({"grid": Grid(np.zeros(2), np.ones(2), (4, 0))}, "bins"),
        ({"grid": Grid(np.zeros(2), np.ones(2), (2**16, 2**16))}, "bins"),
        ({"grid": Grid(np.zeros(2), np.array([1.0, 0.0]), (4, 4))}, "grid"),
        ({"grid": Grid(np.zeros(2), np.array([1.0, np.nan]), (4, 4))}, "grid"),
        ({"maps": FERN._replace(offsets=np.zeros((3, 2)))}, "offsets"),
        ({"maps": FERN._replace(offsets=np.zeros((4, 2), np.float32))}, "float32"),
        ({"maps": FERN._replace(cuts=FERN.cuts[::-1])}, "cuts"),
        ({"maps": FERN._replace(cuts=np.zeros(4, np.uint32))}, "cuts"),
        ({"maps": FERN._replace(start=[0.0, 0.0])}, "NumPy"),
    ],
)
def test_bad_arguments_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    options: dict[str, Any] = {"maps": FERN, "n": 10, "seed": 1, "orbits": 10, "transient": 0} | changes
    with pytest.raises(ValueError, match=named):
        chaos_game.compute(**options)
