"""Systems x_{n+1} = f(x_n, n) with a tangent map, structured operators, and dimensions."""

from pifs_sim.dynamics import operators
from pifs_sim.dynamics.dimension import kaplan_yorke_dimension
from pifs_sim.dynamics.system import System

__all__ = ["System", "kaplan_yorke_dimension", "operators"]
