"""Maps of the line and the plane, 64 orbits side by side so that the loop over orbits runs in vector registers.

In the plane only the first frame vector v is propagated: with D the product of the Jacobian determinants, R_11 = |v|
and R_22 = |D|/|v|. Growth is kept as mantissa * 2^exponent, the exponent an integer read from the float's bits, so no
logarithm is taken per step and sums over long runs do not round. A determinant within rounding of 0 is 0. Nothing is
orthogonalised, so the frame's condition does not matter and the reported spread is 0.

The state of a block of orbits is one flat buffer, row r at 64 r: the compiler sees that rows do not overlap.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit, types

from pifs_sim.kernels.orbits.forms import compiled, first_of

if TYPE_CHECKING:
    from pifs_sim.kernels.orbits.rule import Rule

__all__ = ["build", "signature"]

W = 64
LN2 = math.log(2.0)
TINY, HUGE = 1e-290, 1e290
EXPONENT, MANTISSA, HALF = 0x7FF, 0x800FFFFFFFFFFFFF - (1 << 64), 0x3FE0000000000000
EPS4 = 8.881784197001252e-16


def signature(dtype: Any) -> tuple[Any, ...]:
    """Numba types of the kernel's arguments for points of a dtype."""
    real = types.float32 if np.dtype(dtype) == np.float32 else types.float64
    integers = (types.int64,) * 3
    points, frames, numbers = types.Array(real, 2, "C"), types.Array(real, 3, "C"), types.Array(types.float64, 2, "C")
    return (points, frames, numbers, numbers, types.Array(types.boolean, 1, "C"), *integers)


def build(rule: Rule) -> Any:
    """The kernel of a rule of dimension 1 or 2 whose functions take a tuple."""
    return _line(rule) if rule.dim == 1 else _plane(rule)


def _line(rule: Rule) -> Any:
    step, jacobian = compiled(rule.step), compiled(rule.jacobian)

    def kernel(x: Any, V: Any, growth: Any, facts: Any, overflowed: Any, first: int, steps: int, interval: int) -> None:
        S, E = np.empty(5 * W), np.empty(W, np.int64)
        bits = S.view(np.int64)
        for begin in range(0, x.shape[0], W):
            count = min(W, x.shape[0] - begin)
            for w in range(count):
                S[w], S[W + w], S[2 * W + w] = x[begin + w, 0], 1.0, 0.0  # x, product, dead
                S[3 * W + w], S[4 * W + w] = 0.0, 0.0  # out of range, largest size
                E[w] = 0
            since = 0
            for n in range(first, first + steps):
                for w in range(count):
                    point = (S[w],)
                    slope = float(first_of(first_of(jacobian(point, n))))
                    S[W + w] *= slope
                    S[2 * W + w] = 1.0 if slope == 0.0 else S[2 * W + w]
                    S[w] = float(first_of(step(point, n)))
                since += 1
                if since == interval or n == first + steps - 1:
                    since = 0
                    for w in range(count):
                        size = abs(S[W + w])
                        within = (size > TINY) & (size < HUGE)
                        S[3 * W + w] = S[3 * W + w] if within or S[2 * W + w] > 0.0 else 1.0
                        S[W + w] = size if within else 1.0
                    for w in range(count):
                        power = ((bits[W + w] >> 52) & EXPONENT) - 1022
                        E[w] += power
                        bits[W + w] = (bits[W + w] & MANTISSA) | HALF
                        S[4 * W + w] = max(S[4 * W + w], abs(float(power)))
            for w in range(count):
                b = begin + w
                x[b, 0] = S[w]
                V[b, 0, 0] = 1.0
                growth[b, 0] = -math.inf if S[2 * W + w] > 0.0 else E[w] * LN2 + math.log(S[W + w])
                facts[b, 1] = S[4 * W + w] * LN2
                overflowed[b] = S[3 * W + w] > 0.0 and math.isfinite(S[w])

    return njit(nogil=True, error_model="numpy", fastmath={"contract"})(kernel)


