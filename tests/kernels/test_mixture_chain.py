"""One step of a mixture's chain: the reference against 80 digits, backends against it, ties, limits, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp, mpf

from pifs_sim.kernels import mixture_chain
from pifs_sim.kernels.mixture_chain import Law, Steps
from pifs_sim.kernels.mixture_chain.reference import step
from tests.diffusion.mixture_oracle import ExactMixture
from tests.diffusion.oracle import cos_sin, exact_angle
from tests.kernels.mixtures import (
    HALF_PI,
    KINDS,
    draw_angles,
    draw_law,
    draw_points,
    logits,
    rounding,
    steps_of,
)

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
ANY_KIND = st.sampled_from(list(KINDS))


def exact_step(law: Law, angles: Any, x: Any) -> Any:
    """cos(Delta) x - sin(Delta) (cos(phi) eps_hat - sin(phi) x_hat), by Bayes' rule in 80 digits and more."""
    variances = np.broadcast_to(law.variances, law.means.shape)
    noised = ExactMixture(law.weights, law.means, variances).at(angles[1])
    with mp.workdps(noised.digits):
        c, s = cos_sin(angles[1])
        turn = exact_angle(angles[1]) - mpf(angles[0])
        moved = []
        for point in x:
            point = [mpf(float(a)) for a in point]
            mean = noised._mean(point)
            noise = [(a - c * b) / s for a, b in zip(point, mean, strict=True)]
            velocity = [c * a - s * b for a, b in zip(noise, mean, strict=True)]
            pairs = zip(point, velocity, strict=True)
            moved.append([float(mp.cos(turn) * a - mp.sin(turn) * b) for a, b in pairs])
    return np.array(moved)


