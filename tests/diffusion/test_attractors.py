"""What dimension a chain's outputs have: of data on fractals, of the plane, or of Kaplan and Yorke."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, marginals
from pifs_sim.diffusion.measures import Gaussian, PointCloud, Product
from pifs_sim.dynamics import box_counting_dimension, correlation_dimension, lyapunov_spectrum
from pifs_sim.fractals import gallery

DUST, TRIANGLE = math.log(4) / math.log(3), math.log(3) / math.log(2)
NOISE = 0.02


def points(name: str, size: float = 1.0, depth: int = 6) -> Any:
    """Cantor's dust (4^depth points, as a product) or Sierpinski's triangle (3^depth)."""
    if name == "dust":
        line = gallery.cantor().ifs.deterministic(np.full((1, 1), 0.5), depth)
        return Product([PointCloud(size * line)] * 2)
    return PointCloud(size * gallery.sierpinski().ifs.deterministic(np.full((1, 2), 0.5), depth))


def chain(law: Any, *, steps: int, sigma: tuple[float, float]) -> Chain:
    return Chain(Schedule(np.arctan(np.geomspace(*sigma, steps + 1))), exact_denoiser(law))


def starts(system: Chain, n: int, seed: int = 0) -> Any:
    return marginals(system, n, np.random.default_rng(seed))[-1]


@pytest.mark.parametrize("name", ["dust", "triangle"])
@pytest.mark.parametrize("steps", [2, 12])
def test_distances_shrink_by_the_noise_that_is_taken_away_at_most(name: str, steps: int) -> None:
    """|Phi(x) - Phi(y)| >= sin(phi_0)/sin(phi_T) |x - y|: outputs of the plane fill the plane, in every sense."""
    system = chain(points(name, depth=4), steps=steps, sigma=(NOISE, 3.0))
    x = np.random.default_rng(1).standard_normal((400, 2))
    y = system.run(x)
    apart = [np.linalg.norm(z[:, None] - z, axis=2)[np.triu_indices(400, 1)] for z in (x, y)]
    assert (apart[1] / apart[0]).min() >= system.schedule.sin[0] / system.schedule.sin[-1]


@pytest.mark.parametrize(("name", "exact"), [("dust", DUST), ("triangle", TRIANGLE)])
def test_a_fine_chain_shows_the_data_above_its_noise_and_the_plane_below(name: str, exact: float) -> None:
    law = points(name)
    system = chain(law, steps=20, sigma=(NOISE, 50.0))
    x = starts(system, 2500)
    y = system.run(x)
    above, below = (3 * NOISE, 11 * NOISE), (NOISE / 12, NOISE / 2)
    data = law.sample(2500, np.random.default_rng(2))
    seen = correlation_dimension(y, window=above).value
    assert seen == pytest.approx(correlation_dimension(data, window=above).value, abs=0.2)
    assert seen == pytest.approx(exact, abs=0.2)
    assert correlation_dimension(y, window=below).value == pytest.approx(2, abs=0.2)
    assert exact - 0.1 < box_counting_dimension(y, window=(1.2 * NOISE, 20 * NOISE)).value < 2
    found = lyapunov_spectrum(system, x[:100], 20)
    assert found.kaplan_yorke.value == 0


def test_a_coarse_chain_shows_the_plane_where_a_fine_one_shows_the_data() -> None:
    """Two steps leave a blur of the whole set: 1.8 of the plane's 2 at the scales where 20 steps show 1.3."""
    seen = []
    for steps in (2, 20):
        system = chain(points("dust"), steps=steps, sigma=(NOISE, 50.0))
        y = system.run(starts(system, 2500))
        seen.append(correlation_dimension(y, window=(3 * NOISE, 11 * NOISE)).value)
    assert seen[0] > 1.7
    assert seen[1] == pytest.approx(DUST, abs=0.2)


def test_scaling_the_data_moves_the_kaplan_yorke_dimension_and_nothing_else() -> None:
    """Exponents gain ln k, from a start at pi/2 in effect: d_KY runs from 0 to 2 on sets of one shape."""
    dimensions, exponents, outputs = [], [], []
    for size in (1.0, 4.0, 20.0):
        system = chain(points("dust", size), steps=20, sigma=(NOISE * size, 500.0 * size))
        x = starts(system, 1000, seed=3)
        found = lyapunov_spectrum(system, x[:200], 20)
        dimensions.append(found.kaplan_yorke.value)
        exponents.append(found.exponents * 20 - math.log(size * system.schedule.cos[0]))
        outputs.append(system.run(x) / (size * system.schedule.cos[0]))
    # the start differs from pi/2 by 1/500 of its noise
    assert_allclose(exponents[1:], np.broadcast_to(exponents[0], (2, 2)), rtol=0, atol=1e-5)
    assert_allclose(outputs[1:], np.broadcast_to(outputs[0], (2, 1000, 2)), rtol=0, atol=1e-6)
    assert dimensions[0] == 0
    assert 0 < dimensions[1] < 2
    assert dimensions[2] == 2


@pytest.mark.parametrize(("name", "ratio", "exact"), [("dust", 1 / 3, DUST), ("triangle", 1 / 2, TRIANGLE)])
def test_volumes_fall_by_the_codimension_of_the_data(name: str, ratio: float, exact: float) -> None:
    """Over a period of sigma: E ln|det D Phi| = -(2 - D) ln(1/ratio), in the coordinates x/cos."""
    system = chain(points(name, depth=7), steps=8, sigma=(0.05 * ratio, 0.05))
    x = starts(system, 500, seed=4)
    volumes = lyapunov_spectrum(system, x, 8).per_orbit.sum(axis=1) * 8
    volumes -= 2 * math.log(system.schedule.cos[0] / system.schedule.cos[-1])
    seen = 2 + volumes / math.log(1 / ratio)
    error = seen.std() / math.sqrt(500)
    assert error < 0.04
    assert seen.mean() == pytest.approx(exact, abs=5 * error)


def test_a_repeated_linear_chain_has_a_point_for_an_attractor_or_none() -> None:
    """Whatever d_KY says: here it is 1.2 of 2, and one coordinate grows without end while the other is fixed."""
    system = chain(Gaussian([1.0, 1.0], np.diag([9.0, 0.01])), steps=10, sigma=(0.05, 50.0))
    dimension = lyapunov_spectrum(system, np.zeros((1, 2)), 10).kaplan_yorke.value
    assert 1 < dimension < 2
    x = np.array([[1.0, 3.0], [-2.0, 1.0], [0.5, -1.0]])
    for _ in range(60):
        x = system.run(x)
    assert (np.abs(x[:, 0]) > 1e6).all()
    assert np.ptp(x[:, 1]) < 1e-12


@pytest.mark.parametrize(("name", "size", "most"), [("dust", 1.0, 1), ("triangle", 1.0, 1), ("triangle", 6.0, 2)])
def test_a_chain_repeated_on_a_fractal_settles_on_a_few_points(name: str, size: float, most: int) -> None:
    """The attractor of the repeated map is of dimension 0, and so is Kaplan's and Yorke's there; D is not seen."""
    system = chain(points(name, size, depth=5), steps=12, sigma=(0.03 * size, 100.0 * size))
    x = np.random.default_rng(5).standard_normal((60, 2))
    for _ in range(60):
        x = system.run(x)
    assert np.abs(system.run(x) - x).max() < 1e-9 * size
    assert len(np.unique(np.round(x / size, 6), axis=0)) <= most
    assert lyapunov_spectrum(system, x, 12).kaplan_yorke.value == 0
