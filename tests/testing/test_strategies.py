"""Strategies build what they promise, and reach the regions that tests need."""

import math

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from pifs_sim.diffusion import Schedule, geometry
from pifs_sim.testing import strategies


@given(strategies.schedules(min_steps=2, max_steps=5, start=0.25, stop=1.0))
def test_schedules_keep_their_bounds(schedule):
    assert isinstance(schedule, Schedule)
    assert 2 <= schedule.steps <= 5
    assert schedule.angles[0] == 0.25
    assert schedule.angles[-1] == 1.0


@pytest.mark.parametrize("bounds", [{"start": 1.3}, {"stop": 1e-3}, {"start": 1.5, "stop": 1.57}])
def test_schedules_fit_between_any_bounds(bounds):
    schedule = find(strategies.schedules(**bounds), lambda s: s.steps > 2)
    assert schedule.angles[0] == bounds.get("start", schedule.angles[0])
    assert schedule.angles[-1] == bounds.get("stop", schedule.angles[-1])


def test_schedules_between_crossed_bounds_are_refused():
    with pytest.raises(ValueError, match="start"):
        find(strategies.schedules(start=1.0, stop=0.5), lambda _: True)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda s: s.steps == 1,
        lambda s: s.angles[0] > 0,
        lambda s: s.angles[0] == 0,
        lambda s: s.angles[-1] == math.pi / 2,
        lambda s: s.increments.max() > 1e4 * s.increments.min(),
        lambda s: s.steps > 3 and np.isinf(geometry.moran_threshold(s)),
    ],
    ids=["one step", "positive start", "zero start", "to pi/2", "wildly uneven", "no root"],
)
def test_schedules_reach_every_region(wanted):
    assert wanted(find(strategies.schedules(), wanted))


@given(strategies.rotations(4))
def test_rotations_are_orthogonal(q):
    assert np.abs(q.T @ q - np.eye(4)).max() < 1e-14


@given(st.data(), st.integers(1, 4), st.integers(0, 1))
def test_spd_matrices_have_the_spectrum_they_came_with(data, dim, zeros):
    made = data.draw(strategies.spd_matrices(dim, zeros=min(zeros, dim)))
    found = np.sort(np.linalg.eigvalsh(made.matrix))
    scale = made.eigenvalues.max(initial=0.0)
    assert np.abs(found - np.sort(made.eigenvalues)).max() <= 1e-14 * dim * scale
    assert (made.eigenvalues == 0).sum() == min(zeros, dim)
    assert np.array_equal(made.matrix, made.matrix.T)


@given(strategies.spectra(2, 5, 1e-3, 1e3))
def test_spectra_lie_in_their_range(lam):
    assert 2 <= lam.size <= 5
    assert ((lam >= 0.999e-3) & (lam <= 1.001e3)).all()


@given(strategies.probabilities(4))
def test_probabilities_are_probabilities(weights):
    assert weights.shape == (4,)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("kind", ["isotropic", "diagonal", "full", "spectral"])
@given(data=st.data())
def test_mixtures_without_singular_components_have_none(kind, data):
    law = data.draw(strategies.mixtures(kind, dim=3, singular=False))
    assert law.dim == 3
    assert law.components.variances.min() >= 1e-4
    assert law.components.variances.ndim == (1 if kind == "isotropic" else 2)


@pytest.mark.parametrize("kind", ["isotropic", "diagonal", "full", "spectral"])
def test_mixtures_reach_several_components_and_directions_without_variance(kind):
    def wanted(law):
        variances = law.components.variances
        return len(variances) > 2 and variances.min() == 0 < variances.max()

    find(strategies.mixtures(kind), wanted)


@pytest.mark.parametrize("kind", strategies.LAWS)
@given(data=st.data())
@settings(max_examples=3)
def test_every_kind_of_law_is_built(kind, data):
    names = {"gaussian": "Gaussian", "points": "PointCloud", "scale": "ScaleMixture", "product": "Product"}
    assert type(data.draw(strategies.measures((kind,)))).__name__ == names.get(kind, "Mixture")
