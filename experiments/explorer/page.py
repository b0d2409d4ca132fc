"""A page with sliders on which a schedule's geometry redraws itself: one file, no network.

The closed forms of `pifs_sim.diffusion` are written out in forms.js, without cancellation as there, and evaluated in
the browser on a spectrum that the page carries.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.sweep import variances

__all__ = ["write"]

_SCRIPTS = ("forms.js", "plots.js", "view.js", "exports.js", "page.js")
_MOST = 1 << 14  # more would make the sliders drag


def write(path: Path, lam: npt.ArrayLike, multiplicities: npt.ArrayLike | None = None, *, name: str) -> Path:
    """Write a self-contained interactive page on schedules and return its path.

    Its errors and its dimension are those of Gaussian data with the given spectrum. The script offers its numbers
    as `window.explorer.state()`.

    Args:
        path: the HTML file; its folder is created if absent.
        lam: (m,) variances, at least one, in any order.
        multiplicities: (m,) number of directions of each variance, integers >= 0; 1 by default.
        name: shown as that of the spectrum.

    Raises:
        ValueError: no variance or more than 16384, one negative or not finite, or multiplicities of another shape
            or kind.
    """
    values = np.asarray(variances(lam)[1], dtype=np.float64)
    if values.ndim != 1 or not 0 < values.size <= _MOST:
        raise ValueError(f"`lam` must hold 1 to {_MOST} variances in one dimension, got shape {values.shape}.")
    counts = np.ones(values.shape) if multiplicities is None else np.asarray(multiplicities, dtype=np.float64)
    if counts.shape != values.shape:
        raise ValueError(f"`multiplicities` must have the shape of `lam`, {values.shape}, got {counts.shape}.")
    bad = ~((counts >= 0) & (counts == np.floor(counts)) & np.isfinite(counts))
    if bad.any() or not counts.any():
        raise ValueError(f"`multiplicities` must be integers >= 0, not all 0, got {counts[bad | ~counts.any()][0]!r}.")
    order = np.argsort(-values, kind="stable")
    spectrum = {"name": name, "lam": values[order].tolist(), "multiplicities": counts[order].astype(int).tolist()}
    folder = Path(__file__).parent
    page = Template((folder / "page.html").read_text(encoding="utf-8")).substitute(
        spectrum=json.dumps(spectrum, ensure_ascii=False).replace("<", "\\u003c"),
        script="\n".join((folder / file).read_text(encoding="utf-8") for file in _SCRIPTS).rstrip(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path
