"""Every side check of a claim: what it holds at a point, and the sentence it fails with once one measurement is wrong.

Mutants plant wrong formulas; here the formula is right (but where `formula` is given) and what is measured is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pifs_sim.diffusion import schedules
from theory import checks
from theory.claim import Violation
from theory.formulas import evaluate, steps_of

Plant = Callable[..., Any]
OBLIQUE = schedules.from_angles([0.0, 0.8, 1.3, 1.4])  # its expanding step, the second, is not the nearest to pi/2


@dataclass(frozen=True)
class Planted:
    """A witness of a claim by name, or a point, and measurements of the claim's module by name, each made wrong.

    A plant is called with the true function and then with that function's arguments. "library.f" is f as the claim's
    module finds it in `library`.
    """

    label: str
    point: str | dict[str, Any]
    sentence: str
    plants: dict[str, Plant] = field(default_factory=dict)
    formula: Any = None


class Wrong:
    """A module with some functions replaced."""

    def __init__(self, original: Any, **changes: Any) -> None:
        self.original, self.changes = original, changes

    def __getattr__(self, name: str) -> Any:
        return self.changes[name] if name in self.changes else getattr(self.original, name)


def times(factor: float) -> Plant:
    """All that is measured, so many times as large."""
    return lambda true, *args, **options: factor * true(*args, **options)


def always(value: Any) -> Plant:
    """The same whatever is measured."""
    return lambda *_: value


def entry(index: int, place: int, change: Callable[[Any], float]) -> Plant:
    """Of measured arrays, in the one of that index, the entry at that place is a function of the whole array."""

    def wrong(true: Plant, *args: Any) -> tuple[Any, ...]:
        found = [*true(*args)]
        found[index] = found[index].copy()
        found[index][place] = change(found[index])
        return tuple(found)

    return wrong


def second_step(true: Plant, schedule: Any) -> Any:
    """L* of the second step just below that of the first."""
    found = true(schedule).copy()
    found[1] = 0.999 * found[0]
    return found


def third_step(true: Plant, schedule: Any) -> Any:
    """L* of the third step below that of the second, still above the first."""
    found = true(schedule).copy()
    found[2] = (found[0] + found[1]) / 2
    return found


def swapped_at_no_noise(true: Plant, *args: Any) -> Any:
    """The estimates of the two points exchanged at angle 0."""
    found = true(*args)
    return [(w, mean[::-1], J) for w, mean, J in found] if args[-1] == 0 else found


def larger_of_the_curved(true: Plant, step: Any, x: Any, size: int) -> float:
    """Spreads of all maps but affine ones a tenth too large."""
    affine = np.allclose(step(x) - step(-x), step(2 * x) - step(0 * x), atol=1e-12)
    return (1.0 if affine else 1.1) * true(step, x, size)


def no_covariances(true: Plant, law: Any, schedule: Any, seed: int) -> Any:
    """Posterior covariances less 5 I, and the Jacobians that would belong to them."""
    steps, covariances = true(law, schedule, seed)
    factor = evaluate(checks.load("tweedie-jacobian").CLAIM.formula[1], steps_of(schedule))[:, None, None, None]
    excess = 5 * np.eye(law.dim)
    return steps - factor * excess, covariances - excess


def better_offset(true: Plant, steps: int, offset: float) -> float:
    """L*_1 is said to rise by a tenth with every tenth of the offset."""
    return true(steps, 0.00042) * offset / 0.00042


def another_dimension(true: Plant, factors: Any) -> Any:
    """The quotients' exponents as they are, their dimension too large by 0.1."""
    found = true(factors)
    return SimpleNamespace(exponents=found.exponents, dimension=SimpleNamespace(value=found.dimension.value + 0.1))


def smaller_errors(true: Plant, schedule: Any, lam: float, *, metric: str) -> float:
    """The errors of the schedule that minimisation found, halved."""
    module = checks.load("optimal-schedule-one-scale")
    found, _ = module.observe(*module.CLAIM.witness["small variance"].values())
    return true(schedule, lam, metric=metric) * (0.5 if schedule is found else 1.0)


def farther(true: Plant, seed: int) -> Any:
    """A coded image that is farther from the decoded one than its own bound."""
    found = true(seed)
    return replace(found, distance=1.01 * found.bound)


def unequal(true: Plant, scale: float, shift: float) -> Any:
    """Maps whose offsets are a tenth too large."""
    found = true(scale, shift)
    return SimpleNamespace(deterministic=lambda x, n: found.deterministic(x, n) + 0.1 / 3**n)


