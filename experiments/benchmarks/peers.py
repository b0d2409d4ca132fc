"""The benchmarks' maps in the form that each peer takes: a task that returns the exponents."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numba import njit

__all__ = ["lattice_jacobian", "peer_task"]

Task = Callable[[], Any]


def lattice_jacobian(x: Any, r: float, eps: float) -> Any:
    """Dense Jacobian (d, d) of the diffusive logistic lattice."""
    slope = r * (1 - 2 * x)
    identity = np.eye(x.size)
    return ((1 - eps) * identity + eps / 2 * (np.roll(identity, 1, 0) + np.roll(identity, -1, 0))) * slope


@njit
def _lattice_step(u: Any, parameters: Any) -> Any:
    f = parameters[0] * u * (1.0 - u)
    return (1.0 - parameters[1]) * f + parameters[1] / 2 * (np.roll(f, 1) + np.roll(f, -1))


@njit
def _lattice_matrix(u: Any, parameters: Any, *_: Any) -> Any:
    d, eps = u.size, parameters[1]
    matrix = np.zeros((d, d))
    for i in range(d):
        slope = parameters[0] * (1.0 - 2.0 * u[i])
        matrix[i, i] = (1.0 - eps) * slope
        matrix[(i + 1) % d, i] = eps / 2 * slope
        matrix[(i - 1) % d, i] = eps / 2 * slope
    return matrix


def _pynamicalsys(name: str, steps: int, x0: Any) -> Task:
    from pynamicalsys import DiscreteDynamicalSystem

    parameters = [4.0, 0.3] if "lattice" in name else [1.4, 0.3]
    if "lattice" in name:
        d = x0.shape[1]
        system = DiscreteDynamicalSystem(
            mapping=_lattice_step, jacobian=_lattice_matrix, system_dimension=d, number_of_parameters=2
        )
    else:
        system = DiscreteDynamicalSystem(model="henon map")
    return lambda: np.mean([system.lyapunov(x, steps, parameters=parameters) for x in x0], axis=0)


def _tsdynamics(name: str, steps: int, x0: Any) -> Task:
    import tsdynamics
    from tsdynamics import DiscreteMap

    if "lattice" in name:

        class Lattice(DiscreteMap):
            params: ClassVar = {"r": 4.0, "eps": 0.3}
            dim = 64
            default_ic = tuple(x0[0])

            @staticmethod
            def _step(X: Any, r: float, eps: float) -> Any:
                f = r * X * (1.0 - X)
                return (1.0 - eps) * f + eps / 2 * (np.roll(f, 1) + np.roll(f, -1))

            @staticmethod
            def _jacobian(X: Any, r: float, eps: float) -> Any:
                d = X.size
                matrix = np.zeros((d, d))
                for i in range(d):
                    slope = r * (1.0 - 2.0 * X[i])
                    matrix[i, i] = (1.0 - eps) * slope
                    matrix[(i + 1) % d, i] = eps / 2 * slope
                    matrix[(i - 1) % d, i] = eps / 2 * slope
                return matrix

        system: Any = Lattice()
    else:
        system = tsdynamics.systems.Henon()

    def exponents(x: Any) -> Any:
        found = tsdynamics.analysis.lyapunov_spectrum(system, n=steps, transient=0, ic=tuple(x))
        return np.asarray(getattr(found, "exponents", found))

    return lambda: np.mean([exponents(x) for x in x0], axis=0)


def _stepper(name: str) -> Any:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", val=True)
    if "lattice" in name:

        def lattice(x: Any) -> Any:
            f = 4.0 * x * (1.0 - x)
            return 0.7 * f + 0.15 * (jnp.roll(f, 1) + jnp.roll(f, -1))

        return lattice
    return lambda x: jnp.array([1.0 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])


def _lyapax(name: str, steps: int, x0: Any, every: int = 1) -> Task:
    step = _stepper(name)
    import jax
    import jax.numpy as jnp
    from lyapax import lyapunov_spectrum

    run = jax.jit(jax.vmap(lambda x: lyapunov_spectrum(step, x, 1.0, steps, renorm_every=every).exponents))
    points = jnp.asarray(x0)
    return lambda: np.asarray(run(points).mean(axis=0))


def _chaotax(name: str, steps: int, x0: Any) -> Task:
    step = _stepper(name)
    import chaotax
    import jax
    import jax.numpy as jnp

    spectrum = chaotax.lyapunov_spectrum(step, rollout_steps=steps, warmup_steps=0, discard_steps=0)
    frame = jnp.eye(x0.shape[1])
    run = jax.vmap(lambda x: spectrum(x, frame))
    points = jnp.asarray(x0)
    return lambda: np.asarray(run(points).mean(axis=0))


def peer_task(peer: str, name: str, steps: int, x0: Any) -> Task:
    """A peer's task: the exponents of the map of that name from x0 (B, d), averaged over the orbits."""
    makers: dict[str, Callable[..., Task]] = {
        "pynamicalsys": _pynamicalsys,
        "lyapax": _lyapax,
        "lyapax, QR every 4": partial(_lyapax, every=4),
        "tsdynamics": _tsdynamics,
        "chaotax": _chaotax,
    }
    return makers[peer](name, steps, x0)