def _plane(rule: Rule) -> Any:
    step, jacobian = compiled(rule.step), compiled(rule.jacobian)

    def kernel(x: Any, V: Any, growth: Any, facts: Any, overflowed: Any, first: int, steps: int, interval: int) -> None:
        S, E = np.empty(11 * W), np.empty(2 * W, np.int64)
        bits = S.view(np.int64)
        k = V.shape[2]
        for begin in range(0, x.shape[0], W):
            count = min(W, x.shape[0] - begin)
            for w in range(count):
                b = begin + w
                S[w], S[W + w], S[2 * W + w], S[3 * W + w] = x[b, 0], x[b, 1], V[b, 0, 0], V[b, 1, 0]
                S[4 * W + w] = 1.0  # product of the determinants since the last renormalisation
                S[5 * W + w] = S[6 * W + w] = S[7 * W + w] = 0.0  # v dead, determinant 0, out of range
                S[8 * W + w] = S[9 * W + w] = 1.0  # mantissas of R_11 and of |D|
                S[10 * W + w] = 0.0  # largest size
                E[w] = E[W + w] = 0
            since = 0
            for n in range(first, first + steps):
                for w in range(count):
                    point = (S[w], S[W + w])
                    rows = jacobian(point, n)
                    a, b_, c, d = float(rows[0][0]), float(rows[0][1]), float(rows[1][0]), float(rows[1][1])
                    v0, v1 = S[2 * W + w], S[3 * W + w]
                    S[2 * W + w], S[3 * W + w] = a * v0 + b_ * v1, c * v0 + d * v1
                    ad, bc = a * d, b_ * c
                    det = ad - bc
                    flat = not (abs(det) > EPS4 * (abs(ad) + abs(bc)))
                    S[4 * W + w] *= det
                    S[6 * W + w] = 1.0 if flat else S[6 * W + w]
                    image = step(point, n)
                    S[w], S[W + w] = float(image[0]), float(image[1])
                since += 1
                if since == interval or n == first + steps - 1:
                    since = 0
                    for w in range(count):
                        v0, v1 = S[2 * W + w], S[3 * W + w]
                        largest = max(abs(v0), abs(v1))
                        scale = 1.0 / largest if largest > 0.0 else 1.0
                        v0, v1 = v0 * scale, v1 * scale
                        length = math.sqrt(v0 * v0 + v1 * v1)
                        inverse = 1.0 / length if length > 0.0 else 0.0
                        S[2 * W + w], S[3 * W + w] = v0 * inverse, v1 * inverse
                        size, area = largest * length, abs(S[4 * W + w])
                        S[5 * W + w] = S[5 * W + w] if largest != 0.0 else 1.0
                        within = (size > TINY) & (size < HUGE)
                        S[7 * W + w] = S[7 * W + w] if within or largest == 0.0 else 1.0
                        S[8 * W + w] *= size if within else 1.0
                        inside = (area > TINY) & (area < HUGE)
                        S[7 * W + w] = S[7 * W + w] if inside or S[6 * W + w] > 0.0 or k == 1 else 1.0
                        S[9 * W + w] *= area if inside else 1.0
                        S[4 * W + w] = 1.0
                    for w in range(count):
                        p = ((bits[8 * W + w] >> 52) & EXPONENT) - 1022
                        q = ((bits[9 * W + w] >> 52) & EXPONENT) - 1022
                        E[w] += p
                        E[W + w] += q
                        bits[8 * W + w] = (bits[8 * W + w] & MANTISSA) | HALF
                        bits[9 * W + w] = (bits[9 * W + w] & MANTISSA) | HALF
                        S[10 * W + w] = max(S[10 * W + w], abs(float(p)), abs(float(q - p)))
            for w in range(count):
                b = begin + w
                x[b, 0], x[b, 1] = S[w], S[W + w]
                v0, v1 = S[2 * W + w], S[3 * W + w]
                V[b, 0, 0], V[b, 1, 0] = v0, v1
                dead = S[5 * W + w] > 0.0
                growth[b, 0] = -math.inf if dead else E[w] * LN2 + math.log(S[8 * W + w])
                if k == 2:
                    V[b, 0, 1], V[b, 1, 1] = -v1, v0
                    volume = E[W + w] * LN2 + math.log(S[9 * W + w])
                    growth[b, 1] = -math.inf if dead or S[6 * W + w] > 0.0 else volume - growth[b, 0]
                facts[b, 1] = S[10 * W + w] * LN2
                overflowed[b] = S[7 * W + w] > 0.0 and math.isfinite(S[w]) and math.isfinite(S[W + w])

    return njit(nogil=True, error_model="numpy", fastmath={"contract"})(kernel)
