"""Hypothesis draws the same examples on every run, unless HYPOTHESIS_PROFILE names another profile; a browser."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import Phase, settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile(
    "mutation", settings.get_profile("ci"), max_examples=15, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Set before any test imports NumPy: tests run in parallel, and two BLAS threads each would fight for the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def browser():
    """A Chromium that is installed already."""
    browsers = pytest.importorskip("playwright.sync_api", reason="playwright, which drives a browser, is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with browsers.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield opened
        opened.close()
