"""Schedules, variances, rotations, covariances and probabilities."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from pifs_sim.diffusion.schedule import Schedule

__all__ = ["SpdMatrix", "probabilities", "rotations", "schedules", "spd_matrices", "spectra", "variances"]

Array = npt.NDArray[np.float64]


class SpdMatrix(NamedTuple):
    """matrix = eigenvectors @ diag(eigenvalues) @ eigenvectors.T: (d, d), (d,) and (d, d)."""

    matrix: Array
    eigenvalues: Array
    eigenvectors: Array


@st.composite
def schedules(
    draw: st.DrawFn,
    *,
    min_steps: int = 1,
    max_steps: int = 12,
    start: float | None = None,
    stop: float | None = None,
) -> Schedule:
    """Schedules of min_steps..max_steps steps, uniform or wildly uneven (step lengths over eight decades).

    `start` and `stop` fix phi_0 and phi_T, and raise ValueError unless 0 <= start < stop <= pi/2; by default phi_0 is
    0 or a positive angle, and phi_T is pi/2 or below.
    """
    steps = draw(st.integers(min_steps, max_steps))
    ceiling = math.pi / 2 if stop is None else stop
    starts = st.sampled_from([0.0, 1e-3, 0.4]) | st.floats(1e-6, 0.5)
    first = draw(starts.filter(lambda angle: angle < 0.9 * ceiling)) if start is None else start
    if not 0 <= first < ceiling <= math.pi / 2:
        raise ValueError(f"`start` and `stop` must satisfy 0 <= start < stop <= pi/2, got {start!r} and {stop!r}.")
    reach = draw(st.sampled_from([1.0, 0.75]) | st.floats(0.5, 0.999)) if stop is None else 1.0
    last = ceiling if reach == 1.0 else first + (ceiling - first) * reach
    if draw(st.booleans()):
        return Schedule(np.linspace(first, last, steps + 1), "uniform")
    exponents = draw(st.lists(st.floats(-8, 0), min_size=steps, max_size=steps))
    ends = np.cumsum(10.0 ** np.array(exponents))
    angles = first + (last - first) * np.concatenate([[0.0], ends / ends[-1]])
    angles[-1] = last
    return Schedule(angles, "uneven")


def variances(least: float = 1e-6, largest: float = 1e6) -> st.SearchStrategy[float]:
    """Variances in least..largest, even on a logarithmic scale."""
    return st.floats(math.log10(least), math.log10(largest)).map(lambda exponent: float(10.0**exponent))


def spectra(
    min_size: int = 1, max_size: int = 6, least: float = 1e-6, largest: float = 1e6
) -> st.SearchStrategy[Array]:
    """Arrays of variances in least..largest, (m,) for m in min_size..max_size."""
    return st.lists(variances(least, largest), min_size=min_size, max_size=max_size).map(np.array)


@st.composite
def rotations(draw: st.DrawFn, dim: int) -> Array:
    """Orthogonal matrices (dim, dim), Haar distributed over a drawn seed (QR with positive diagonal)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    q, r = np.linalg.qr(rng.standard_normal((dim, dim)))
    return q * np.sign(np.diag(r))


@st.composite
def spd_matrices(draw: st.DrawFn, dim: int, *, least: float = 1e-3, largest: float = 1e3, zeros: int = 0) -> SpdMatrix:
    """Positive semidefinite matrices (dim, dim) with known eigenvalues in least..largest, and `zeros` of them 0."""
    positive = draw(spectra(dim - zeros, dim - zeros, least, largest)) if dim > zeros else np.empty(0)
    eigenvalues = np.concatenate([positive, np.zeros(zeros)])
    q = draw(rotations(dim))
    matrix = (q * eigenvalues) @ q.T
    return SpdMatrix((matrix + matrix.T) / 2, eigenvalues, q)


@st.composite
def probabilities(draw: st.DrawFn, count: int) -> Array:
    """`count` probabilities, (count,), over four decades, some of them 0."""
    exponents = draw(st.lists(st.floats(-4, 0) | st.just(-math.inf), min_size=count - 1, max_size=count - 1))
    weights = 10.0 ** np.array([*exponents, 0.0])
    return np.asarray(weights / weights.sum())
