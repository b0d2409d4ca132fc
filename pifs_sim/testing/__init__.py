"""For other people's test suites: Hypothesis strategies that build valid values, and checks of interfaces."""

from pifs_sim.testing import strategies
from pifs_sim.testing.conformance import check_system
from pifs_sim.testing.denoisers import check_denoiser
from pifs_sim.testing.kernels import check_kernel
from pifs_sim.testing.schedules import check_schedule
from pifs_sim.testing.subject import ConformanceError

__all__ = ["ConformanceError", "check_denoiser", "check_kernel", "check_schedule", "check_system", "strategies"]


def __dir__() -> list[str]:
    return list(__all__)
