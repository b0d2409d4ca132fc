"""The page of figures and verdicts that `pifs-sim validate` writes: one file, no network, no script."""

from experiments.report.gallery import cells as pictures
from experiments.report.page import write

__all__ = ["pictures", "write"]
