"""Mathematics as native MathML: no script, no font and no request when a page is read."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

__all__ = ["mathml", "setup"]


APPLIED = re.compile(
    r"(\\(?:sin|cos|tan|cot|sec|ln|log|exp|tanh|det)(?![A-Za-z])(?:\^\{[^{}]*\}|\^\w)?)\s*(?=\\(?!left|right)[A-Za-z]|\w)"
)
MENDED = (  # what latex2mathml takes for letters, or sets with too much space
    (re.compile(r"<mo>([A-Za-z]\w+)</mo>"), r"<mi>\1</mi>"),
    (re.compile(r"<mi>&#x0007E;</mi>"), "<mo>&#x0223C;</mo>"),
    (re.compile(r"<mi>(&#x02AAF;)</mi>"), r"<mo>\1</mo>"),
    (re.compile(r"<mo>&#x0002A;</mo>"), "<mo>&#x02217;</mo>"),
    (re.compile(r'<mo stretchy="false">&#x0007C;</mo>'), '<mo stretchy="false" lspace="0" rspace="0">&#x0007C;</mo>'),
)


@cache
def mathml(latex: str, display: str = "inline") -> str:
    """The formula as a MathML element."""
    latex = re.sub(r"\\operatorname\{(\w+)\}", r"\\text{\1}", latex)
    text = str(convert(APPLIED.sub(r"\1\,", latex), display=display))
    for found, instead in MENDED:
        text = found.sub(instead, text)
    return text


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _display(writer: Any, node: nodes.math_block) -> None:
    drawn = "".join(mathml(line, "block") for line in node.astext().split("\n") if line.strip())
    writer.body.append(f'<div class="formula" tabindex="0" role="group" aria-label="Formula">{drawn}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this the way in which HTML shows mathematics."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
