"""Random systems of affine maps whose constants are known from their construction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from pifs_sim.fractals import IFS

__all__ = ["Known", "contractions", "similar"]


class Known(NamedTuple):
    """An IFS of A_i = c_i S^-1 Q_i S, so of constants c_i in the norm |S x|."""

    ifs: IFS
    ratios: Any
    S: Any


def rotation(rng: np.random.Generator, d: int) -> Any:
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    return q * np.sign(np.diag(r))


def build(seed: int, count: int, d: int, largest: float, skew: float) -> Known:
    rng = np.random.default_rng(seed)
    ratios = largest * rng.uniform(0.3, 1.0, count)
    ratios[0] = largest
    S = rotation(rng, d) * np.exp(skew * np.linspace(-1.0, 1.0, d))[:, None] @ rotation(rng, d)
    Q = np.array([rotation(rng, d) for _ in range(count)])
    matrices = ratios[:, None, None] * (np.linalg.inv(S) @ Q @ S)
    p = rng.uniform(0.2, 1.0, count)
    return Known(IFS(matrices, rng.standard_normal((count, d)), p / p.sum()), ratios, S)


def contractions(max_dim: int = 3, *, largest: float = 0.95, skew: float = 1.5) -> st.SearchStrategy[Known]:
    """Conjugates of similarities, of condition e^(2 skew) at most."""
    return st.builds(
        build,
        st.integers(0, 2**32 - 1),
        st.integers(1, 5),
        st.integers(1, max_dim),
        st.floats(0.2, largest),
        st.floats(0, skew),
    )


def similar(max_dim: int = 3) -> st.SearchStrategy[Known]:
    """Similarities."""
    return contractions(max_dim, skew=0.0)
