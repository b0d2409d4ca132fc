"""Mended for readers without a mouse or without sight.

What scrolls sideways on a small screen, code and tables, can be reached by the keyboard; captions of the contents have
their level; the link on a thumbnail has its name.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

__all__ = ["setup"]

MENDED = (
    (re.compile(r'<div class="highlight"><pre>'), '<div class="highlight"><pre tabindex="0">'),
    (
        re.compile(r'<div class="table-wrapper'),
        '<div tabindex="0" role="group" aria-label="Table" class="table-wrapper',
    ),
    (re.compile(r'<p class="caption" role="heading">'), '<p class="caption" role="heading" aria-level="2">'),
    (
        re.compile(r'<a class="reference internal" (href="[^"]+")><span class="doc">([^<]+)</span></a>'),
        r'<a class="reference internal" \1 aria-label="\2"><span class="doc">\2</span></a>',
    ),
)


def _mend(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    for part in ("body", "furo_navigation_tree"):
        for found, instead in MENDED:
            if context.get(part):
                context[part] = found.sub(instead, context[part])


def setup(app: Sphinx) -> dict[str, bool]:
    """Mend pages when they are written, after the theme has made its parts."""
    app.connect("html-page-context", _mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
