"""What the rows of reported numbers say: every figure is there, and none is typed that can be computed."""

import numpy as np

from theory.claim import Status
from theory.reported import REPORTED, Reported


def test_a_row_measured_on_a_network_needs_its_weights_and_shows_what_is_known():
    row = Reported("r", "s", "", ("0.5", "2"), None, Status.NEEDS_WEIGHTS, beside=lambda: "theory says 1")
    status, detail, worst = row.decide()
    assert status == Status.NEEDS_WEIGHTS
    assert worst is None
    assert detail == "printed 0.5, 2; the trained network is not at hand; theory says 1"


def test_only_rows_without_a_computation_need_weights():
    assert all((row.compute is None) == (row.expects == Status.NEEDS_WEIGHTS) for row in REPORTED)
    assert len({row.label for row in REPORTED}) == len(REPORTED)


def test_the_expansion_beside_kappa_is_that_of_the_step_from_t_to_t_minus_20():
    row = next(row for row in REPORTED if row.label == "reported-kappa-cifar10")
    beta = np.linspace(1e-4, 0.02, 1000)
    kept = np.concatenate([[1.0], np.cumprod(1 - beta)])
    at, to = kept[600], kept[580]
    r = (to / at) ** 0.5
    b = ((1 - to) ** 0.5) - r * (1 - at) ** 0.5
    factors = [r + b * (1 - at) ** 0.5 / (lam * at + 1 - at) for lam in (18.7, 44.4)]
    assert f"600: {factors[0]:.4f} to {factors[1]:.4f}" in row.decide()[1]