POINT = schedules.from_sigma([0.0, 0.5, 1.0, math.inf])
CASES = [
    Planted(
        "attention-coupling",
        "three patches",
        "exceed three times",
        {"observe": lambda true, **point: (lambda n, w, g: (n / 4, w, g))(*true(**point))},
        lambda weight, gradient: (0 * weight, weight + gradient),
    ),
    Planted(
        "attractor-dimension",
        "Cantor's set",
        "distances are stretched by .* to ",
        {"stretches": lambda true, *a: (lambda s, q, most: (s, np.append(1.001 * most, q[1:]), most))(*true(*a))},
    ),
    Planted("attractor-dimension", "Cantor's set", r"distances are stretched by .*0\.0\)? to ", {
        "stretches": entry(1, 0, lambda quotients: 0 * quotients[0]),
    }),
    Planted("collage", "hard pairing", "the image is .* away, with a collage error of", {"coded": farther}),
    Planted("cosine-offset", "two steps", "step 2 has a smaller L", {"geometry.contraction_threshold": second_step}),
    Planted("cosine-offset", "the best offset of 1000 steps", "0.00042 is not the best offset", {
        "share": better_offset,
    }),
    Planted("crossover-window", "uniform to pi/2", r"f_t - 1 = .*, but lam\*_t", {
        "geometry.step_threshold": times(10.0),
    }),
    Planted("crossover-window", {"schedule": POINT, "lam": 1.5}, "not a window about pi/2", {
        "schedules.uniform_angle": always(OBLIQUE),
    }),
    Planted("ec-versus-pc", "neither", r"kappa \+ delta is 0.9, but the norm is 1.0295", {
        "observe": lambda true, blocks: (true(blocks)[0], 0.9),
    }),
    Planted("empirical-denoiser-is-attention", "five points in the plane", "at angle 0 the estimate is", {
        "observe": swapped_at_no_noise,
    }),
    Planted("kaplan-yorke", "linear chain", "the closed form overshoots by .*, not by .* or more", {
        "closed_form": lambda true, *args: true(*args) - 0.5,
    }),
    Planted("lyapunov-gaussian", "linear chain", r"not positive exactly above lam\*\*", {
        "geometry.moran_threshold": times(1e6),
    }),
    Planted("moran", "linear chain", r"the growth crosses 1 1 times and lam\*\* = inf", {
        "geometry.moran_threshold": always(math.inf),
    }),
    Planted("moran-above-one", "uniform to pi/2", r"lam\*\* = 1.0 is not above 1", {
        "geometry.moran_threshold": always(1.0),
    }),
    Planted("moran-minimum", {"schedule": POINT}, r"lam\*\* = .* is below", {
        "geometry.moran_threshold": lambda true, s: true(s) if s is not POINT else 0.999 * (4 / 3) ** 3,
    }),
    Planted("open-set-needed", "four letters", "an image lies 0.1 from the integers", {"maps": unequal}),
    Planted("open-set-needed", "one letter", "the overlap is not seen", {
        "overlap": lambda true, *args: replace(true(*args), words=None),
    }),
    Planted("optimal-schedule-one-scale", "small variance", "another schedule has a smaller kl", {
        "geometry.gaussian_error": smaller_errors,
    }),
    Planted("patch-contraction", "1 x 1 blocks", "A tanh spreads a pair by", {"observe": larger_of_the_curved}),
    Planted("patch-contraction", "1 x 1 blocks", "orbits have .* of their distance to the fixed point left", {
        "approach": times(1.5),
    }),
    Planted("product-rule", "power law", "d = 6.47.*, but the product rule gives j = 5", {
        "kaplan_yorke_dimension": lambda true, exponents: true(exponents) + 1,
    }),
    Planted("stratified-crossover", "independent", "independent: margins .* increase with", {
        "margin_monotonicity": lambda true, q, lam: replace(true(q, lam), increasing=np.array([True])),
    }),
    Planted("suppressed-dimension", "two components", "d_eff = .* > d = ", {"quotient_spectrum": another_dimension}),
    Planted("tweedie-jacobian", "a Gaussian", "the least eigenvalue is", {"observe": no_covariances}),
    Planted("weakest-link-is-first", "cosine chain to pi/2", r"L\*_t = .*, below ", {
        "observe": entry(0, 3, lambda measured: 0.99 * measured[0]),
    }),
    Planted("weakest-link-is-first", "cosine chain to pi/2", r"L\*_t does not increase with t", {
        "geometry.contraction_threshold": third_step,
    }),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.label}: {case.sentence}")
def test_a_wrong_measurement_is_named(case: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    module = checks.load(case.label)
    formula = module.CLAIM.formula if case.formula is None else case.formula
    point = module.CLAIM.witness[case.point] if isinstance(case.point, str) else case.point
    module.holds(formula, **point)
    for name, plant in case.plants.items():
        library, _, function = name.rpartition(".")
        home = getattr(module, library) if library else module
        true = getattr(home, function)

        def wrong(*args: Any, true: Plant = true, plant: Plant = plant, **options: Any) -> Any:
            return plant(true, *args, **options)

        monkeypatch.setattr(module, library or function, Wrong(home, **{function: wrong}) if library else wrong)
    with pytest.raises(Violation, match=f"(?s){case.sentence}"):
        module.holds(formula, **point)


def test_a_factor_of_one_shifts_nothing() -> None:
    module = checks.load("fixed-mode-shift")
    point = {**module.CLAIM.witness["one scale"], "factor": 1.0}
    with pytest.raises(Violation, match=r"no shift for k = 1\.0"):
        module.holds(module.CLAIM.formula, **point)


@pytest.mark.parametrize("increases", [True, False])
def test_margins_of_the_coupled_example_turn_at_the_bound(increases: bool) -> None:
    module = checks.load("stratified-crossover")
    name = "coupled, just above it" if increases else "coupled, just below the bound"
    point = {**module.CLAIM.witness[name], "increases": increases}
    expected = "increase" if increases else "do not increase"
    with pytest.raises(Violation, match=f"expected margins that {expected} with lam at every step"):
        module.holds(module.CLAIM.formula, **point)


def test_grids_out_of_order_are_no_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    module, seen = checks.load("moran-minimum"), []

    def tried(threshold: Callable[[Any], float], first: Any, **_: Any) -> Any:
        seen.extend([threshold(first), threshold(first[::-1]), threshold(0 * first)])
        return SimpleNamespace(fun=seen[0])

    monkeypatch.setattr(module, "minimize", tried)
    module.observe.__wrapped__(4)
    assert seen[1:] == [math.inf, math.inf]
    assert seen[0] > math.cos(math.pi / 8) ** -8
