"""The catalogue against differences, inverses and determinants; its registry and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pifs_sim.dynamics import System, catalogue
from tests.dynamics.pointwise import attractor, jacobians, step

SMALL: dict[str, dict[str, Any]] = {"logistic_lattice": {"sites": 5}}
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("henon", {"a": 1.2, "b": -0.3}),
    ("lozi", {"a": 1.4, "b": 0.3}),
    ("holmes_cubic", {"b": 0.3, "c": 2.5}),
    ("ikeda", {"u": 0.7}),
    ("standard_map", {"K": -0.9}),
    ("tent", {"mu": 1.7}),
    ("logistic", {"r": 3.7}),
    ("kaplan_yorke_map", {"alpha": 0.7}),
    ("generalised_baker", {"cut": 0.5, "left": 0.2, "right": 0.6}),
    ("generalised_baker", {"cut": 0.25, "left": 0.5, "right": 0.5}),
    ("skinny_baker", {"ratio": 0.5}),
    ("logistic_lattice", {"sites": 1, "r": 3.9, "coupling": 0.3}),
    ("logistic_lattice", {"sites": 2, "r": 3.9, "coupling": 0.3}),
    ("circulant_lattice", {"weights": (0.0, 1.0, -0.7), "slope": -2.3}),
    ("gaussian_products", {"dim": 4, "seed": 3}),
]
ENTRIES = [catalogue.get(name, **SMALL.get(name, {})) for name in catalogue.NAMES]
ENTRIES += [catalogue.get(name, **parameters) for name, parameters in OTHERS]
TORUS = {"standard_map": math.tau, "cat": 1.0}
entries = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.name}{dict(entry.parameters)}")


@entries
def test_the_jacobian_is_the_limit_of_central_differences(entry: catalogue.Entry) -> None:
    """Error h^2 f'''/6, and eps/h (2^-51/h on the fractions y/p); f''' is below 1e5 on these attractors."""
    x, h = attractor(entry, 20), 1e-6
    J = jacobians(entry, x)
    for i, direction in enumerate(h * np.eye(x.shape[1])):
        difference = (step(entry, x + direction) - step(entry, x - direction)) / (2 * h)
        np.testing.assert_allclose(J[:, :, i], difference, rtol=1e-7, atol=1e-7)


@entries
def test_the_log_volume_is_the_log_of_the_determinant_at_every_point(entry: catalogue.Entry) -> None:
    x = attractor(entry, 20)
    measured = np.linalg.slogdet(jacobians(entry, x))[1]
    if entry.log_volume is None:
        assert np.ptp(measured) > 1e-3 or entry.name == "logistic_lattice"
    else:
        np.testing.assert_allclose(measured, entry.log_volume, rtol=0, atol=1e-12)


@entries
def test_a_constant_jacobian_is_one_up_to_the_signs_of_its_rows(entry: catalogue.Entry) -> None:
    J = jacobians(entry, attractor(entry, 20))
    first = np.argmax(J != 0, axis=2, keepdims=True)  # of each row
    J = J * np.sign(np.take_along_axis(J, first, axis=2))
    assert bool((np.ptp(J, axis=0) == 0).all()) == entry.constant_jacobian


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.inverse is not None], ids=lambda entry: entry.name)
def test_the_inverse_undoes_a_step(entry: catalogue.Entry) -> None:
    """The inverse stretches rounding by at most 1/b, 1/l..: a factor of 5 here, and f by 10."""
    x = attractor(entry, 50)
    apart = entry.inverse(step(entry, x)) - x
    period = TORUS.get(entry.name, math.inf)
    apart = apart if period == math.inf else apart - period * np.round(apart / period)
    np.testing.assert_allclose(apart, 0.0, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    "name",
    ["henon", "lozi", "holmes_cubic", "ikeda", "standard_map", "cat", "generalised_baker", "skinny_baker"],
)
def test_invertible_maps_have_their_inverse(name: str) -> None:
    assert catalogue.get(name).inverse is not None


@entries
def test_known_exponents_descend_and_add_up(entry: catalogue.Entry) -> None:
    if entry.exponents is None:
        assert entry.kaplan_yorke is None or entry.kaplan_yorke == entry.reference.kaplan_yorke
        return
    assert len(entry.exponents) == entry.system.dim
    assert list(entry.exponents) == sorted(entry.exponents, reverse=True)
    assert entry.exponent_sum == pytest.approx(sum(entry.exponents), rel=1e-15, abs=1e-15)
    assert entry.kaplan_yorke.stderr == 0.0


@entries
def test_entries_name_their_parameters_and_source(entry: catalogue.Entry) -> None:
    assert catalogue.get(entry.name, **entry.parameters).parameters == entry.parameters
    assert set(entry.parameters) == set(catalogue.parameters(entry.name))
    assert isinstance(entry.system, System)
    assert any(f" {year}" in entry.source for year in range(1947, 1991))


@entries
def test_starting_points_are_drawn_from_the_given_generator(entry: catalogue.Entry) -> None:
    first, again = (entry.x0(7, np.random.default_rng(1)) for _ in range(2))
    assert first.shape == (7, entry.system.dim)
    assert (first == again).all()
    if entry.name == "gaussian_products":
        assert not first.any()
    else:
        assert (first != entry.x0(7, np.random.default_rng(2))).all()


def test_the_same_parameters_share_one_compiled_map() -> None:
    assert catalogue.henon(1.3).system is catalogue.henon(b=0.3, a=1.3).system
    assert catalogue.henon(1.3).system is not catalogue.henon(1.35).system


def test_reference_values_belong_to_the_classical_parameters_only() -> None:
    for entry in (catalogue.henon(), catalogue.lozi()):
        values = [exponent.value for exponent in entry.reference.exponents]
        assert math.fsum(values) == pytest.approx(entry.exponent_sum, abs=5e-6)
        assert catalogue.get(entry.name, a=1.3).reference is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kaplan_yorke_map", 1.4306765580733931),
        ("skinny_baker", math.log(6) / math.log(3)),
        ("cat", 2.0),
        ("tent", 1.0),
    ],
)
def test_kaplan_yorke_dimensions_follow_from_the_exponents(name: str, expected: float) -> None:
    assert catalogue.get(name).kaplan_yorke == (pytest.approx(expected, rel=1e-15), 0.0)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("henn", {}, "'henn'; near it are: henon"),
        ("zzz", {}, "there are: cat, circulant_lattice"),
        (3, {}, "`name`"),
        ("henon", {"c": 1}, "`c` is no parameter of henon; it has a, b"),
        ("cat", {"a": 1}, "`a` is no parameter of cat; it has none"),
        ("henon", {"a": math.nan}, "`a` must be finite, got nan"),
        ("henon", {"b": 0}, "`b` must not be 0, got 0"),
        ("henon", {"a": "x"}, "`a` must be a number, got 'x'"),
        ("lozi", {"b": math.inf}, "`b` must not be 0, got inf"),
        ("holmes_cubic", {"b": 0.0}, "`b`"),
        ("ikeda", {"u": 1.0}, "`u` must be above 0 and below 1, got 1.0"),
        ("standard_map", {"K": math.inf}, "`K`"),
        ("tent", {"mu": 1.0}, "`mu`"),
        ("tent", {"mu": 2.1}, "`mu`"),
        ("logistic", {"r": 0.0}, "`r`"),
        ("logistic", {"r": 4.1}, "`r`"),
        ("kaplan_yorke_map", {"alpha": 1.0}, "`alpha`"),
        ("generalised_baker", {"cut": 0.0}, "`cut`"),
        ("generalised_baker", {"cut": 0.5 + 2.0**-40}, "`cut`"),
        ("generalised_baker", {"left": 0.0}, "`left`"),
        ("generalised_baker", {"left": 0.6, "right": 0.5}, "`left` \\+ `right` must be at most 1, got 0.6 \\+ 0.5"),
        ("skinny_baker", {"ratio": 0.6}, "`ratio`"),
        ("logistic_lattice", {"sites": 0}, "`sites`"),
        ("logistic_lattice", {"sites": 2.0}, "`sites`"),
        ("logistic_lattice", {"coupling": -0.1}, "`coupling`"),
        ("circulant_lattice", {"weights": ()}, "`weights`"),
        ("circulant_lattice", {"weights": 1.0}, "`weights`"),
        ("circulant_lattice", {"weights": (1.0, math.nan)}, "`weights`"),
        ("circulant_lattice", {"slope": 0.0}, "`slope`"),
        ("gaussian_products", {"dim": 0}, "`dim`"),
        ("gaussian_products", {"seed": -1}, "`seed`"),
    ],
    ids=str,
)
def test_bad_names_and_values_are_refused(name: Any, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        catalogue.get(name, **parameters)
