"""What attention refuses, and the kinds and precisions that it keeps."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pifs_sim.diffusion import Chain
from pifs_sim.diffusion.denoisers import AttentionDenoiser
from pifs_sim.diffusion.schedules import cosine
from pifs_sim.dynamics import Patches, memory
from tests.diffusion import attending

PATCHES, HALF_PI = Patches(6, 2), math.pi / 2
VALUES = ("mean", "noise", "weights", "entropy")


def cast(case: attending.Case, xp: Any, dtype: Any) -> AttentionDenoiser:
    """The same denoiser with its parameters of another kind."""
    names = ("codebook", "bias", "maps", "offsets")
    parameters = {name: getattr(case.denoiser, name) for name in names}
    parameters = {name: None if p is None else xp.asarray(p, dtype=dtype) for name, p in parameters.items()}
    return AttentionDenoiser(case.denoiser.patches, temperature=case.denoiser.temperature, **parameters)


@pytest.mark.parametrize("kind", attending.KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("own", [False, True])
def test_other_array_kinds_and_precisions_are_kept(kind: str, dtype: str, own: bool) -> None:
    """Points of any kind with NumPy parameters, or with parameters of their own kind."""
    case = attending.case(PATCHES, kind, 3)
    for xp in (np, strict):
        of_kind = getattr(xp, dtype)
        denoiser = cast(case, xp, of_kind) if own else case.denoiser
        x = xp.asarray(case.x, dtype=of_kind)
        tolerance = 2e-5 if dtype == "float32" else 1e-13
        for angle in (0.0, 0.8, HALF_PI):
            expected = case.denoiser.posterior(case.x, angle)
            with strict.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False):
                posterior = denoiser.posterior(x, angle)
                found = [getattr(posterior, name) for name in VALUES]
                found += [posterior.mean_jacobian.dense(), posterior.noise_jacobian.dense()]
            wanted = [getattr(expected, name) for name in VALUES]
            wanted += [expected.mean_jacobian.dense(), expected.noise_jacobian.dense()]
            for got, right in zip(found, wanted, strict=True):
                assert isinstance(got, type(x))
                assert got.dtype == of_kind
                assert_allclose(np.asarray(got), right, rtol=0, atol=tolerance * (1 + np.abs(right).max()))


@given(seed=st.integers(0, 2**32 - 1), angle=st.floats(1e-3, 1.5), kind=st.sampled_from(attending.KINDS))
def test_single_precision_picks_another_domain_only_at_a_near_tie(seed: int, angle: float, kind: str) -> None:
    """Where the best weights differ, the exact logits do by less than 50 eps (1 + the largest), eps of float32."""
    soft, x = attending.case(PATCHES, kind, seed)
    x = x.astype(np.float32)
    single = np.argmax(soft.attention(x, angle), axis=-1)
    pairs = list(np.ndindex(3, soft.domains))
    logits = np.array([[attending.logit(soft, p[PATCHES.indices], pair, angle) for pair in pairs] for p in x + 0.0])
    logits = logits.astype(np.float64).reshape(2, 3, -1)
    chosen = np.take_along_axis(logits, single[:, :, None], axis=-1)[..., 0]
    largest = np.abs(np.where(np.isfinite(logits), logits, 0.0)).max()
    assert np.all(logits.max(axis=-1) - chosen <= 50 * np.finfo(np.float32).eps * (1 + largest))


def test_a_chain_keeps_single_precision() -> None:
    case = attending.case(PATCHES, "maps", 1)
    chain, x = Chain(cosine(4), case.denoiser), case.x.astype(np.float32)
    assert chain.run(x).dtype == np.float32
    assert chain.tangent(x, 0, np.ones((2, 6, 1), dtype=np.float32))[1].dtype == np.float32
    assert_allclose(chain.run(x), chain.run(case.x), rtol=0, atol=1e-4)


def test_many_points_are_treated_in_parts() -> None:
    """More numbers than are differenced at once: each sample is as if alone."""
    rng = np.random.default_rng(0)
    denoiser = AttentionDenoiser(Patches(64, 16), rng.standard_normal((2000, 16)))
    x = rng.standard_normal((70, 64))
    together, last = denoiser.posterior(x, 0.5), denoiser.posterior(x[-1:], 0.5)
    assert_allclose(together.mean[-1:], last.mean, rtol=0, atol=1e-13)
    assert_allclose(together.mean_jacobian.blocks[-1:], last.mean_jacobian.blocks, rtol=0, atol=1e-12)


def test_no_points_give_no_estimates() -> None:
    for kind in attending.KINDS:
        posterior = attending.case(PATCHES, kind, 0).denoiser.posterior(np.zeros((0, 6)), 0.5)
        assert posterior.mean.shape == posterior.noise.shape == (0, 6)


@pytest.mark.parametrize("angle", [5e-324, 1e-300, 1e-160, 1e-20])
@pytest.mark.parametrize("kind", attending.KINDS)
def test_tiny_angles_are_like_angle_zero(kind: str, angle: float) -> None:
    denoiser, x = attending.case(PATCHES, kind, 0)
    near, end = denoiser.posterior(x, angle), denoiser.posterior(x, 0.0)
    assert np.array_equal(near.weights, end.weights)
    assert np.array_equal(near.mean, end.mean)
    assert np.array_equal(near.mean_jacobian.dense(), end.mean_jacobian.dense())
    assert not np.isnan(near.noise).any()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("patches", 6), ("patches", None),
        ("codebook", np.zeros((4, 3))), ("codebook", np.zeros((2, 4, 2))), ("codebook", np.zeros(2)),
        ("codebook", np.zeros((0, 2))), ("codebook", [[np.nan, 0]]), ("codebook", [["a", "b"]]),
        ("temperature", -1.0), ("temperature", math.nan), ("temperature", math.inf), ("temperature", "1"),
        ("bias", np.zeros(3)), ("bias", np.zeros((3, 2))), ("bias", np.full((3, 3), math.inf)),
        ("bias", np.full((3, 3), math.nan)), ("bias", np.full((3, 3), -math.inf)),
        ("maps", np.eye(3)), ("maps", np.zeros((2, 2, 2))), ("maps", np.zeros((3, 2, 2, 2))), ("maps", np.zeros(2)),
        ("maps", [[np.inf, 0], [0, 1]]), ("offsets", np.zeros(5)), ("offsets", np.zeros((1, 6))),
        ("offsets", [math.nan] * 6),
    ],
    ids=repr,
)  # fmt: skip
def test_bad_parameters_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        AttentionDenoiser(**{"patches": PATCHES, name: value})


@pytest.mark.parametrize("name", ["maps", "offsets"])
def test_a_codebook_is_not_carried_to_the_ranges(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        AttentionDenoiser(PATCHES, np.zeros((4, 2)), **{name: np.eye(2) if name == "maps" else np.zeros(6)})


@pytest.mark.parametrize("angle", [-0.1, 1.6, math.nan, [0.1], "one", None], ids=str)
def test_bad_angles_are_refused_by_name(angle: Any) -> None:
    with pytest.raises(ValueError, match="`angle`"):
        AttentionDenoiser(PATCHES).posterior(np.zeros((2, 6)), angle)


@pytest.mark.parametrize("x", [np.zeros(6), np.zeros((1, 5)), "x", None, np.zeros((1, 6), complex)], ids=str)
def test_bad_points_are_refused_by_name(x: Any) -> None:
    with pytest.raises(ValueError, match="`x`"):
        AttentionDenoiser(PATCHES).posterior(x, 0.5)


def test_what_only_a_data_law_has_is_refused_elsewhere() -> None:
    law = AttentionDenoiser(PATCHES, np.zeros((4, 2)))
    warm, own = AttentionDenoiser(PATCHES, np.zeros((4, 2)), temperature=2.0), AttentionDenoiser(PATCHES)
    x = np.zeros((1, 6))
    assert law.posterior(x, 0.5).log_density.shape == (1,)
    for denoiser in (warm, own):
        for name in ("covariance", "log_density"):
            with pytest.raises(ValueError, match=f"`{name}` has no meaning"):
                getattr(denoiser.posterior(x, 0.5), name)
    with pytest.raises(ValueError, match="`covariance`"):
        own.posterior_covariance(x, 0.5)
    with pytest.raises(ValueError, match="`measure`"):
        Chain(cosine(3), own).sample(2, np.random.default_rng(0))


def test_attention_that_cannot_fit_names_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    few = AttentionDenoiser(Patches(1 << 14, 1 << 6)).posterior(np.zeros((8, 1 << 14)), 0.5)
    assert few.weights.shape == (8, 1 << 8, 1 << 8)
    monkeypatch.setattr(memory, "available_memory", lambda: 2.0**28)
    with pytest.raises(ValueError, match=r"the Jacobian of attention needs 0\.5 GiB"):
        few.mean_jacobian  # noqa: B018
    with pytest.raises(ValueError, match="attention needs 16 GiB"):
        AttentionDenoiser(Patches(1 << 15, 1)).attention(np.zeros((1, 1 << 15)), 0.5)
