"""For other people's test suites: Hypothesis strategies that build valid values."""

from pifs_sim.testing import strategies

__all__ = ["strategies"]
