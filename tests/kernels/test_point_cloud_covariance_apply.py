"""Covariances of point clouds applied to vectors: closed forms, the operator, the reference, bits, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pifs_sim.dynamics.operators import WeightedCovariance
from pifs_sim.kernels import point_cloud_covariance_apply, point_cloud_mean
from pifs_sim.kernels.point_cloud_mean import Cloud
from pifs_sim.kernels.point_cloud_mean.reference import shares
from tests.kernels.clouds import SEEDS, draw_cloud, draw_level, draw_points, level_of, slack, spread

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
BACKENDS = pytest.mark.parametrize("backend", ["reference", "cpu"])


@given(seed=SEEDS, count=st.integers(1, 9), d=st.integers(1, 5))
def test_the_reference_is_the_operator_of_its_shares(seed: int, count: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    cloud = draw_cloud(rng, count, d)
    cloud = cloud._replace(weights=cloud.weights + 1e-30)
    level, V = draw_level(rng, 5), rng.standard_normal((5, d, 2))
    x = draw_points(rng, cloud, level, 5)
    found = point_cloud_covariance_apply.compute(cloud, level, x, V, backend="reference")
    operator = WeightedCovariance(np.zeros(5), np.ones(5), shares(cloud, level, x)[0], cloud.points)
    assert np.abs(found - operator @ V).max() <= 1e-14 * (1 + spread(cloud)) * np.abs(V).sum()


@DTYPES
@given(
    seed=SEEDS,
    count=st.integers(1, 300),
    d=st.sampled_from([1, 2, 3, 7, 30, 140]),
    p=st.integers(0, 4),
    batch=st.integers(0, 30),
)
def test_products_are_those_of_the_reference(dtype: Any, seed: int, count: int, d: int, p: int, batch: int) -> None:
    rng = np.random.default_rng(seed)
    cloud, level = draw_cloud(rng, count, d, dtype), draw_level(rng, batch)
    x, V = draw_points(rng, cloud, level, batch), rng.standard_normal((batch, d, p)).astype(dtype)
    found = point_cloud_covariance_apply.compute(cloud, level, x, V)
    wide = Cloud(cloud.points.astype(float), cloud.weights), level, x.astype(float), V.astype(float)
    law = point_cloud_covariance_apply.compute(*wide, backend="reference")
    assert found.dtype == dtype
    assert found.shape == V.shape
    allowed = slack(cloud, level, x) * spread(cloud)
    assert (np.abs(found - law) <= allowed[:, None, None] * np.linalg.norm(V, axis=1)[:, None, :]).all()


@DTYPES
@BACKENDS
@pytest.mark.parametrize("d", [1, 3, 20])
def test_two_opposite_points_have_the_covariance_of_a_hyperbolic_secant(dtype: Any, backend: Any, d: int) -> None:
    """Cov V = a <a, V>/cosh^2(c <x, a>/v)."""
    a, level = np.ones(d), level_of([0.2])
    x = (0.03 * np.linspace(-1, 1, 30)[:, None] * a).astype(dtype)
    V = np.random.default_rng(0).standard_normal((30, d, 3)).astype(dtype)
    cloud = Cloud(np.stack([a, -a]).astype(dtype), np.full(2, 0.5))
    found = point_cloud_covariance_apply.compute(cloud, level, x, V, backend=backend)
    slope = level.cos[0] * d / level.sin[0] ** 2
    exact = V.sum(axis=1, keepdims=True, dtype=float) / np.cosh(slope * x[:, :1, None]) ** 2
    allowed = 50 * float(np.finfo(dtype).eps) * (1 + slope) * np.abs(V).sum(axis=1).max()
    assert np.abs(found - exact).max() <= allowed


@given(seed=SEEDS, d=st.sampled_from([2, 9]))
def test_it_is_the_derivative_of_the_mean(seed: int, d: int) -> None:
    """J x_hat = (c/v) Cov, by central differences."""
    rng, level, h = np.random.default_rng(seed), level_of(0.9), 1e-5
    cloud = Cloud(rng.standard_normal((40, d)), rng.dirichlet(np.ones(40)))
    x, V = rng.standard_normal((15, d)), rng.standard_normal((15, d))
    found = point_cloud_covariance_apply.compute(cloud, level, x, V[:, :, None])[:, :, 0]
    ends = [point_cloud_mean.compute(cloud, level, x + step * V).mean for step in (h, -h)]
    assert found * level.cos / level.sin**2 == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-7)


@BACKENDS
def test_at_angle_0_only_points_equally_near_vary(backend: Any) -> None:
    """Of two that share by 1 and e: their difference times its product, by 1/(1 + e) e/(1 + e)."""
    y, x = np.array([[1.0, 0], [2, 1], [9, 9]]), np.array([[1.0, 1], [8, 8], [1, 1]])
    cloud, V = Cloud(y, np.full(3, 1 / 3)), np.random.default_rng(1).standard_normal((3, 2, 4))
    found = point_cloud_covariance_apply.compute(cloud, level_of([0.0, 0.0, 0.8]), x, V, backend=backend)
    apart = y[1] - y[0]
    expected = np.e / (1 + np.e) ** 2 * np.outer(apart, apart @ V[0])
    assert found[0] == pytest.approx(expected, rel=1e-12)
    assert not found[1].any()
    alone = point_cloud_covariance_apply.compute(cloud, level_of(0.8), x[2:], V[2:], backend=backend)
    assert np.array_equal(found[2:], alone)
    whole = point_cloud_covariance_apply.compute(cloud, level_of(0.0), x, V, backend=backend)
    assert whole[:2] == pytest.approx(found[:2])


@DTYPES
@pytest.mark.parametrize("d", [2, 40])
@pytest.mark.parametrize("angle", [0.01, 0.6])
def test_results_depend_neither_on_threads_nor_on_other_samples(dtype: Any, d: int, angle: float) -> None:
    rng = np.random.default_rng(3)
    cloud, angles = (
        Cloud(rng.standard_normal((400, d)).astype(dtype), rng.dirichlet(np.ones(400))),
        angle * rng.random(60),
    )
    x, V = rng.standard_normal((60, d)).astype(dtype), rng.standard_normal((60, d, 3)).astype(dtype)
    whole = point_cloud_covariance_apply.compute(cloud, level_of(angles), x, V, threads=1)
    for threads in (2, 5):
        again = point_cloud_covariance_apply.compute(cloud, level_of(angles), x, V, threads=threads)
        assert np.array_equal(again, whole)
    some = point_cloud_covariance_apply.compute(
        cloud, level_of(angles[5:50:3]), np.asfortranarray(x)[5:50:3], V[5:50:3]
    )
    assert np.array_equal(some, whole[5:50:3])
    few = point_cloud_covariance_apply.compute(cloud, level_of(angles), x, V, max_memory=1)
    assert few == pytest.approx(whole, abs=200 * float(np.finfo(dtype).eps) * d)


def test_every_output_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    cloud, x, V = draw_cloud(rng, 50, 5), rng.standard_normal((33, 5)), rng.standard_normal((33, 5, 2))
    angles = np.where(np.arange(33) % 4 == 0, 0.0, 0.5)
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, np.nan, dtype))
    monkeypatch.setattr(np, "empty_like", lambda x: np.full(x.shape, np.nan, x.dtype))
    assert np.isfinite(point_cloud_covariance_apply.compute(cloud, level_of(angles), x, V)).all()


@BACKENDS
@pytest.mark.parametrize("shape", [(0, 4, 2), (3, 4, 0)])
def test_nothing_has_no_covariance(backend: Any, shape: tuple[int, int, int]) -> None:
    cloud, x = Cloud(np.ones((3, 4)), np.full(3, 1 / 3)), np.ones(shape[:2])
    found = point_cloud_covariance_apply.compute(cloud, level_of(0.4), x, np.empty(shape), backend=backend)
    assert found.shape == shape


CLOUD, LEVEL, X, V = Cloud(np.ones((2, 3)), np.full(2, 0.5)), level_of(0.5), np.ones((4, 3)), np.ones((4, 3, 2))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"V": np.ones((4, 3))}, "`V`"),
        ({"V": np.ones((3, 3, 2))}, "`V`"),
        ({"V": V.astype(np.float32)}, "`x` and `V` must be of one dtype, got float64 and float32"),
        ({"V": V * np.inf}, "`V` must be finite"),
        ({"x": np.ones((4, 2))}, "`x`"),
        ({"cloud": Cloud(CLOUD.points.astype(np.float32), CLOUD.weights)}, "one dtype"),
        ({"max_memory": -1}, "`max_memory`"),
        ({"backend": "gpu"}, "`backend`"),
    ],
)
def test_bad_arguments_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    arguments: dict[str, Any] = {"cloud": CLOUD, "level": LEVEL, "x": X, "V": V} | changes
    with pytest.raises(ValueError, match=named):
        point_cloud_covariance_apply.compute(**arguments)
