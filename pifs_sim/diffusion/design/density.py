"""The optimal density of steps on a spectrum, as the number of steps grows.

T steps with normalised density rho leave ln c_k = -A_k/(2T) with A_k = int psi'_k^2/rho, so that KL and W_2^2 are
sum_k w_k A_k^2 up to a factor. On the axis x = ln tan phi, psi'_k = sech(x - ln sqrt(lam_k))/2. The functional is
convex in rho, and stationary, hence least, at

    rho proportional to sqrt(sum_k w_k A_k psi'_k^2).

Iterating this converges from anywhere: rho -> A reverses order and has degree -1, A -> rho keeps it and has degree 1/2,
so each round halves (at least) Hilbert's projective distance to the fixed point (Birkhoff 1957,
doi:10.1090/S0002-9947-1957-0087058-6). One scale gives rho = psi' in one round: steps uniform in psi.
"""

from __future__ import annotations

import numpy as np

from pifs_sim.diffusion.angles import FloatArray, cos_sin
from pifs_sim.diffusion.design.directions import Directions

__all__ = ["density_angles", "uniform_in_psi"]

_SCALES = 512  # kept of a larger spectrum: bins of ln lam narrow enough for 1e-4 of the density
_REACH = 40.0  # beyond this from every scale the density is e^-40 of its size
_CELL = 0.25  # width of a Gauss-Legendre cell of 8 nodes: 1e-14 of the integral
_ROUNDS = 50  # 2^-50 of the first distance


def uniform_in_psi(root: float, ends: tuple[float, float], steps: int) -> FloatArray:
    """(T+1,) angles equally spaced in psi = atan2(sin phi, root cos phi) between two angles."""
    cos, sin = cos_sin(np.array(ends))
    near = bool(sin[0] <= root * cos[0])  # psi_0 <= pi/4; otherwise count from pi/2, where psi would lose its digits
    first, last = (np.arctan2(sin, root * cos) if near else np.arctan2(root * cos, sin)).tolist()
    turned = np.linspace(first, last, steps + 1)
    angles = np.arctan2(root * np.sin(turned), np.cos(turned)) if near else np.arctan2(root, np.tan(turned))
    angles[[0, -1]] = ends
    return angles


def _log_squares(x: FloatArray, log_root: FloatArray) -> FloatArray:
    """ln psi'_k^2 on the axis x, (*x.shape, K); -2 ln(2 cosh z) = -2 (|z| + log1p(e^(-2 |z|)))."""
    distance = np.abs(x[..., None] - log_root)
    return -2 * (distance + np.log1p(np.exp(-2 * distance)))


def _log_tan(angle: float) -> float:
    cos, sin = cos_sin(angle)
    with np.errstate(divide="ignore"):
        return float(np.log(sin) - np.log(cos))


def density_angles(spectrum: Directions, ends: tuple[float, float], steps: int) -> FloatArray:
    """(T+1,) angles with equal shares of the optimal density between two angles, to about 1e-13 of a share."""
    few = spectrum.condensed(_SCALES)
    if few.root.size == 1:
        return uniform_in_psi(float(few.root[0]), ends, steps)
    log_root, weight = np.log(few.root), few.weight / few.weight.max()
    first, last = map(_log_tan, ends)
    low = max(first, min(log_root[0], last) - _REACH)
    high = min(last, max(log_root[-1], first) + _REACH)
    edges = np.linspace(low, high, int(np.ceil((high - low) / _CELL)) + 1)
    node, share = np.polynomial.legendre.leggauss(8)
    node, share = (node + 1) / 2, share / 2
    logs = _log_squares((edges[:-1, None] + np.diff(edges)[:, None] * node).ravel(), log_root)
    largest = logs.max()  # a common factor changes nothing, and all scales may be far from the noise levels
    squares = np.exp(logs - largest)
    measure = (np.diff(edges)[:, None] * share).ravel()
    rho = np.sqrt(squares @ weight)
    for _ in range(_ROUNDS):
        rho = rho / (measure @ rho)
        factor = weight * ((measure / rho) @ squares)
        rho = np.sqrt(squares @ factor)
    mass = np.concatenate([[0.0], np.cumsum((measure * rho).reshape(-1, 8).sum(axis=1))])
    wanted = np.arange(1, steps) / steps * mass[-1]
    cell = np.clip(np.searchsorted(mass, wanted, side="right") - 1, 0, edges.size - 2)
    start, width = edges[cell], np.diff(edges)[cell]
    part = width * (wanted - mass[cell]) / np.diff(mass)[cell]

    def density(x: FloatArray) -> FloatArray:
        return np.sqrt(np.exp(_log_squares(x, log_root) - largest) @ factor)

    for _ in range(6):  # Newton: rho is smooth across a cell
        excess = mass[cell] + part * (density(start[:, None] + part[:, None] * node) @ share) - wanted
        part = np.clip(part - excess / density(start + part), 0.0, width)
    return np.concatenate([ends[:1], np.arctan(np.exp(start + part)), ends[1:]])
