"""Values of a schedule's quantities to 50 digits and more, from their definitions.

With alpha_bar = cos^2 phi, v = sin^2 phi and a step from t to s = t - 1:

    r = sqrt(alpha_bar_s/alpha_bar_t), b = sqrt(v_s) - r sqrt(v_t), L* = (r - 1)/|b|,
    f(lam) = r - |b| sqrt(v_t)/(lam alpha_bar_t + v_t), lam* = (sqrt(v_t)/L* - v_t)/alpha_bar_t,
    P* = (v_t/alpha_bar_t)(1 - sqrt(v_t) L*);   at phi_t = pi/2: L* = 1, f = cos Delta_t, lam* = P* = inf.

These cancel badly, so every schedule is given as many digits more than 50 as it can lose. Float angles are
exact; the float nearest pi/2 means pi/2 itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import mpmath
import numpy as np
from mpmath import mp, mpf

HALF_PI = math.pi / 2


def exact_angle(phi: float) -> mpf:
    """The angle as an exact number, in the working precision."""
    return mp.pi / 2 if phi == HALF_PI else mpf(phi)


def cos_sin(phi: float) -> tuple[mpf, mpf]:
    """Cosine and sine of a float angle, in the working precision."""
    return (mpf(0), mpf(1)) if phi == HALF_PI else mpmath.cos_sin(mpf(phi))


def digits(angles: np.ndarray) -> int:
    """50, and what the definitions lose to cancellation: smallest gap, sine and cosine, each at most squared."""
    cosines = np.where(angles == HALF_PI, 1.0, np.cos(angles))
    smallest = [float(np.diff(angles).min()), float(angles[angles > 0].min()), float(cosines.min())]
    return 50 + sum(2 * math.ceil(-math.log10(min(size, 1.0))) for size in smallest)


class ExactSchedule:
    """A schedule's angles, and everything that theory derives from them, as mpmath numbers."""

    def __init__(self, angles: Iterable[float], extra_digits: int = 0) -> None:
        phi = np.array(angles, dtype=np.float64)
        self.digits = digits(phi) + extra_digits
        with mp.workdps(self.digits):
            pairs = [cos_sin(value) for value in phi.tolist()]
            self.cos, self.sin = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
            self.to_half_pi = self.cos[-1] == 0
            self.regular = range(1, len(pairs) - self.to_half_pi)  # the steps with phi_t < pi/2
            self.r = [self.cos[t - 1] / self.cos[t] for t in self.regular]
            self.b = [self.sin[t - 1] - r * self.sin[t] for t, r in zip(self.regular, self.r, strict=True)]
            self.alpha_bar = [self.cos[t] ** 2 for t in self.regular]
            self.v = [self.sin[t] ** 2 for t in self.regular]
            self.thresholds = [(r - 1) / abs(b) for r, b in zip(self.r, self.b, strict=True)]
            self.weight = [-b * self.sin[t] for t, b in zip(self.regular, self.b, strict=True)]

    def contraction_threshold(self) -> list[mpf]:
        return self.thresholds + [mpf(1)] * self.to_half_pi

    def step_threshold(self, *, minus: int = 0) -> list[mpf]:
        with mp.workdps(self.digits):
            values = [
                (mp.sqrt(v) / threshold - v) / alpha_bar - minus
                for threshold, alpha_bar, v in zip(self.thresholds, self.alpha_bar, self.v, strict=True)
            ]
        return values + [mp.inf] * self.to_half_pi

    def posterior_threshold(self) -> list[mpf]:
        with mp.workdps(self.digits):
            values = [
                v / alpha_bar * (1 - mp.sqrt(v) * threshold)
                for threshold, alpha_bar, v in zip(self.thresholds, self.alpha_bar, self.v, strict=True)
            ]
        return values + [mp.inf] * self.to_half_pi

    def expansion(self, lam: float | mpf) -> list[mpf]:
        """f_t(lam) for every step; at pi/2 it is cos(pi/2 - phi_s), the sine of phi_s."""
        with mp.workdps(self.digits):
            lam, parts = mpf(lam), zip(self.r, self.weight, self.alpha_bar, self.v, strict=True)
            values = [r - weight / (lam * alpha_bar + v) for r, weight, alpha_bar, v in parts]
        return values + [self.sin[-2]] * self.to_half_pi

    def product(self, lam: float | mpf) -> mpf:
        """The factor of the whole chain along variance lam."""
        with mp.workdps(self.digits):
            return mp.fprod(self.expansion(lam))

    def log_product(self, lam: float | mpf) -> mpf:
        """Lambda(lam), -inf where the chain's factor is 0."""
        with mp.workdps(self.digits):
            factor = self.product(lam)
            return mp.log(factor) if factor else -mp.inf

    def slope(self, lam: float | mpf) -> mpf:
        """d Lambda/d ln lam, each step's from f' = |b| sqrt(v) alpha_bar/(lam alpha_bar + v)^2."""
        with mp.workdps(self.digits):
            lam, total = mpf(lam), mpf(0)
            for r, weight, alpha_bar, v in zip(self.r, self.weight, self.alpha_bar, self.v, strict=True):
                variance = lam * alpha_bar + v
                total += lam * weight * alpha_bar / (variance * (r * variance - weight))
        return total

    def variance(self, lam: float | mpf, t: int) -> mpf:
        """N_t(lam) = lam alpha_bar_t + v_t."""
        with mp.workdps(self.digits):
            return mpf(lam) * self.cos[t] ** 2 + self.sin[t] ** 2

    @property
    def has_moran_root(self) -> bool:
        """Theory's condition: phi_T < pi/2, or tan phi_{T-1} cos phi_0 > 1."""
        with mp.workdps(self.digits):
            return not self.to_half_pi or self.sin[-2] * self.cos[0] > self.cos[-2]

    def moran_root(self, near: float) -> mpf:
        """The root of product(lam) = 1, by Newton's method in ln lam from `near`."""
        with mp.workdps(self.digits):
            log_lam = mp.log(near)
            for _ in range(60):
                lam = mp.exp(log_lam)
                change = self.log_product(lam) / self.slope(lam)
                log_lam -= change
                if abs(change) < 1e-14:  # quadratic convergence: what is left is of the order of its square
                    return mp.exp(log_lam)
        raise AssertionError(f"Newton's method found no root of the Moran equation near {near!r}.")


def relative_errors(got: Sequence[float] | np.ndarray, exact: Sequence[mpf]) -> np.ndarray:
    """|got/exact - 1| for each entry, 0 where both are the same infinity or both are 0."""
    pairs = zip(np.asarray(got, dtype=np.float64).tolist(), exact, strict=True)
    with mp.workdps(50):
        return np.array([0.0 if g == e else float(abs(mpf(g) / e - 1)) if e else math.inf for g, e in pairs])


def errors(got: Sequence[float] | np.ndarray, exact: Sequence[mpf]) -> np.ndarray:
    """|got - exact| for each entry, 0 where both are the same infinity."""
    pairs = zip(np.asarray(got, dtype=np.float64).tolist(), exact, strict=True)
    with mp.workdps(50):
        return np.array([0.0 if g == e else float(abs(mpf(g) - e)) for g, e in pairs])
