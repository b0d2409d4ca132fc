"""The training chain of a configuration, twice: as float32 arithmetic makes it, and as it is meant.

alpha_bar_t = prod_{u <= t} (1 - beta_u), t = 0..N-1 (timestep t is the project's step t + 1). The library takes
betas in float32, multiplies them in float64, rounds each product to float32 and forms sqrt((1 - a)/a) from it,
which costs up to 1.3e-5 of sigma; the meant chain adds log1p(-beta) instead.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import schedules
from pifs_sim.diffusion.angles import HALF_PI, FloatArray
from pifs_sim.diffusion.exchange.config import Config

__all__ = ["library_alpha_bar", "library_sigma", "meant_angles"]

Float32Array = npt.NDArray[np.float32]

_MAX_BETA = 0.999
_FLOOR = np.float32(2.0**-24)  # what classes that divide by alpha_bar put in place of 0


def _line32(start: float, stop: float, count: int) -> Float32Array:
    """float32 points from `start` to `stop`, counted from the nearer end as torch does."""
    first, last = np.float32(start), np.float32(stop)
    step = (last - first) / np.float32(count - 1)
    i = np.arange(count)
    up = (np.float64(first) + np.float64(step) * i).astype(np.float32)
    down = (np.float64(last) - np.float64(step) * (count - 1 - i)).astype(np.float32)
    return np.where(i < count // 2, up, down)


def _alpha_bar_function(name: str, t: float) -> float:
    if name == "squaredcos_cap_v2":
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
    if name == "exp":
        return math.exp(-12.0 * t)
    half = -0.5 * math.copysign(1, 0.5 - t) * math.log(1 - 2 * abs(0.5 - t) + 1e-6)
    snr = math.exp(half)
    return math.sqrt(snr / (1 + snr))


def _betas(config: Config) -> FloatArray:
    """(N,) betas in float64."""
    if config["trained_betas"] is not None:
        return np.asarray(config["trained_betas"], dtype=np.float64)
    name, count = config["beta_schedule"], config.training_steps
    start, stop = float(config["beta_start"]), float(config["beta_end"])
    if name == "linear":
        return np.linspace(start, stop, count)
    if name == "scaled_linear":
        return np.linspace(start**0.5, stop**0.5, count) ** 2
    if name == "sigmoid":
        return (stop - start) / (1 + np.exp(-np.linspace(-6, 6, count))) + start
    values = [_alpha_bar_function(name, i / count) for i in range(count + 1)]
    return np.array([min(1 - after / before, _MAX_BETA) for before, after in itertools.pairwise(values)])


def _betas32(config: Config) -> Float32Array:
    """(N,) betas by the library's float32 arithmetic."""
    name, count = config["beta_schedule"], config.training_steps
    start, stop = float(config["beta_start"]), float(config["beta_end"])
    if config["trained_betas"] is None and name == "linear":
        return _line32(start, stop, count)
    if config["trained_betas"] is None and name == "scaled_linear":
        roots: Float32Array = _line32(start**0.5, stop**0.5, count)
        return roots * roots
    if config["trained_betas"] is None and name == "sigmoid":
        gate = (1 / (1 + np.exp(-_line32(-6, 6, count).astype(np.float64)))).astype(np.float32)
        return gate * np.float32(stop - start) + np.float32(start)
    return _betas(config).astype(np.float32)


def _products32(betas: Float32Array) -> Float32Array:
    return np.cumprod((np.float32(1) - betas).astype(np.float64)).astype(np.float32)


def library_alpha_bar(config: Config) -> Float32Array:
    """(N,) alpha_bar as the library's float32 arithmetic has it; 0 at the end with `rescale_betas_zero_snr`.

    Raises:
        ValueError: betas so small or so large that float32 keeps no noise, or no signal, where it must.
    """
    betas = _betas32(config)
    with np.errstate(divide="ignore", invalid="ignore"):
        if config["rescale_betas_zero_snr"]:
            root = np.sqrt(_products32(betas))
            root = (root - root[-1]) * (root[0] / (root[0] - root[-1]))
            square = root * root
            betas = np.float32(1) - np.concatenate([square[:1], square[1:] / square[:-1]])
        products = _products32(betas)
    indexed = config.cls.family == "index"
    if config["rescale_betas_zero_snr"] and not indexed:
        products[-1] = _FLOOR
    least = 0.0 if indexed else 1e-37
    if not (products[0] < 1 and (products >= least).all()):
        ends = f"{float(products[0])!r} to {float(products[-1])!r}"
        raise ValueError(f"`config` must keep alpha_bar of {config.cls.name} inside (0, 1) in float32, got {ends}.")
    return products


def library_sigma(config: Config) -> Float32Array:
    """(N,) sqrt((1 - alpha_bar)/alpha_bar) in float32, inf where alpha_bar = 0."""
    alpha_bar = library_alpha_bar(config)
    with np.errstate(divide="ignore", over="ignore"):
        return np.sqrt((np.float32(1) - alpha_bar) / alpha_bar)


def meant_angles(config: Config) -> FloatArray:
    """(N,) angles of the training chain without float32; pi/2 at the end with `rescale_betas_zero_snr`."""
    if config["trained_betas"] is None and config["beta_schedule"] == "squaredcos_cap_v2":
        angles = schedules.cosine(config.training_steps).angles[1:]
        cos, sin = np.cos(angles), np.sin(angles)
    else:
        # the running sum in extended precision, so that N roundings stay below one of float64
        with np.errstate(divide="ignore"):  # beta = 1 leaves no signal
            logs = np.cumsum(np.log1p(-_betas(config)), dtype=np.longdouble).astype(np.float64)
        cos, sin = np.exp(logs / 2), np.sqrt(-np.expm1(logs))
    if config["rescale_betas_zero_snr"]:
        kept = (cos - cos[-1]) / (cos[0] - cos[-1])
        cos = cos[0] * kept
        # 1 - cos'^2 = sin_0^2 + cos_0^2 (1 - kept)(1 + kept), without cancellation at the clean end
        sin = np.sqrt(sin[0] ** 2 + cos[0] ** 2 * (1 - kept) * (1 + kept))
        cos[-1] = 0.0
    return np.where(cos == 0.0, HALF_PI, np.arctan2(sin, cos))
