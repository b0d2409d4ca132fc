"""Norms, quotients and suppression keep the precision and the kind of the measure's arrays."""

from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import (
    Chain,
    ensemble_mean,
    exact_denoiser,
    leading_directions,
    marginals,
    patch_contraction,
    rayleigh_quotients,
    suppression,
)
from pifs_sim.diffusion.measures import Gaussian, PointCloud
from tests.diffusion.test_patchwise import PATCHES, SCHEDULE, TILTED

POINTS = np.random.default_rng(0).standard_normal((3, 4))


def measured(measure: Any) -> dict[str, Any]:
    chain = Chain(SCHEDULE, exact_denoiser(measure))
    x = marginals(chain, 3, np.random.default_rng(0))
    U = leading_directions(measure.covariance, PATCHES).directions
    norms = patch_contraction(chain, x, PATCHES)
    return {
        "own": norms.own,
        "row margin": norms.row_margin,
        "norm": norms.norm,
        "patchwise": suppression(chain, x, PATCHES),
        "full": suppression(chain, x, PATCHES, reference="full"),
        "mean quotient": ensemble_mean(rayleigh_quotients(chain, x, U)).value,
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("xp", [np, strict], ids=["numpy", "strict"])
@pytest.mark.parametrize("kind", ["Gaussian", "points"])
def test_precision_and_kind_are_kept(xp: Any, dtype: str, kind: str) -> None:
    def made(namespace: Any, name: str) -> Any:
        arrays = (np.ones(4), TILTED) if kind == "Gaussian" else (POINTS,)
        arrays = tuple(namespace.asarray(array, dtype=getattr(namespace, name)) for array in arrays)
        return Gaussian(*arrays) if kind == "Gaussian" else PointCloud(*arrays)

    with strict.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False):
        found = measured(made(xp, dtype))
    for name, expected in measured(made(np, "float64")).items():
        assert found[name].dtype == getattr(xp, dtype)
        assert isinstance(found[name], type(xp.asarray(0.0)))
        assert_allclose(np.asarray(found[name]), expected, atol=2e-5 if dtype == "float32" else 1e-14)
