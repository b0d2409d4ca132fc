"""The regulariser sum_{k, j != k} |[J eps_hat]_kj|_F^2 from JVPs: unbiased if the diagonal block is removed per probe.

For a probe z with E z z^T = I and its part z^(k) without patch k,

    E sum_k |[J z^(k)]_k|^2 = sum_k sum_{j != k} |[J]_kj|_F^2,          [J z^(k)]_k = [J z]_k - [J]_kk z_k,

M JVPs a probe, or one for a patch k drawn at random, times M. VJPs give the same of J^T. The other patches' responses
to one patch's probe, sum_{j != k} |[J z_k]_j|^2, are the same sum by columns. The whole |J z|^2 keeps the diagonal
blocks, which are about 1/sin phi where the data are flat, far above the coupling.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, close
from theory.instruments import EPS
from theory.marginals import Array, Law, drawn_law

JVP = Callable[[Any], Any]  # probes (P, d) to their images (P, d)
k, M = sp.symbols("k M", integer=True)
part, others = sp.Symbol(r"{‖[J z^{(k)}]_{k}‖^{2}}"), sp.Symbol(r"{\sum_{j \neq k} ‖[J]_{kj}‖_{F}^{2}}")


def squares(blocks: Any) -> Any:
    """|.|^2 of patches, (P, M, n) to (P, M)."""
    return (blocks**2).sum(axis=2)


def parts(z: Any, size: int) -> Iterator[tuple[int, Any, Any]]:
    """Every patch k, the probes without it and the probes of it alone, (P, d)."""
    for k in range(z.shape[1] // size):
        inside = np.arange(z.shape[1]) // size == k
        yield k, np.where(inside, 0, z), np.where(inside, z, 0)


def removed(jvp: JVP, z: Any, size: int) -> Any:
    """sum_k |[J z^(k)]_k|^2, the probe without the patch k."""
    shape = (len(z), -1, size)
    return sum(squares(jvp(rest).reshape(shape))[:, k] for k, rest, _ in parts(z, size))


def by_columns(jvp: JVP, z: Any, size: int) -> Any:
    """sum_k sum_{j != k} |[J z_k]_j|^2, the probe's patch k alone."""
    shape = (len(z), -1, size)
    found = [squares(jvp(patch).reshape(shape)) for _, _, patch in parts(z, size)]
    return sum(values.sum(axis=1) - values[:, k] for k, values in enumerate(found))


def kept(jvp: JVP, z: Any, size: int) -> Any:
    """|J z|^2: nothing removed."""
    return squares(jvp(z).reshape(len(z), -1, size)).sum(axis=1)


def own(jvp: JVP, z: Any, size: int) -> Any:
    """sum_k |[J z_k]_k|^2: the diagonal blocks alone."""
    shape = (len(z), -1, size)
    return sum(squares(jvp(patch).reshape(shape))[:, k] for k, _, patch in parts(z, size))


def of_the_mean(jvp: JVP, z: Any, size: int) -> Any:
    """The square of the probes' mean response in place of the mean square."""
    return removed(jvp, (z + z[::-1]) / 2, size)


def too_often(jvp: JVP, z: Any, size: int) -> Any:
    """Scaled by M/(M - 1), as if the removed patch were a lost sample."""
    count = z.shape[1] // size
    return removed(jvp, z, size) * sp.Rational(count, count - 1)


CLAIM = Claim(
    label="pifs-regulariser",
    source="Dooms 2026, arXiv:2603.13069, section 3, as summarised; the estimator is derived here",
    statement="For probes with E zzᵀ = I, Σ_k ‖[J z^(k)]_k‖², z^(k) the probe without patch k, estimates "
    "Σ_{k, j≠k} ‖[Jε̂]_kj‖²_F by M JVPs (of Jᵀ: VJPs) without bias; not so with the diagonal blocks left in.",
    equation=sp.Eq(sp.Symbol("E") * sp.Sum(part, (k, 1, M)), sp.Sum(others, (k, 1, M)), evaluate=False),
    formula=removed,
    assumptions="probes with mean square I; patches of one size, two or more",
    scope="any Jacobian; the mean over all vectors of signs, exactly; measured on the noise estimates of mixtures",
    witness={
        "two patches of two": {"law": drawn_law(1, 4, 3), "size": 2, "angle": 0.7, "seed": 1},
        "four patches of one": {"law": drawn_law(2, 4, 2), "size": 1, "angle": 0.3, "seed": 2},
        "three patches of one": {"law": drawn_law(3, 3, 3), "size": 1, "angle": 1.1, "seed": 3},
    },
    mutants={
        "the diagonal block left in": kept,
        "the diagonal blocks alone": own,
        "the mean response squared": of_the_mean,
        "scaled by M/(M - 1)": too_often,
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "law": st.builds(drawn_law, st.integers(0, 2**32 - 1), st.just(4), st.sampled_from([1, 2, 3])),
    "size": st.sampled_from([1, 2]),
    "angle": st.floats(0.05, 1.5),
    "seed": st.integers(0, 2**32 - 1),
}


def signs(dim: int) -> Any:
    """All vectors of signs, (2^d, d)."""
    return np.array(list(itertools.product([1, -1], repeat=dim)))


def prove(formula: Formula) -> Iterator[Obligation]:
    """Three patches of one coordinate: the mean over all signs, any Jacobian."""
    J = np.array(sp.symbols("J_1:4_1:4")).reshape(3, 3)
    z = signs(3).astype(object)
    mean = sum(formula(lambda v: v @ J.T, z, 1)) * sp.Rational(1, len(z))
    yield Identity("the mean over all signs", sp.expand(mean - (J**2).sum() + (np.diag(J) ** 2).sum()))
    yield NotProved("any number and size of patches, any probes", "E |A z|^2 = tr A E(z z^T) A^T (a proof assistant)")


def observe(estimate: Any, jacobian: Any, size: int) -> float:
    """The mean of an estimate over all signs, from products of the Jacobian with probes alone."""

    def jvp(z: Array) -> Array:
        return np.asarray((jacobian @ z.T[None])[0].T)

    return float(
        np.mean(np.asarray(estimate(jvp, signs(jacobian.shape[1]).astype(np.float64), size), dtype=np.float64))
    )


def holds(formula: Formula, law: Law, size: int, angle: float, seed: int) -> float:
    """The mean is the sum of squares off the diagonal blocks; by columns and by VJPs too."""
    x = np.random.default_rng(seed).standard_normal((1, law.dim))
    jacobian = law.denoiser.posterior(x, angle).noise_jacobian
    count, dense = law.dim // size, jacobian.dense()[0]
    blocks = (dense.reshape(count, size, count, size) ** 2).sum(axis=(1, 3))
    wanted, tolerance, scale = blocks[~np.eye(count, dtype=bool)].sum(), 64 * EPS * law.dim, float(blocks.sum())
    close("by VJPs", observe(removed, jacobian.T, size), wanted, tolerance, scale)
    close("by columns", observe(by_columns, jacobian, size), wanted, tolerance, scale)
    return close("the mean estimate", observe(formula, jacobian, size), wanted, tolerance, scale)
