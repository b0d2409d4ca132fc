"""Maps of the line and the plane, 64 orbits side by side so that the loop over orbits runs in vector registers.

In the plane only the first frame vector v is propagated: with D the product of the Jacobian determinants, R_11 = |v|
and R_22 = |D|/|v|. Growth is kept as mantissa * 2^exponent, the exponent an integer read from the float's bits, so no
logarithm is taken per step and sums over long runs do not round. A determinant within rounding of 0 is 0. Nothing is
orthogonalised, so the frame's condition does not matter and the reported spread is 0. A determinant that is 0 makes the
product nan, which stays: a flag that costs no memory. Four steps are taken between two visits to memory.

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
EPS8 = 1.7763568394002505e-15  # a difference this small against its terms is rounding


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
    step, jacobian = compiled(rule.step, contract=False), compiled(rule.jacobian)

    def one(x: float, product: float, n: int) -> Any:
        slope = float(first_of(first_of(jacobian((x,), n))))
        product *= slope if slope != 0.0 else math.nan  # nan stays: dead
        return float(first_of(step((x,), n))), product

    advance = njit(error_model="numpy")(one)

    def kernel(x: Any, V: Any, growth: Any, facts: Any, overflowed: Any, first: int, steps: int, interval: int) -> None:
        S, E = np.empty(5 * W), np.empty(W, np.int64)
        bits = S.view(np.int64)
        for begin in range(0, x.shape[0], W):
            count = min(W, x.shape[0] - begin)
            for w in range(count):
                S[w], S[W + w], S[2 * W + w] = x[begin + w, 0], 1.0, 0.0  # x, product, dead
                S[3 * W + w], S[4 * W + w] = 0.0, 0.0  # out of range, largest size
                E[w] = 0
            n, since = first, 0
            while n < first + steps:
                if min(interval - since, first + steps - n) >= 4:
                    for w in range(count):
                        y, product = advance(S[w], S[W + w], n)
                        y, product = advance(y, product, n + 1)
                        y, product = advance(y, product, n + 2)
                        S[w], S[W + w] = advance(y, product, n + 3)
                    n, since = n + 4, since + 4
                else:
                    for w in range(count):
                        S[w], S[W + w] = advance(S[w], S[W + w], n)
                    n, since = n + 1, since + 1
                if since == interval or n == first + steps:
                    since = 0
                    for w in range(count):
                        size = abs(S[W + w])
                        within = (size > TINY) & (size < HUGE)
                        S[2 * W + w] = 1.0 if size != size else S[2 * W + w]
                        S[3 * W + w] = S[3 * W + w] if within | (size != size) else 1.0
                        S[W + w] = size if within else 1.0
                    for w in range(count):
                        power = ((bits[W + w] >> 52) & EXPONENT) - 1022
                        E[w] += power
                        bits[W + w] = (bits[W + w] & MANTISSA) | HALF
                        S[4 * W + w] = max(S[4 * W + w], abs(float(power)))
            for w in range(count):
                b = begin + w
                dead, sound = S[2 * W + w] > 0.0, True
                if dead:  # or is the Jacobian not a number?
                    y = x[b, 0]
                    for n in range(first, first + steps):
                        slope = float(first_of(first_of(jacobian((y,), n))))
                        sound &= slope == slope
                        y = float(first_of(step((y,), n)))
                x[b, 0] = S[w]
                V[b, 0, 0] = 1.0 if sound else math.nan
                growth[b, 0] = -math.inf if dead else E[w] * LN2 + math.log(S[W + w])
                facts[b, 1] = S[4 * W + w] * LN2
                overflowed[b] = S[3 * W + w] > 0.0 and math.isfinite(S[w])

    return njit(nogil=True, error_model="numpy")(kernel)


def _plane(rule: Rule) -> Any:
    step, jacobian = compiled(rule.step, contract=False), compiled(rule.jacobian)

    def one(x: float, y: float, v: float, u: float, product: float, n: int) -> Any:
        point = (x, y)
        rows = jacobian(point, n)
        a, b, c, d = float(rows[0][0]), float(rows[0][1]), float(rows[1][0]), float(rows[1][1])
        ad, bc = a * d, b * c
        det = ad - bc
        product *= det if abs(det) > EPS8 * abs(ad) else math.nan  # nan stays: the determinant was 0
        image = step(point, n)
        return float(image[0]), float(image[1]), a * v + b * u, c * v + d * u, product

    advance = njit(error_model="numpy")(one)

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
            n, since = first, 0
            while n < first + steps:
                if min(interval - since, first + steps - n) >= 4:
                    for w in range(count):
                        p, q, v, u, area = S[w], S[W + w], S[2 * W + w], S[3 * W + w], S[4 * W + w]
                        p, q, v, u, area = advance(p, q, v, u, area, n)
                        p, q, v, u, area = advance(p, q, v, u, area, n + 1)
                        p, q, v, u, area = advance(p, q, v, u, area, n + 2)
                        p, q, v, u, area = advance(p, q, v, u, area, n + 3)
                        S[w], S[W + w], S[2 * W + w], S[3 * W + w], S[4 * W + w] = p, q, v, u, area
                    n, since = n + 4, since + 4
                else:
                    for w in range(count):
                        p, q, v, u, area = S[w], S[W + w], S[2 * W + w], S[3 * W + w], S[4 * W + w]
                        p, q, v, u, area = advance(p, q, v, u, area, n)
                        S[w], S[W + w], S[2 * W + w], S[3 * W + w], S[4 * W + w] = p, q, v, u, area
                    n, since = n + 1, since + 1
                if since == interval or n == first + steps:
                    since = 0
                    for w in range(count):
                        v, u = S[2 * W + w], S[3 * W + w]
                        largest = max(abs(v), abs(u))
                        scale = 1.0 / largest if largest > 0.0 else 1.0
                        v, u = v * scale, u * scale
                        length = math.sqrt(v * v + u * u)
                        inverse = 1.0 / length if length > 0.0 else 0.0
                        S[2 * W + w], S[3 * W + w] = v * inverse, u * inverse
                        size, area = largest * length, abs(S[4 * W + w])
                        flat = area != area
                        S[5 * W + w] = S[5 * W + w] if largest != 0.0 else 1.0
                        S[6 * W + w] = 1.0 if flat else S[6 * W + w]
                        within = (size > TINY) & (size < HUGE)
                        S[7 * W + w] = S[7 * W + w] if within | (largest == 0.0) else 1.0
                        S[8 * W + w] *= size if within else 1.0
                        inside = (area > TINY) & (area < HUGE)
                        S[7 * W + w] = S[7 * W + w] if inside | flat | (k == 1) else 1.0
                        S[9 * W + w] *= area if inside else 1.0
                        S[4 * W + w] = 1.0
                    for w in range(count):
                        e = ((bits[8 * W + w] >> 52) & EXPONENT) - 1022
                        f = ((bits[9 * W + w] >> 52) & EXPONENT) - 1022
                        E[w] += e
                        E[W + w] += f
                        bits[8 * W + w] = (bits[8 * W + w] & MANTISSA) | HALF
                        bits[9 * W + w] = (bits[9 * W + w] & MANTISSA) | HALF
                        S[10 * W + w] = max(S[10 * W + w], abs(float(e)), abs(float(f - e)))
            for w in range(count):
                b = begin + w
                x[b, 0], x[b, 1] = S[w], S[W + w]
                v, u = S[2 * W + w], S[3 * W + w]
                V[b, 0, 0], V[b, 1, 0] = v, u
                dead = S[5 * W + w] > 0.0
                growth[b, 0] = -math.inf if dead else E[w] * LN2 + math.log(S[8 * W + w])
                if k == 2:
                    V[b, 0, 1], V[b, 1, 1] = -u, v
                    volume = E[W + w] * LN2 + math.log(S[9 * W + w])
                    growth[b, 1] = -math.inf if dead or S[6 * W + w] > 0.0 else volume - growth[b, 0]
                facts[b, 1] = S[10 * W + w] * LN2
                overflowed[b] = S[7 * W + w] > 0.0 and math.isfinite(S[w]) and math.isfinite(S[W + w])

    return njit(nogil=True, error_model="numpy")(kernel)
