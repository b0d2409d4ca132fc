"""A simulator of chains x_{n+1} = f(x_n, n): diffusion chains with exact denoisers and their geometry.

The packages are `pifs_sim.dynamics` (systems, operators, dimensions), `pifs_sim.fractals` (sets and coded images),
`pifs_sim.diffusion` (schedules, the three quantities, exact denoisers, the DDIM chain), `pifs_sim.networks` (trained
networks, with PyTorch) and `pifs_sim.testing` (strategies and checks for other people's test suites). Importing this
package imports none of them; each is imported when it is first named.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["__version__"]

__version__ = "0.1.0"

_PACKAGES = ("diffusion", "dynamics", "fractals", "networks", "testing")


def __getattr__(name: str) -> Any:
    if name not in _PACKAGES:
        raise AttributeError(f"module 'pifs_sim' has no attribute {name!r}.")
    return import_module(f"pifs_sim.{name}")


def __dir__() -> list[str]:
    return [*__all__, *(name for name in _PACKAGES if name != "networks" or find_spec("torch") is not None)]
