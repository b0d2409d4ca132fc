"""For other people's test suites: Hypothesis strategies that build valid values, and checks of interfaces."""

from pifs_sim.testing import strategies
from pifs_sim.testing.conformance import ConformanceError, check_system

__all__ = ["ConformanceError", "check_system", "strategies"]
