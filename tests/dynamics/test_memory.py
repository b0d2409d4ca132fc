"""What cannot fit is refused before it is allocated, and says how much it needs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.measures import PointCloud
from pifs_sim.dynamics import memory, operators
from pifs_sim.dynamics.memory import available_memory, check_memory

WIDE = 2**21  # a matrix of that many rows and columns has 32 TiB


def test_some_memory_is_left() -> None:
    assert 2**20 < available_memory() < math.inf


def test_what_fits_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 2.0**30)
    check_memory("a table", (2**27,))
    check_memory("a table", (2**14, 2**14), 4)


def test_the_memory_needed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 2.0**30)
    with pytest.raises(ValueError, match=r"^a table needs 4 GiB of memory, where 1 GiB are left\.$"):
        check_memory("a table", (2**14, 2**15))


def test_moments_samples_and_posteriors_that_cannot_fit_are_refused() -> None:
    law = PointCloud(np.zeros((1, WIDE)))
    with pytest.raises(ValueError, match=r"`covariance` needs 6.554e\+04 GiB"):
        law.covariance  # noqa: B018
    with pytest.raises(ValueError, match="`sample` needs"):
        law.sample(2**22, np.random.default_rng(0))
    with pytest.raises(ValueError, match="the posterior needs"):
        exact_denoiser(PointCloud(np.zeros((WIDE, 1)))).posterior(np.zeros((WIDE, 1)), 0.5)


def test_dense_forms_that_cannot_fit_are_refused() -> None:
    column = np.ones((WIDE, 1))
    for operator in (
        operators.Spectral(np.ones(WIDE)),
        operators.ScalarLowRank(1.0, column),
        operators.DiagonalLowRank(np.ones(WIDE), column),
        operators.WeightedCovariance(np.ones(1), np.ones(1), np.ones((1, 1)), column.T),
        operators.DirectSum([operators.Spectral(np.ones(WIDE))]),
    ):
        with pytest.raises(ValueError, match=r"a dense form needs 3.277e\+04 GiB of memory, where"):
            operator.dense()


@pytest.mark.parametrize(("limit", "left"), [("1000000", 400_000.0), ("max", math.inf)])
def test_a_control_group_leaves_what_it_does_not_hold(
    limit: str, left: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.stat").write_text("anon 600000\nfile 300000\n")
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    assert min(available_memory(), 1e6) == min(left, 1e6)
