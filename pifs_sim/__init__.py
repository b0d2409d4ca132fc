"""A simulator of chains x_{n+1} = f(x_n, n): diffusion chains with exact denoisers and their geometry.

The packages are `pifs_sim.dynamics` (systems, operators, dimensions), `pifs_sim.diffusion`
(schedules, the three quantities, exact denoisers, the DDIM chain) and `pifs_sim.testing`
(strategies and checks for other people's test suites). Importing this package imports none of them.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
