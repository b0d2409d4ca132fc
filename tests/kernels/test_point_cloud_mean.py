"""Means of point clouds: the reference against 80 digits, backends against it, ties, limits, bits, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import PointCloud
from pifs_sim.kernels import point_cloud_mean
from pifs_sim.kernels.point_cloud_mean import Cloud, Level
from tests.diffusion.mixture_oracle import ExactMixture
from tests.kernels.clouds import HALF_PI, SEEDS, draw_cloud, draw_level, draw_points, level_of, size, slack

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
BACKENDS = pytest.mark.parametrize("backend", ["reference", "cpu"])


@given(seed=SEEDS, count=st.integers(1, 4), d=st.integers(1, 3), angle=st.sampled_from([HALF_PI, 1.2, 0.3, 1e-3]))
def test_the_reference_is_bayes_rule(seed: int, count: int, d: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    cloud, level = draw_cloud(rng, count, d), level_of(angle)
    x = draw_points(rng, cloud, level, 4)
    noised = ExactMixture(cloud.weights, cloud.points, np.zeros(cloud.points.shape)).at(angle)
    with mp.workdps(noised.digits):
        exact = np.array([[float(a) for a in noised._mean([mpf(float(a)) for a in point])] for point in x])
    found = point_cloud_mean.compute(cloud, level, x, backend="reference")
    assert (np.abs(found.mean - exact).max(axis=1) <= slack(cloud, level, x) * size(cloud)).all()


@DTYPES
@given(seed=SEEDS, count=st.integers(1, 400), d=st.sampled_from([1, 2, 3, 7, 30, 140]), batch=st.integers(0, 40))
def test_means_are_those_of_the_reference(dtype: Any, seed: int, count: int, d: int, batch: int) -> None:
    rng = np.random.default_rng(seed)
    cloud, level = draw_cloud(rng, count, d, dtype), draw_level(rng, batch)
    x = draw_points(rng, cloud, level, batch)
    found = point_cloud_mean.compute(cloud, level, x)
    wide = Cloud(cloud.points.astype(float), cloud.weights), level, x.astype(float)
    law = point_cloud_mean.compute(*wide, backend="reference")
    allowed = slack(cloud, level, x)
    assert found.mean.dtype == dtype
    assert found.mean.shape == x.shape
    assert (np.abs(found.mean - law.mean) <= allowed[:, None] * size(cloud)).all()
    assert (np.abs(found.logs - law.logs) <= allowed).all()
    same = point_cloud_mean.compute(cloud, level, x, backend="reference")
    assert same.mean.dtype == dtype
    assert np.array_equal(same.mean, law.mean.astype(dtype))


@DTYPES
@BACKENDS
@pytest.mark.parametrize("d", [1, 3, 20])
def test_two_opposite_points_have_the_mean_of_a_hyperbolic_tangent(dtype: Any, backend: Any, d: int) -> None:
    """x_hat = a tanh(c <x, a>/v)."""
    a, level = np.ones(d), level_of([0.2])
    x = (0.03 * np.linspace(-1, 1, 30)[:, None] * a).astype(dtype)
    found = point_cloud_mean.compute(Cloud(np.stack([a, -a]).astype(dtype), np.full(2, 0.5)), level, x, backend=backend)
    slope = level.cos[0] * d / level.sin[0] ** 2
    assert found.mean == pytest.approx(np.tanh(slope * x[:, :1]) * a, abs=50 * np.finfo(dtype).eps * (1 + slope))


@DTYPES
@BACKENDS
def test_of_points_at_almost_the_same_distance_the_nearer_one_wins(dtype: Any, backend: Any) -> None:
    """At sigma = 0.002 expanded squares in float32 do not tell the points apart; the error of shares is that of d."""
    rng, angle = np.random.default_rng(0), math.atan(0.002)
    for d in (2, 16, 192):
        y = rng.standard_normal((300, d)).astype(dtype)
        y[1::2] = y[::2] + (0.02 / math.sqrt(d) * rng.standard_normal((150, d))).astype(dtype)
        weight = np.linspace(0.45, 0.55, 40)[:, None]
        x = (math.cos(angle) * (weight * y[:80:2] + (1 - weight) * y[1:80:2])).astype(dtype)
        level, cloud = level_of(angle), Cloud(y, np.full(300, 1 / 300))
        squares = ((x[:, None].astype(float) - level.cos[0] * y.astype(float)) ** 2).sum(axis=2)
        powers = np.exp((squares.min(axis=1, keepdims=True) - squares) / (2 * level.sin[0] ** 2))
        expected = powers @ y.astype(float) / powers.sum(axis=1, keepdims=True)
        found = point_cloud_mean.compute(cloud, level, x, backend=backend)
        assert np.abs(found.mean - expected).max() <= max(4 * np.finfo(dtype).eps, 1e-10) * np.abs(y).max()


@DTYPES
@BACKENDS
def test_at_angle_0_the_nearest_points_share_as_in_the_limit(dtype: Any, backend: Any) -> None:
    """Of one point all, of the corners of a square by w exp(-<x - y, y>/2); beside other angles in one batch."""
    y = np.array([[1, 0], [2, 1], [3, 2], [2, -1], [9, 9]], dtype)
    x, angles = np.array([[1, 1], [1, 0], [8, 8], [2, 2], [1, 1]], dtype), np.array([0, 0, 0, 0, 0.7])
    law, w = PointCloud(y, np.array([0.4, 0.2, 0.2, 0.1, 0.1], dtype)), np.array([0.4, 0.2, 0.2, 0.1, 0.1])
    found = point_cloud_mean.compute(Cloud(y, w), level_of(angles), x, backend=backend)
    tied = np.array([0.4 * math.exp(0.0), 0.2 * math.exp(1.0)])
    assert found.mean[0] == pytest.approx((tied / tied.sum()) @ y[:2], rel=4 * float(np.finfo(dtype).eps))
    assert np.array_equal(found.mean[1:3], y[[0, 4]])
    assert found.logs[:3] == pytest.approx([-np.inf, math.log(0.4), -np.inf])
    assert found.mean == pytest.approx(exact_denoiser(law).posterior_mean(x, angles), rel=1e-6)
    alone = point_cloud_mean.compute(Cloud(y, w), level_of(angles[4:]), x[4:], backend=backend)
    assert np.array_equal(found.mean[4:], alone.mean)
    assert point_cloud_mean.compute(Cloud(y, w), level_of(0.0), x, backend=backend).mean[:4] == pytest.approx(
        found.mean[:4]
    )


@BACKENDS
@pytest.mark.parametrize("angle", [1e-90, 1e-30, 1e-8, 0.3, HALF_PI])
def test_one_point_is_returned_exactly(backend: Any, angle: float) -> None:
    cloud, x = Cloud(np.array([[0.1, -3.7, 1e9]]), np.ones(1)), np.random.default_rng(1).standard_normal((30, 3))
    found = point_cloud_mean.compute(cloud, level_of(angle), x, backend=backend)
    assert np.array_equal(found.mean, np.broadcast_to(cloud.points, x.shape))


@DTYPES
@BACKENDS
def test_the_least_angle_overflows_nothing(dtype: Any, backend: Any) -> None:
    """|x - y|^2/(2 v) is 1e200 and more there."""
    y, level = np.array([[1.0, 2.0], [-1.0, 0.5], [30.0, -7.0]], dtype), Level(np.ones(1), np.full(1, 1e-100))
    found = point_cloud_mean.compute(Cloud(y, np.full(3, 1 / 3)), level, y + dtype(0.25), backend=backend)
    assert np.array_equal(found.mean, y)


@BACKENDS
def test_points_without_weight_do_not_count_and_equal_ones_share(backend: Any) -> None:
    rng, level = np.random.default_rng(2), level_of(0.8)
    y, x = rng.standard_normal((9, 5)), rng.standard_normal((20, 5))
    w = rng.dirichlet(np.ones(9))
    found = point_cloud_mean.compute(Cloud(y, w), level, x, backend=backend)
    twice = Cloud(np.concatenate([y, y, x[:4]]), np.concatenate([0.25 * w, 0.75 * w, np.zeros(4)]))
    assert point_cloud_mean.compute(twice, level, x, backend=backend).mean == pytest.approx(found.mean, rel=1e-13)


@DTYPES
@pytest.mark.parametrize("d", [2, 40])
@pytest.mark.parametrize("angle", [0.01, 0.6])
def test_results_depend_neither_on_threads_nor_on_other_samples(dtype: Any, d: int, angle: float) -> None:
    """Not in any bit; arrays that are not contiguous are as good."""
    rng = np.random.default_rng(3)
    cloud, angles = (
        Cloud(rng.standard_normal((700, d)).astype(dtype), rng.dirichlet(np.ones(700))),
        angle * rng.random(90),
    )
    level, x = level_of(angles), rng.standard_normal((90, d)).astype(dtype)
    whole = point_cloud_mean.compute(cloud, level, x, threads=1)
    for threads in (2, 5, None):
        again = point_cloud_mean.compute(cloud, level, x, threads=threads)
        assert all(np.array_equal(a, b) for a, b in zip(again, whole, strict=True))
    turned = Cloud(np.asfortranarray(cloud.points), cloud.weights)
    some = point_cloud_mean.compute(turned, level_of(angles[5:60:3]), np.asfortranarray(x)[5:60:3])
    assert all(np.array_equal(a, b[5:60:3]) for a, b in zip(some, whole, strict=True))


@DTYPES
def test_points_may_be_prepared_a_few_at_a_time(dtype: Any) -> None:
    rng, level = np.random.default_rng(4), level_of(0.9)
    cloud = Cloud(rng.standard_normal((1500, 6)).astype(dtype), rng.dirichlet(np.ones(1500)))
    x = rng.standard_normal((30, 6)).astype(dtype)
    whole = point_cloud_mean.compute(cloud, level, x)
    parts = point_cloud_mean.compute(cloud, level, x, max_memory=1)
    rounding = 50 * float(np.finfo(dtype).eps)
    assert parts.mean == pytest.approx(whole.mean, abs=rounding)
    assert parts.logs == pytest.approx(whole.logs, abs=10 * rounding)


def test_every_output_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    cloud, x = draw_cloud(rng, 50, 5), rng.standard_normal((33, 5))
    angles = np.where(np.arange(33) % 4 == 0, 0.0, 0.5)
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, np.nan, dtype))
    monkeypatch.setattr(np, "empty_like", lambda x, dtype=None, shape=None: np.full(
        x.shape if shape is None else shape, np.nan, dtype or x.dtype))  # fmt: skip
    found = point_cloud_mean.compute(cloud, level_of(angles), x)
    assert np.isfinite(found.mean).all()
    assert not np.isnan(found.logs).any()


@BACKENDS
@pytest.mark.parametrize("angles", [0.0, 0.5, []])
def test_no_samples_have_no_means(backend: Any, angles: Any) -> None:
    cloud = Cloud(np.ones((3, 4), np.float32), np.full(3, 1 / 3))
    found = point_cloud_mean.compute(cloud, level_of(angles), np.empty((0, 4), np.float32), backend=backend)
    assert found.mean.shape == (0, 4)
    assert found.mean.dtype == np.float32
    assert found.logs.shape == (0,)


CLOUD, LEVEL, X = Cloud(np.ones((2, 3)), np.full(2, 0.5)), level_of(0.5), np.ones((4, 3))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"x": np.ones((4, 2))}, "`x`"),
        ({"x": np.ones(3)}, "`x`"),
        ({"x": X.astype(np.float32)}, "`x` and `points` must be of one dtype, .* got float32 and float64"),
        ({"x": np.ones((4, 3), int)}, "one dtype"),
        ({"x": X * np.nan}, "`x` must be finite"),
        ({"cloud": Cloud(np.full((2, 3), np.inf), CLOUD.weights)}, "`points` must be finite"),
        ({"cloud": Cloud(np.ones((0, 3)), np.ones(0))}, "`points`"),
        ({"cloud": Cloud(CLOUD.points, np.ones(3))}, "`weights`"),
        ({"cloud": Cloud(CLOUD.points, np.array([1.0, -1.0]))}, "`weights` must be finite and not negative"),
        ({"cloud": Cloud(CLOUD.points, np.zeros(2))}, "nor all 0"),
        ({"cloud": Cloud(CLOUD.points, np.ones(2, np.float32))}, "`weights` must be of float64"),
        ({"level": Level(np.ones(3), np.zeros(3))}, "`cos` and `sin` must have shape"),
        ({"level": Level(np.ones(1), np.ones(1, np.float32))}, "`sin` must be of float64"),
        ({"level": Level(np.ones(1), -np.ones(1))}, "angles within"),
        ({"level": Level(np.ones(1), np.full(1, np.nan))}, "angles within"),
        ({"threads": 0}, "`threads`"),
        ({"max_memory": 0}, "`max_memory`"),
        ({"backend": "gpu"}, "`backend`"),
    ],
)
def test_bad_arguments_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    arguments: dict[str, Any] = {"cloud": CLOUD, "level": LEVEL, "x": X} | changes
    with pytest.raises(ValueError, match=named):
        point_cloud_mean.compute(**arguments)
