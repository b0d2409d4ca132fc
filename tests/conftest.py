"""Hypothesis draws the same examples on every run, unless HYPOTHESIS_PROFILE names another profile."""

from __future__ import annotations

import os

from hypothesis import Phase, settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile(
    "mutation", settings.get_profile("ci"), max_examples=15, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Set before any test imports NumPy: tests run in parallel, and two BLAS threads each would fight for the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
