"""The rules that exponents keep, on the same recorded points: each holds to rounding or within a known bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.dynamics.frames import advance, random_frame
from pifs_sim.testing.derived import Along, Conjugate, Iterate, Reversed
from pifs_sim.testing.subject import EPS, ROUNDING, Subject, compare

__all__ = ["check_conjugate", "check_iterate", "check_prefix", "check_reversal", "check_sums", "check_whole"]

Array = npt.NDArray[np.float64]

_MEANINGFUL = 1e-8


def check_sums(subject: Subject) -> None:
    """sum_j lambda_j = <ln |det Df|>: in each QR prod_j R_jj = |det|, so only rounding is allowed."""
    expected = np.linalg.slogdet(subject.jacobians)[1].sum(axis=0)
    allowed = np.where(expected == -np.inf, 0.0, subject.rounding())
    for averaged in (True, False) if subject.system.length is None else (False,):
        sums = subject.sums(subject.system, subject.points, averaged=averaged).sum(axis=1)
        rule = "the sum of all exponents times steps must be the sum of ln|det Df|"
        compare(rule, f"over {subject.steps} steps", sums, expected, allowed)


def check_whole(subject: Subject) -> None:
    """A whole chain's exponents are the singular values of its product J_N ... J_1, here multiplied out.

    Relative to the largest, these err by the rounding of each multiplication, |J||P|/|J P| units, carried on: the
    first steps are taken, as many as that leaves meaningful.
    """
    batch, d = subject.points.shape[1:]
    product, logs = np.broadcast_to(np.eye(d), (batch, d, d)), np.zeros(batch)
    steps, error = 0, np.zeros(batch)
    for J, norm in zip(subject.jacobians, subject.norms, strict=True):
        longer = J @ product
        size = np.linalg.norm(longer, axis=(1, 2))
        size = np.where(size > 0, size, 1.0)
        carried = (error + subject.unit) * norm / size
        if carried.max() > max(_MEANINGFUL, 10 * subject.unit):
            break
        product, logs = longer / size[:, None, None], logs + np.log(size)
        steps, error = steps + 1, carried
    if steps == 0:
        return
    expected = np.linalg.svd(product, compute_uv=False)
    sums = subject.sums(subject.system, subject.points[: steps + 1], averaged=False)
    got = np.exp(np.minimum(sums - logs[:, None], 700.0))
    rule = "a whole chain's exponents must be the singular values of its product, here relative to its norm"
    compare(rule, f"over {steps} steps", got, expected, error + subject.unit)


def check_prefix(subject: Subject) -> None:
    """k columns of a frame grow as the first k of d do; they are never touched by the others."""
    d, x = subject.system.dim, subject.points[0]
    along = Along(subject.system, subject.points, length=None)
    frame = random_frame(x, d, np.random.default_rng(subject.seed))
    whole = advance(along, x, frame, first=0, steps=subject.steps, interval=1).growth
    for k in sorted({1, d // 2, d - 1} - {0, d}):
        part = advance(along, x, frame[:, :, :k], first=0, steps=subject.steps, interval=1).growth
        rule = f"k={k} exponents must be the first k of d={d}"
        compare(rule, f"over {subject.steps} steps", part, whole[:, :k], subject.rounding())


def check_iterate(subject: Subject, power: int) -> None:
    """lambda(f^m) = m lambda(f): the same product, with QRs m times rarer, so only rounding is allowed."""
    steps = subject.steps // power * power
    points, averaged = subject.points[: steps + 1], subject.system.length is None
    sums = subject.sums(subject.system, points, averaged=averaged)
    iterated = subject.sums(Iterate(subject.system, power), points[::power], averaged=averaged)
    rule = f"the exponents of the iterate by m={power} must be m times those of the system"
    compare(rule, f"over {steps} steps", iterated, sums, subject.rounding(power))


def check_conjugate(subject: Subject, rng: np.random.Generator) -> None:
    """y = S x changes no ln sigma_j(A) by more than ln cond(S), since sigma_j(S A S^{-1}) lies within that factor."""
    d = subject.system.dim
    left, right = (np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2))
    stretch = np.geomspace(0.5, 2.0, d) if d > 1 else np.array([2.0])
    S = (left * stretch) @ right
    bound = float(np.log(stretch.max() / stretch.min()))
    sums = subject.sums(subject.system, subject.points, averaged=False)
    other = subject.sums(Conjugate(subject.system, S), subject.points @ S.T, averaged=False)
    rule = "exponents times steps must not depend on coordinates, y = S x, beyond ln cond(S)"
    compare(rule, f"over {subject.steps} steps", other, sums, bound + 16 * subject.rounding())


def check_reversal(subject: Subject, inverse: Callable[[Any, int], Any]) -> None:
    """`inverse` goes back along the orbits, and its exponents are the negatives in reverse, to rounding."""
    with np.errstate(divide="ignore"):
        shrink = 1 / subject.singular_values[..., -1]
    for n in range(subject.steps):
        back = inverse(subject.points[n + 1], n)
        size = np.abs(subject.points[n]).max(axis=1) + shrink[n] * subject.sizes[n]
        compare("`inverse` must lead back", f"at step n={n}", back, subject.points[n], ROUNDING * EPS * size)
    backwards = Reversed(subject.system, inverse, subject.steps)
    sums = subject.sums(subject.system, subject.points, averaged=False)
    found = subject.sums(backwards, subject.points[::-1], averaged=False)
    rule = "exponents of the inverse must be the negatives in reverse"
    compare(rule, f"over {subject.steps} steps", found, -sums[:, ::-1], 16 * subject.rounding(2))
