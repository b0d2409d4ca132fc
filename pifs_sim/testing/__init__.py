"""For other people's test suites: Hypothesis strategies that build valid values, and checks of interfaces."""

from pifs_sim.testing import strategies
from pifs_sim.testing.conformance import ConformanceError, check_system
from pifs_sim.testing.denoisers import check_denoiser

__all__ = ["ConformanceError", "check_denoiser", "check_system", "strategies"]
