"""Attention written down once more, one range and domain at a time, for real or complex points; and random cases."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from pifs_sim.diffusion.denoisers import AttentionDenoiser
from pifs_sim.dynamics import Patches

HALF_PI = math.pi / 2
PARTITIONS = (Patches(6, 2), Patches(4, 4), Patches(3, 1), Patches((4, 4), 2), Patches((2, 4, 2), (2, 1)))


class Case(NamedTuple):
    """A denoiser with two points."""

    denoiser: AttentionDenoiser
    x: np.ndarray


def value(denoiser: AttentionDenoiser, parts: np.ndarray, pair: tuple[int, int], cos: float) -> np.ndarray:
    """The clean patch that domain j offers to range k, for patches (M, n)."""
    k, j = pair
    if denoiser.codebook is not None:
        return (denoiser.codebook if denoiser.codebook.ndim == 2 else denoiser.codebook[k])[j]
    M, n = parts.shape
    image = cos * parts[j]
    if denoiser.maps is not None:
        image = np.broadcast_to(denoiser.maps, (M, M, n, n))[k, j] @ image
    return image if denoiser.offsets is None else image + denoiser.offsets[denoiser.patches.indices[k]]


def logit(denoiser: AttentionDenoiser, parts: np.ndarray, pair: tuple[int, int], angle: float) -> Any:
    """b - |x_k - c y|^2/(2 tau s^2)."""
    cos, sin = math.cos(angle), math.sin(angle)
    apart = parts[pair[0]] - cos * value(denoiser, parts, pair, cos)
    bias = 0.0 if denoiser.bias is None else denoiser.bias[pair]
    return bias - np.sum(apart**2) / (2 * denoiser.temperature * sin**2)


def attention(denoiser: AttentionDenoiser, x: np.ndarray, angle: float) -> np.ndarray:
    """Weights (M, D) at one point (d,)."""
    parts, rows = x[denoiser.patches.indices], []
    for k in range(len(parts)):
        logits = np.array([logit(denoiser, parts, (k, j), angle) for j in range(denoiser.domains)])
        powers = np.exp(logits - logits.real.max())
        rows.append(powers / powers.sum())
    return np.array(rows)


def estimate(denoiser: AttentionDenoiser, x: np.ndarray, angle: float) -> np.ndarray:
    """x_hat (d,) at one point (d,)."""
    parts, weights, found = x[denoiser.patches.indices], attention(denoiser, x, angle), np.empty_like(x)
    for k, row in enumerate(weights):
        values = [value(denoiser, parts, (k, j), math.cos(angle)) for j in range(len(row))]
        found[denoiser.patches.indices[k]] = sum(w * y for w, y in zip(row, values, strict=True))
    return found


def jacobian(denoiser: AttentionDenoiser, x: np.ndarray, angle: float) -> np.ndarray:
    """Jacobian (d, d) of the estimate at one point by complex steps, which neither cancel nor truncate."""
    steps = x + 1e-30j * np.eye(x.size)
    return np.stack([estimate(denoiser, step, angle).imag / 1e-30 for step in steps], axis=1)


def case(patches: Patches, kind: str, seed: int, temperature: float = 1.0) -> Case:
    """Random points of size 1, and domains about as large, so that weights are neither all equal nor all hard."""
    rng, M, n = np.random.default_rng(seed), patches.count, patches.length
    given: dict[str, Any] = {"temperature": temperature}
    if kind in ("codebook", "own codebooks"):
        given["codebook"] = rng.standard_normal((5, n) if kind == "codebook" else (M, 5, n))
        given["bias"] = rng.standard_normal((M, 5))
    elif kind in ("maps", "one map"):
        given["maps"] = rng.standard_normal((M, M, n, n) if kind == "maps" else (n, n)) / math.sqrt(n)
        given["offsets"] = rng.standard_normal(patches.dim)
        given["bias"] = np.where(rng.random((M, M)) < 0.2, -np.inf, rng.standard_normal((M, M)))
        given["bias"][:, 0] = 0.5
    return Case(AttentionDenoiser(patches, **given), rng.standard_normal((2, patches.dim)))


KINDS = ("self", "maps", "one map", "codebook", "own codebooks")
CASES = st.builds(
    case,
    st.sampled_from(PARTITIONS),
    st.sampled_from(KINDS),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1.0]) | st.floats(0.1, 10.0),
)
SELF_CASES = st.builds(
    case,
    st.sampled_from(PARTITIONS),
    st.sampled_from(KINDS[:3]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1.0]) | st.floats(0.1, 10.0),
)