@given(seed=SEEDS, count=st.integers(1, 4), d=st.integers(1, 3), kind=ANY_KIND)
def test_the_reference_is_the_ddim_step_of_bayes_rule(seed: int, count: int, d: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    law, angles = draw_law(rng, count, d, kind), draw_angles(rng)
    steps = steps_of(angles)
    x = draw_points(rng, law, steps, 4)
    found = mixture_chain.compute(law, steps, x, backend="reference")
    assert (np.abs(found - exact_step(law, angles, x)).max(axis=1) <= rounding(law, steps, x)).all()


@DTYPES
@given(
    seed=SEEDS,
    count=st.integers(1, 9),
    d=st.sampled_from([1, 3, 7, 30, 140]),
    kind=ANY_KIND,
    batch=st.integers(1, 60),
)
def test_a_step_is_that_of_the_reference(dtype: Any, seed: int, count: int, d: int, kind: str, batch: int) -> None:
    rng = np.random.default_rng(seed)
    law, steps = draw_law(rng, count, d, kind), steps_of(draw_angles(rng))
    x = draw_points(rng, law, steps, batch).astype(dtype)
    found = mixture_chain.compute(law, steps, x)
    assert found.dtype == dtype
    exact = step(law, steps, x.astype(np.float64), 1)
    assert (np.abs(found - exact).max(axis=1) <= rounding(law, steps, x)).all()


@DTYPES
@given(seed=SEEDS, d=st.sampled_from([1, 3, 7, 30]), kind=st.sampled_from(["own", "own axes"]), wide=st.floats(-10, -1))
@example(seed=1, d=7, kind="own", wide=-9.0)
def test_a_sharp_component_and_blunt_ones_share_alike_at_their_tie(
    dtype: Any, seed: int, d: int, kind: str, wide: float
) -> None:
    """There the distance from the sharp one is small and decides."""
    rng = np.random.default_rng(seed)
    high = 10.0 ** rng.uniform(-4, -0.3)
    steps = steps_of([high * rng.choice([0.0, 0.5, 0.9]), high])
    variances = 10.0 ** rng.uniform(-1, 1, (3, d if kind == "own axes" else 1))
    variances[0] = 10.0**wide
    law = Law(np.full(3, 1 / 3), rng.standard_normal((3, d)), variances)
    direction = rng.standard_normal((20, d))
    near, far = np.zeros((20, 1)), np.full((20, 1), 2.0)
    for _ in range(48):
        middle = (near + far) / 2
        values = logits(law, steps, steps.cos[1] * law.means[0] + middle * direction)
        inside = (values[:, 0] > values[:, 1:].max(axis=1))[:, None]
        near, far = np.where(inside, middle, near), np.where(inside, far, middle)
    x = (steps.cos[1] * law.means[0] + far * direction).astype(dtype)
    exact = step(law, steps, x.astype(np.float64), 1)
    assert (np.abs(mixture_chain.compute(law, steps, x) - exact).max(axis=1) <= rounding(law, steps, x)).all()


@DTYPES
@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("d", [1, 3, 7])
def test_half_way_between_two_atoms_both_have_one_half(dtype: Any, backend: Any, d: int) -> None:
    """Near by their shares are (1 + tanh(c sum_i x_i/s^2))/2, of logits of d/(2 s^2) each."""
    law = Law(np.full(2, 0.5), np.stack([-np.ones(d), np.ones(d)]), np.zeros((1, 1)))
    steps, x = steps_of([0.0, 1e-3]), np.zeros((3, d), dtype)
    x[1:] = np.array([[1e-7], [-3e-7]])
    found = mixture_chain.compute(law, steps, x, backend=backend)
    assert (found[0] == 0).all()
    expected = np.tanh(steps.cos[1] / steps.sin[1] ** 2 * x.astype(np.float64).sum(axis=1))[:, None]
    assert (np.abs(found - expected) <= rounding(law, steps, x)[:, None]).all()


@DTYPES
@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("d", [2, 9])
@pytest.mark.parametrize("angle", [1e-12, 1e-30, 1e-120])
def test_the_last_step_from_a_tiny_angle_projects_on_the_nearest_support(
    dtype: Any, backend: Any, d: int, angle: float
) -> None:
    """No square of the sine over- or underflows; one component keeps its first coordinate free."""
    rng = np.random.default_rng(0)
    means, variances = rng.standard_normal((4, d)).astype(dtype).astype(np.float64), np.zeros((4, d))
    variances[0, 0] = 0.7
    x = means.astype(dtype) + dtype(1e-3)
    x[0, 0] += dtype(0.5)
    found = mixture_chain.compute(Law(np.full(4, 0.25), means, variances), steps_of([0.0, angle]), x, backend=backend)
    expected = means.astype(dtype)
    expected[0, 0] = x[0, 0]
    assert found == pytest.approx(expected, rel=4 * float(np.finfo(dtype).eps))


@DTYPES
@pytest.mark.parametrize("d", [2, 9])
def test_components_without_weight_are_nowhere(dtype: Any, d: int) -> None:
    rng = np.random.default_rng(1)
    law, steps = draw_law(rng, 4, d, "own"), steps_of([0.3, 0.9])
    weights = np.append(law.weights, 0.0)
    more = Law(weights, np.vstack([law.means, np.zeros(d)]), np.vstack([law.variances, [[0.1]]]))
    x = rng.standard_normal((20, d)).astype(dtype)
    assert np.array_equal(mixture_chain.compute(more, steps, x), mixture_chain.compute(law, steps, x))


@DTYPES
@pytest.mark.parametrize("d", [3, 9])
def test_equal_variances_may_be_given_in_any_shape(dtype: Any, d: int) -> None:
    rng, steps = np.random.default_rng(2), steps_of([0.0, 0.4, 1.1])
    law, x = draw_law(rng, 5, d, "shared"), rng.standard_normal((30, d)).astype(dtype)
    expected = mixture_chain.compute(law, steps, x)
    for shape in ((5, 1), (1, d), (5, d)):
        same = law._replace(variances=np.broadcast_to(law.variances, shape))
        assert np.array_equal(mixture_chain.compute(same, steps, x), expected)


LAW, STEPS, X = Law(np.full(2, 0.5), np.ones((2, 3)), np.ones((2, 1))), steps_of([0.0, 0.5, HALF_PI]), np.ones((4, 3))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"x": np.ones(3)}, "`x`"),
        ({"x": np.ones((4, 2))}, "`x`"),
        ({"x": np.ones((4, 3), np.int64)}, "`x`"),
        ({"x": np.ones((4, 3), np.float16)}, "`x`"),
        ({"x": np.full((4, 3), 1e16, np.float32)}, "`x` must lie within 1e\\+15"),
        ({"x": np.full((4, 3), np.inf)}, "`x` must lie"),
        ({"x": [[1.0, 1.0, 1.0]]}, "`x` must be a NumPy array"),
        ({"law": LAW._replace(weights=np.full(3, 0.5))}, "`weights`"),
        ({"law": LAW._replace(weights=np.array([-0.5, 1.5]))}, "`weights`"),
        ({"law": LAW._replace(weights=np.zeros(2))}, "`weights`"),
        ({"law": LAW._replace(weights=np.full(2, 0.5, np.float32))}, "`weights` must be of float64, got float32"),
        ({"law": LAW._replace(means=np.ones((2, 3), np.float32))}, "`means` must be of float64, got float32"),
        ({"law": LAW._replace(means=np.ones(2))}, "`means`"),
        ({"law": LAW._replace(means=np.full((2, 3), np.inf))}, "`means`"),
        ({"law": LAW._replace(means=np.full((2, 3), np.nan))}, "`means`"),
        ({"law": LAW._replace(variances=np.ones(2))}, "`variances`"),
        ({"law": LAW._replace(variances=np.ones((3, 1)))}, "`variances`"),
        ({"law": LAW._replace(variances=-np.ones((2, 1)))}, "`variances`"),
        ({"steps": Steps(*STEPS[:2], STEPS.turn[:1])}, "`turn`"),
        ({"steps": Steps(*(values[:1] for values in STEPS))}, "`turn`"),
        ({"steps": STEPS._replace(turn=-STEPS.turn)}, "increase"),
        ({"steps": STEPS._replace(cos=STEPS.cos.astype(np.float32))}, "`cos`"),
        ({"steps": STEPS._replace(sin=list(STEPS.sin))}, "`sin`"),
        ({"at": []}, "`at`"),
        ({"at": [3]}, "`at`"),
        ({"at": [0.0]}, "`at`"),
        ({"threads": 0}, "`threads`"),
        ({"backend": "gpu"}, "`backend`"),
    ],
)
def test_bad_arguments_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    arguments: dict[str, Any] = {"law": LAW, "steps": STEPS, "x": X} | changes
    with pytest.raises(ValueError, match=named):
        mixture_chain.compute(**arguments)
