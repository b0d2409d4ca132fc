"""Slacks at points where they are known in closed form, and what is no point of the claim."""

import math

import numpy as np
import pytest

from pifs_sim.diffusion import geometry
from theory.slacks import INEQUALITIES, _between

SWAP = np.array([[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]])
SQUARE = [0.0, 0.0, 1.0, 0.0, 3.0, 0.0, 4.0, 0.0]


def maps(factor: float) -> np.ndarray:
    """x -> factor x and x -> factor x + (1, 0), with two pairs of points three apart along the first axis."""
    return np.array([*(factor * np.eye(2)).ravel()] * 2 + [0.0, 0.0, 1.0, 0.0, *SQUARE])


def carpet(*cells: tuple[int, int]) -> np.ndarray:
    """Six choices among 27 cells (column, row), the last one repeated."""
    numbers = [3 * column + row for column, row in cells]
    return np.array((numbers + numbers[-1:] * 6)[:6]) + 0.5


@pytest.mark.parametrize(
    ("label", "point", "slack"),
    [
        ("ec-versus-pc", 0.5 * SWAP.ravel(), 0.0),
        ("ec-versus-pc", 0.5 * np.eye(4).ravel(), 0.0),
        ("patch-contraction", 0.5 * SWAP.ravel(), 0.0),
        ("patch-contraction", 0.5 * np.eye(4).ravel(), 0.0),
        ("affinity-dimension", carpet((0, 0), (0, 1), (4, 2)), 0.0),  # ln 3/ln 3, one cell in each row
        ("affinity-dimension", carpet(*((column, 0) for column in range(6))), 0.5),  # 1 + ln 2/ln 9 - ln 6/ln 9
    ],
)
def test_the_slack_is_that_of_the_closed_form(label: str, point: np.ndarray, slack: float) -> None:
    assert INEQUALITIES[label].slack(point) == pytest.approx(slack, abs=1e-12)


def test_sets_that_shrink_by_the_factor_have_no_slack() -> None:
    assert INEQUALITIES["hutchinson"].slack(maps(0.5)) == pytest.approx(1 - hausdorff_ratio(0.5), abs=1e-12)


def hausdorff_ratio(s: float) -> float:
    """h(WA, WB)/(s h(A, B)) of A = {0, 1}, B = {3, 4} under x -> s x, s x + 1: by hand, on the line."""
    A, B = (np.array([s * p + c for p in points for c in (0.0, 1.0)]) for points in ((0.0, 1.0), (3.0, 4.0)))
    apart = np.abs(A[:, None] - B)
    return float(max(apart.min(axis=0).max(), apart.min(axis=1).max()) / (s * 3.0))


@pytest.mark.parametrize(
    ("label", "point"),
    [
        ("hutchinson", maps(0.04)),
        ("hutchinson", maps(1.0)),
        ("hutchinson", np.array([*maps(0.5)[:12], *SQUARE[:4], *SQUARE[:4]])),
        ("ec-versus-pc", 0.04 * np.eye(4).ravel()),
        ("patch-contraction", 0.04 * np.eye(4).ravel()),
        ("affinity-dimension", carpet((0, 0))),
    ],
)
def test_what_shrinks_to_nothing_or_does_not_shrink_is_no_point(label: str, point: np.ndarray) -> None:
    assert math.isnan(INEQUALITIES[label].slack(point))


def test_a_chain_without_a_root_is_no_point() -> None:
    """Two equal steps to 0.95 of the way to pi/2 have a root; pushed to pi/2 they have none."""
    slack = INEQUALITIES["moran-above-one"].slack
    point = np.array([0.0, 1.0, 1.0, 1.0])
    assert not math.isfinite(geometry.moran_threshold(_between(0.0, math.pi / 2, point[2:])))
    assert math.isnan(slack(point))
    assert slack(np.array([0.0, 0.9, 1.0, 1.0])) >= 0
