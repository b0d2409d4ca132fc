"""Point clouds on a GPU's threads: the reference's numbers in every form, chunked or not, and every output written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.kernels import point_cloud_covariance_apply, point_cloud_mean
from pifs_sim.kernels.point_cloud_mean import Cloud, Level
from tests.kernels.clouds import SEEDS, draw_cloud, draw_level, draw_points, level_of, size, slack, spread
from tests.kernels.cuda.machines import EXAMPLES, MACHINES, Machine
from tests.kernels.cuda.twin import AVAILABLE, twin

DIMENSIONS = st.sampled_from([1, 3, 4, 5, 30, 65, 257, 300])  # one at least for each form


def there(machine: Machine, *parts: Any) -> list[Any]:
    """Arrays and tuples of arrays on the machine."""
    return [type(part)(*map(machine.there, part)) if isinstance(part, tuple) else machine.there(part) for part in parts]


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    seed=SEEDS,
    count=st.integers(1, 40),
    d=DIMENSIONS,
    batch=st.integers(0, 9),
    dtype=st.sampled_from([np.float32, np.float64]),
    max_memory=st.sampled_from([None, 1, 10_000]),
)
def test_means_are_those_of_the_reference(
    machine: Machine, seed: int, count: int, d: int, batch: int, dtype: Any, max_memory: Any
) -> None:
    rng = np.random.default_rng(seed)
    cloud, level = draw_cloud(rng, count, d, dtype), draw_level(rng, batch)
    x = draw_points(rng, cloud, level, batch)
    law = point_cloud_mean.compute(cloud, level, x, backend="reference")
    with machine as gpu:
        given = there(gpu, cloud, level, x)
        found = [*map(gpu.here, point_cloud_mean.compute(*given, max_memory=max_memory, backend="cuda"))]
    allowed = slack(cloud, level, x)
    assert found[0].dtype == dtype
    assert (np.abs(found[0] - law.mean) <= allowed[:, None] * size(cloud)).all()
    assert (np.abs(found[1] - law.logs) <= allowed).all()


@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=EXAMPLES)
@given(
    seed=SEEDS,
    count=st.integers(1, 30),
    d=DIMENSIONS,
    p=st.integers(0, 3),
    batch=st.integers(0, 5),
    dtype=st.sampled_from([np.float32, np.float64]),
    max_memory=st.sampled_from([None, 1, 10_000]),
)
def test_products_with_the_covariance_are_those_of_the_reference(
    machine: Machine, seed: int, count: int, d: int, p: int, batch: int, dtype: Any, max_memory: Any
) -> None:
    rng = np.random.default_rng(seed)
    cloud, level = draw_cloud(rng, count, d, dtype), draw_level(rng, batch)
    x, V = draw_points(rng, cloud, level, batch), rng.standard_normal((batch, d, p)).astype(dtype)
    law = point_cloud_covariance_apply.compute(cloud, level, x, V, backend="reference")
    with machine as gpu:
        given = there(gpu, cloud, level, x, V)
        found = gpu.here(point_cloud_covariance_apply.compute(*given, max_memory=max_memory, backend="cuda"))
    assert found.dtype == dtype
    assert found.shape == V.shape
    allowed = slack(cloud, level, x) * spread(cloud)
    assert (np.abs(found - law) <= allowed[:, None, None] * np.linalg.norm(V, axis=1)[:, None, :]).all()


@pytest.mark.parametrize("machine", MACHINES)
def test_angle_0_may_be_among_the_angles(machine: Machine) -> None:
    rng = np.random.default_rng(1)
    cloud, level = Cloud(rng.standard_normal((20, 3)), np.full(20, 0.05)), level_of([0.0, 0.5, 0.0, 1e-90])
    x, V = rng.standard_normal((4, 3)), rng.standard_normal((4, 3, 2))
    law = point_cloud_mean.compute(cloud, level, x, backend="reference")
    with machine as gpu:
        mean, logs = map(gpu.here, point_cloud_mean.compute(*there(gpu, cloud, level, x), backend="cuda"))
        found = gpu.here(point_cloud_covariance_apply.compute(*there(gpu, cloud, level, x, V), backend="cuda"))
    assert np.array_equal(mean[[0, 2, 3]], law.mean[[0, 2, 3]])
    assert mean[1] == pytest.approx(law.mean[1], rel=1e-13)
    assert logs[:3] == pytest.approx(law.logs[:3])
    assert found[[0, 2, 3]] == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_least_angle_overflows_nothing(machine: Machine) -> None:
    """|x - y|^2/(2 v) is 1e200 and more there."""
    y = np.array([[1.0, 2.0], [-1.0, 0.5], [30.0, -7.0]])
    level = Level(np.ones(1), np.full(1, 1e-100))
    with machine as gpu:
        given = there(gpu, Cloud(y, np.full(3, 1 / 3)), level, y + 0.25)
        assert np.array_equal(gpu.here(point_cloud_mean.compute(*given, backend="cuda").mean), y)


@pytest.mark.skipif(not AVAILABLE, reason="g++ is not installed")
def test_too_little_memory_is_said_before_anything_is_launched() -> None:
    cloud, level, x = Cloud(np.ones((2, 300)), np.full(2, 0.5)), level_of(0.5), np.ones((1000, 300))
    with twin(free=4e6) as gpu, pytest.raises(MemoryError, match=r"`point_cloud_mean` needs 0\.00482 GB of GPU"):
        point_cloud_mean.compute(cloud, level, x, backend="cuda")
    assert gpu.launched == 0
    with twin(free=4e6) as gpu:
        found = point_cloud_mean.compute(cloud, level, x, max_memory=1e6, backend="cuda")
    assert gpu.launched == 3
    assert np.array_equal(found.mean, x)
    with twin(free=4e6) as gpu, pytest.raises(MemoryError, match=r"`point_cloud_covariance_apply` needs .* GB of GPU"):
        point_cloud_covariance_apply.compute(cloud, level, x, np.ones((1000, 300, 2)), backend="cuda")
    assert gpu.launched == 0
