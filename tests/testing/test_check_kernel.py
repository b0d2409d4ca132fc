"""A kernel that follows the rules passes, and each rule catches what breaks it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from pifs_sim.kernels import mixture_chain
from pifs_sim.testing import ConformanceError, check_kernel
from tests.kernels.mixtures import draw_law, draw_points, rounding, steps_of

X = np.random.default_rng(0).standard_normal((9, 4))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [2, 9])
def test_a_kernel_of_the_library_conforms(dtype: Any, d: int) -> None:
    rng, steps = np.random.default_rng(1), steps_of(np.array([0.3, 0.5]))
    law = draw_law(rng, 3, d, "own")
    x = draw_points(rng, law, steps, 9).astype(dtype)
    run, law_of = (partial(mixture_chain.compute, law, steps, backend=name) for name in ("cpu", "reference"))
    check_kernel(run, law_of, x, bound=rounding(law, steps, x))


def squares(x: Any, threads: int = 1) -> Any:
    del threads
    return (x * x).sum(axis=1)


def test_a_function_without_threads_can_be_checked() -> None:
    check_kernel(lambda x: squares(x), squares, X.astype(np.float32), bound=1e-5, threads=())


def writes(x: Any, threads: int = 1) -> Any:
    x += 1
    return squares(x, threads)


def wanders(x: Any, threads: int = 1, *, state: list[float]) -> Any:
    state[0] += 1e-12
    return squares(x, threads) + state[0]


@pytest.mark.parametrize(
    ("rule", "compute"),
    [
        ("write", writes),
        ("shape", lambda x, **_: squares(x)[:, None]),
        ("float64", lambda x, **_: squares(x).astype(np.float32)),
        ("agree", lambda x, **_: squares(x) * (1 + 1e-9)),
        ("asked for again", partial(wanders, state=[0.0])),
        ("2 threads", lambda x, threads: squares(x) * (1 + 2e-16 * (threads - 1))),
        ("contiguous", lambda x, **_: squares(x) * (1.0 if x.flags.c_contiguous else 1 + 3e-16)),
        ("sample 0 alone", lambda x, **_: squares(x) * (1 + (3e-16 if len(x) == 1 else 0.0))),
        ("empty", lambda x, **_: squares(x) if len(x) else np.zeros((0, 1))),
    ],
)
def test_each_rule_catches_what_breaks_it(rule: str, compute: Any) -> None:
    with pytest.raises(ConformanceError, match=rule):
        check_kernel(compute, squares, X.copy(), bound=1e-10)


def test_arrays_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        check_kernel(squares, squares, X, X[:2], bound=0.0)
