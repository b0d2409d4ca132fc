"""Pictures of the gallery: the figures that an example's block makes, with the text that stands for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from sphinx.application import Sphinx
from sphinx_gallery.scrapers import figure_rst

from experiments.figures.canvas import STYLE

__all__ = ["scraper", "setup"]


def scraper(_block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figures that this block bound to names; a figure's label is its alternative text.

    Raises:
        ValueError: a figure without a label.
    """
    shown = block_vars.setdefault("shown", set())
    rst = []
    for name, value in list(block_vars["example_globals"].items()):
        if not isinstance(value, Figure) or name.startswith("_") or id(value) in shown:
            continue
        shown.add(id(value))
        words = " ".join(str(value.get_label()).split())
        if not words:
            raise ValueError(f"figure `{name}` needs `{name}.set_label(...)`, the text that stands for it.")
        path = next(block_vars["image_path_iterator"])
        with matplotlib.rc_context(STYLE):
            value.savefig(path, dpi=110)
        rst.append(figure_rst([path], gallery_conf["src_dir"], words))
    return "\n".join(rst)


def _tidy(app: Sphinx) -> None:
    """Remove the pages of examples that are gone."""
    source = Path(app.srcdir)
    for page in (source / "generated" / "gallery").glob("[0-9]*.rst"):
        if not (source / "gallery" / f"{page.stem}.py").exists():
            page.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Tidy before the gallery is made."""
    app.connect("builder-inited", _tidy, priority=100)
    return {"parallel_read_safe": True}
