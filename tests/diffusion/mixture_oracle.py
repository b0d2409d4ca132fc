"""Posteriors of Gaussian mixtures in mpmath to 50 digits and more, by Bayes' rule; Jacobians by differences.

Component k puts x_t at N(c mu_k, N_k), N_k = c^2 C_k + s^2 I, with c, s the cosine and sine of the angle:

    r_k  ∝  w_k |N_k|^(-1/2) exp(-(x - c mu_k)' N_k^-1 (x - c mu_k)/2)
    m_k  =  mu_k + c C_k N_k^-1 (x - c mu_k),   P_k = C_k - c^2 C_k N_k^-1 C_k
    E[x_0|x] = sum r_k m_k,   Cov(x_0|x) = sum r_k (P_k + m_k m_k') - E[x_0|x] E[x_0|x]',  eps_hat = (x - c E[x_0|x])/s.

Points, scale mixtures and products of mixtures are written out as mixtures. A float angle is exact; the float nearest
pi/2 means pi/2; an mpf angle as small as 1e-40 shows the limit at 0. Small angles are given more digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product as pairs
from typing import Any

import numpy as np
from mpmath import mp, mpf

from tests.diffusion.oracle import cos_sin


def exact(values: Any) -> Any:
    """Nested lists of mpf from floats, taken as exact."""
    return [exact(value) for value in values] if np.ndim(values) else mpf(float(values))


def times(matrix: Any, vector: Any) -> list[mpf]:
    """A matrix (rows) times a vector."""
    return [mp.fdot(row, vector) for row in matrix]


def square(covariance: Any, d: int) -> np.ndarray:
    """A variance, d variances or a d x d covariance as a matrix."""
    array = np.asarray(covariance, dtype=np.float64)
    return array if array.ndim == 2 else np.diag(np.broadcast_to(array, (d,)))


class ExactMixture:
    """sum_k w_k N(mu_k, C_k), from floats taken as exact; weights are divided by their sum when used."""

    def __init__(self, weights: Any, means: Any, covariances: Any, factors: Any = None) -> None:
        self.weights, self.means, self.dim = exact(weights), exact(means), len(means[0])
        self.covariances = [exact(square(covariance, self.dim)) for covariance in covariances]
        self.factors = [mpf(1)] * len(self.weights) if factors is None else exact(factors)

    @classmethod
    def points(cls, points: Any, weights: Any = None) -> ExactMixture:
        """Point masses."""
        return cls(np.ones(len(points)) if weights is None else weights, points, np.zeros(len(points)))

    @classmethod
    def scales(cls, mean: Any, base: Any, scales: Any, weights: Any) -> ExactMixture:
        """N(mean, scale * base) over scales: the products are not rounded."""
        return cls(weights, [mean] * len(scales), [base] * len(scales), scales)

    @classmethod
    def product(cls, laws: Sequence[ExactMixture]) -> ExactMixture:
        """Independent laws side by side: every choice of one component from each, the last choice running fastest."""
        joint = object.__new__(cls)
        choices = list(pairs(*(range(len(law.weights)) for law in laws)))
        joint.dim = sum(law.dim for law in laws)
        with mp.workdps(200):
            joint.weights = [
                mp.fprod(law.weights[k] for law, k in zip(laws, choice, strict=True)) for choice in choices
            ]
            joint.factors = [mpf(1)] * len(choices)
            joint.means = [
                [entry for law, k in zip(laws, choice, strict=True) for entry in law.means[k]] for choice in choices
            ]
            joint.covariances = [joint._blocks(laws, choice) for choice in choices]
        return joint

    def _blocks(self, laws: Sequence[ExactMixture], choice: tuple[int, ...]) -> list[list[mpf]]:
        rows: list[list[mpf]] = []
        for law, k in zip(laws, choice, strict=True):
            before, after = [mpf(0)] * len(rows), [mpf(0)] * (self.dim - len(rows) - law.dim)
            rows += [[*before, *(law.factors[k] * entry for entry in row), *after] for row in law.covariances[k]]
        return rows

    def at(self, angle: float | mpf) -> ExactNoised:
        """The law at an angle above 0."""
        return ExactNoised(self, angle)


class ExactNoised:
    """A mixture at one angle, and its posteriors; every x is a sequence of d floats."""

    def __init__(self, law: ExactMixture, angle: float | mpf) -> None:
        lost = max(0, -int(mp.floor(mp.log10(angle))))
        self.law, self.digits, self.step = law, 80 + 6 * lost, f"1e-{25 + 2 * lost}"
        with mp.workdps(self.digits):
            self.c, self.s = mp.cos_sin(angle) if isinstance(angle, mpf) else cos_sin(angle)
            d, total = range(law.dim), mp.fsum(law.weights)
            self.inverses, self.gains, self.spreads, self.log_weights = [], [], [], []
            for w, C, factor in zip(law.weights, law.covariances, law.factors, strict=True):
                C = mp.matrix(C) * factor
                N = self.c**2 * C + self.s**2 * mp.eye(law.dim)
                inverse = mp.inverse(N)
                gain = self.c * C * inverse
                for kept, matrix in (
                    (self.inverses, inverse),
                    (self.gains, gain),
                    (self.spreads, C - self.c * gain * C),
                ):
                    kept.append([[matrix[i, j] for j in d] for i in d])
                self.log_weights.append(mp.log(w / total) - mp.log(mp.det(N)) / 2)

    def _offsets(self, x: list[mpf]) -> list[list[mpf]]:
        return [[a - self.c * b for a, b in zip(x, mean, strict=True)] for mean in self.law.means]

    def _logits(self, x: list[mpf]) -> list[mpf]:
        """ln w_k - (x - c mu_k)' N_k^-1 (x - c mu_k)/2 - ln det N_k/2."""
        terms = zip(self.log_weights, self._offsets(x), self.inverses, strict=True)
        return [lw - mp.fdot(y, times(inverse, y)) / 2 for lw, y, inverse in terms]

    def _posterior(self, x: list[mpf]) -> tuple[list[mpf], list[list[mpf]], list[mpf]]:
        """Responsibilities, the components' means, and their mean."""
        logits = self._logits(x)
        top = max(logits)
        powers = [mp.exp(logit - top) for logit in logits]
        weights = [power / mp.fsum(powers) for power in powers]
        parts = zip(self.law.means, self.gains, self._offsets(x), strict=True)
        means = [[a + b for a, b in zip(mean, times(gain, y), strict=True)] for mean, gain, y in parts]
        return weights, means, [mp.fdot(weights, column) for column in zip(*means, strict=True)]

    def _noise(self, x: list[mpf]) -> list[mpf]:
        return [(a - self.c * b) / self.s for a, b in zip(x, self._posterior(x)[2], strict=True)]

    def _mean(self, x: list[mpf]) -> list[mpf]:
        return self._posterior(x)[2]

    def _differences(self, function: Callable[[list[mpf]], list[mpf]], x: Any) -> np.ndarray:
        """Jacobian by central differences over a step whose square is below 50 digits."""
        columns = []
        with mp.workdps(self.digits):
            point, step = exact(x), mpf(self.step)
            for i in range(self.law.dim):
                up, down = (function([a + sign * step * (i == j) for j, a in enumerate(point)]) for sign in (1, -1))
                columns.append([float((a - b) / (2 * step)) for a, b in zip(up, down, strict=True)])
        return np.array(columns).T

    def logits(self, x: Any) -> np.ndarray:
        """(K,) logits."""
        with mp.workdps(self.digits):
            return np.array([float(logit) for logit in self._logits(exact(x))])

    def lead(self, x: Any, k: int) -> float:
        """How far the logit of component k is below the largest."""
        with mp.workdps(self.digits):
            logits = self._logits(exact(x))
            return float(max(logits) - logits[k])

    def weights(self, x: Any) -> np.ndarray:
        """(K,) responsibilities."""
        with mp.workdps(self.digits):
            return np.array([float(r) for r in self._posterior(exact(x))[0]])

    def means(self, x: Any) -> np.ndarray:
        """(K, d) means m_k."""
        with mp.workdps(self.digits):
            return np.array(self._posterior(exact(x))[1], dtype=np.float64)

    def mean(self, x: Any) -> np.ndarray:
        """(d,) E[x_0|x]."""
        with mp.workdps(self.digits):
            return np.array(self._mean(exact(x)), dtype=np.float64)

    def covariance(self, x: Any) -> np.ndarray:
        """(d, d) Cov(x_0|x)."""
        d = range(self.law.dim)
        with mp.workdps(self.digits):
            weights, means, mean = self._posterior(exact(x))
            parts = [[[P[i][j] + m[i] * m[j] for j in d] for i in d] for m, P in zip(means, self.spreads, strict=True)]
            second = [[mp.fdot(weights, [part[i][j] for part in parts]) for j in d] for i in d]
            return np.array([[float(second[i][j] - mean[i] * mean[j]) for j in d] for i in d])

    def noise(self, x: Any) -> np.ndarray:
        """(d,) E[eps|x]."""
        with mp.workdps(self.digits):
            return np.array(self._noise(exact(x)), dtype=np.float64)

    def log_density(self, x: Any) -> float:
        """ln p_t(x)."""
        with mp.workdps(self.digits):
            logits = self._logits(exact(x))
            top = max(logits)
            total = top + mp.log(mp.fsum(mp.exp(logit - top) for logit in logits))
            return float(total - self.law.dim * mp.log(2 * mp.pi) / 2)

    def noise_jacobian(self, x: Any) -> np.ndarray:
        """(d, d), by differences of the noise."""
        return self._differences(self._noise, x)

    def mean_jacobian(self, x: Any) -> np.ndarray:
        """(d, d), by differences of the mean."""
        return self._differences(self._mean, x)
