"""What `lyapunov_spectrum` refuses, and what it says of orbits that fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.dynamics import Cocycle, Map, local_exponents, lyapunov_spectrum
from tests.dynamics import textbook as maps

START = maps.henon_starts(1)
LEAVING = np.array([[0.1, 0.1], [5.0, 5.0], [0.2, 0.1]])  # the second orbit overflows at n = 8
SYSTEMS = pytest.mark.parametrize("system", [maps.HENON, maps.HENON_BATCH], ids=["compiled", "batch"])


@SYSTEMS
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x0": np.ones((1, 3))}, r"`x0` must have shape \(batch, 2\), got \(1, 3\)"),
        ({"x0": np.ones(2)}, r"`x0` must have shape \(batch, 2\), got \(2,\)"),
        ({"x0": np.empty((0, 2))}, "`x0` must hold at least one point"),
        ({"x0": [[np.nan, 0.0]]}, "`x0` must hold at least one point, all finite"),
        ({"x0": [["a", "b"]]}, "`x0` must hold real numbers"),
        ({"x0": None}, "`x0` must hold real numbers"),
        ({"k": 3}, r"`k` must be an integer in 1..2, got 3"),
        ({"k": 0}, r"`k` must be an integer in 1..2, got 0"),
        ({"k": 1.5}, "`k` must be an integer"),
        ({"steps": 0}, "`steps` must be an integer of at least 1, got 0"),
        ({"steps": 10.0}, "`steps` must be an integer of at least 1, got 10.0"),
        ({"steps": None}, "`steps`"),
        ({"transient": -1}, "`transient` must be an integer of at least 0, got -1"),
        ({"renormalise": 0}, "`renormalise` must be an integer of at least 1, got 0"),
        ({"target_stderr": 0.0}, "`target_stderr` must be positive, got 0.0"),
        ({"target_stderr": np.nan}, "`target_stderr` must be positive, got nan"),
        ({"backend": "gpu"}, "`backend` must be"),
        ({"rng": 3}, "`rng` must be"),
        ({"checkpoint": 3}, "`checkpoint` must be"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused_by_name(system: Any, change: Any, message: str) -> None:
    given: dict[str, Any] = {"x0": START, "steps": 10} | change
    with pytest.raises(ValueError, match=message) as caught:
        lyapunov_spectrum(system, given.pop("x0"), given.pop("steps"), **given)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transient": 1}, "`transient` must be 0 for a finite chain, got 1"),
        ({"renormalise": 2}, "`renormalise` must be None for a finite chain, got 2"),
        ({"target_stderr": 0.1}, "`target_stderr` must be None for a finite chain, got 0.1"),
        ({"checkpoint": "run.npz"}, "`checkpoint` must be None for a finite chain, got 'run.npz'"),
        ({"steps": 6}, r"`steps` must be an integer in 1..5, got 6"),
        ({"k": 4}, r"`k` must be an integer in 1..3, got 4"),
    ],
    ids=str,
)
def test_what_a_finite_chain_cannot_do_is_refused_by_name(change: Any, message: str) -> None:
    given: dict[str, Any] = {"steps": 5} | change
    with pytest.raises(ValueError, match=message):
        lyapunov_spectrum(Cocycle(np.ones((5, 3, 3))), np.zeros((1, 3)), given.pop("steps"), **given)


@SYSTEMS
@pytest.mark.parametrize("transient", [0, 3, 100])
def test_an_orbit_that_leaves_is_nan_with_its_reason_and_the_others_go_on(system: Any, transient: int) -> None:
    found = lyapunov_spectrum(system, LEAVING, 800, transient=transient)
    sound = lyapunov_spectrum(system, np.where(LEAVING > 1, 0.15, LEAVING), 800, transient=transient)
    assert np.isnan(found.per_orbit[1]).all()
    assert_allclose(found.per_orbit[::2], sound.per_orbit[::2], rtol=0, atol=1e-10)
    assert_allclose(found.exponents, sound.per_orbit[::2].mean(axis=0), rtol=0, atol=1e-10)
    assert ((found.stderr > 0) & (found.stderr < 3 * sound.stderr)).all()
    assert found.reasons[::2] == (None, None)
    assert found.reasons[1].startswith("orbit 1 left the finite points at step n=8, from x=[-4.8548")
    assert found.rank == 2
    assert np.isfinite(found.history).all()


@SYSTEMS
def test_if_every_orbit_leaves_all_is_nan(system: Any) -> None:
    found = lyapunov_spectrum(system, LEAVING[1:2], 300)
    for values in (found.exponents, found.per_orbit, found.stderr, found.kaplan_yorke):
        assert np.isnan(values).all()
    assert found.reasons[0].startswith("orbit 0 left the finite points at step n=8")
    assert found.rank == 0


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_finite_chain_that_leaves_is_nan_with_its_reason() -> None:
    chain = Map(maps.henon_batch, maps.henon_jacobians, dim=2, length=20)
    found = lyapunov_spectrum(chain, LEAVING, 20)
    kept = lyapunov_spectrum(chain, LEAVING[::2], 20)
    assert np.isnan(found.per_orbit[1]).all()
    assert_allclose(found.exponents, kept.exponents, rtol=0, atol=1e-12)
    assert found.reasons[::2] == (None, None)
    assert found.reasons[1].startswith("orbit 1 left the finite points at step n=8")


@pytest.mark.parametrize("transient", [0, 50, 90])
def test_a_jacobian_that_is_not_finite_is_refused_with_step_and_orbit(transient: int) -> None:
    """Along three fixed points, of which the second has NaN at n = 70."""

    def jacobian(x: Any, n: int) -> Any:
        J = np.broadcast_to(np.diag([2.0, 0.5]), (len(x), 2, 2)).copy()
        J[1, 0, 0] = np.nan if n == 70 else 2.0
        return J

    with pytest.raises(ValueError, match=r"`jacobian` is not finite at step n=70, orbit 1, x=\[1. 1.\]"):
        lyapunov_spectrum(Map(lambda x, n: x, jacobian, dim=2), np.ones((3, 2)), 200, transient=transient)  # noqa: ARG005


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("renormalise", [None, 1, 7])
def test_a_compiled_jacobian_that_is_not_finite_is_refused_with_step_and_orbit(backend: Any, renormalise: Any) -> None:
    x0 = np.array([[0.5, 0.0], [2.0, 0.0], [0.5, 0.0]])
    with pytest.raises(ValueError, match=r"Jacobian is not finite at step n=70, orbit 1, x=\[2. 0.\]"):
        lyapunov_spectrum(SPOILED, x0, 200, renormalise=renormalise, backend=backend)


def spoiled(x: Any, n: int) -> Any:
    return (np.nan if n == 70 and x[0] > 1 else 2.0, 0.0), (0.0, 0.5)


SPOILED = Map.compiled(lambda x, n: (x[0], x[1]), spoiled, dim=2)  # noqa: ARG005


def test_a_jacobian_of_a_wrong_shape_is_refused() -> None:
    wide = Map(lambda x, n: x, lambda x, n: np.ones((len(x), 2, 3)), dim=2)  # noqa: ARG005
    with pytest.raises(ValueError, match=r"`jacobian` must return shape \(3, 2, 2\), got \(3, 2, 3\)"):
        lyapunov_spectrum(wide, np.ones((3, 2)), 10)
    flat = Map.compiled(lambda x, n: (x[0], x[1]), lambda x, n: ((1.0, 0.0, 1.0), (0.0, 1.0, 1.0)), dim=2)  # noqa: ARG005
    with pytest.raises(ValueError, match=r"`jacobian` must return shape \(2, 2\), got \(2, 3\)"):
        lyapunov_spectrum(flat, np.ones((3, 2)), 10)


def test_a_renormalisation_interval_that_is_too_long_is_refused() -> None:
    """1e10 a step overflows in 31 steps; the automatic interval copes."""
    steep = Map(lambda x, n: 0 * x, lambda x, n: np.broadcast_to(1e10 * np.eye(2), (len(x), 2, 2)), dim=2)  # noqa: ARG005
    with pytest.raises(ValueError, match="`renormalise`=64 is too long: the frame of orbit 0 left the range of floats"):
        lyapunov_spectrum(steep, np.ones((1, 2)), 4000, renormalise=64)
    assert_allclose(lyapunov_spectrum(steep, np.ones((1, 2)), 200).exponents, np.log(1e10), rtol=1e-13)


@pytest.mark.parametrize("slope", [1e-300, 1e-200, 1e200, 1e300])
def test_slopes_of_any_size_have_their_logarithm(slope: float) -> None:
    """Never -inf for a direction that lives."""
    line = Map(lambda x, n: 0 * x, lambda x, n: np.full((len(x), 1, 1), slope), dim=1)  # noqa: ARG005
    found = lyapunov_spectrum(line, np.ones((1, 1)), 100)
    assert_allclose(found.exponents, np.log(slope), rtol=1e-14)
    assert found.rank == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "`window`"),
        ({"window": 3}, "`window` must divide `steps`, got 3 and 10"),
        ({"window": 5, "k": 3}, "`k`"),
        ({"window": 5, "transient": -1}, "`transient`"),
        ({"window": 11}, "`steps`"),
    ],
)
def test_bad_windows_are_refused_by_name(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        local_exponents(maps.HENON_BATCH, START, 10, **options)
