"""The interactive page that `pifs-sim schedule explore` writes: sliders on a schedule, one file, no network."""

from experiments.explorer.page import write

__all__ = ["write"]
