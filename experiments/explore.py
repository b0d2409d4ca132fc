"""The command `pifs-sim schedule explore`: the interactive page on one spectrum."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.schedule import Images, Json, Size, SpectrumOption
from experiments.schedule_input import read_data
from experiments.terminal import console, print_json, reading_input, writable

__all__ = ["explore"]


def explore(
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("explorer.html"),
    spectrum: SpectrumOption = None,
    images: Images = None,
    size: Size = None,
    as_json: Json = False,
) -> int:
    """Write a page with sliders: a schedule's thresholds, exponents, errors and dimension, redrawn live.

    One file that needs no network; its numbers are those of this package.

    Example: pifs-sim schedule explore -o page.html --images photos
    """
    from experiments import explorer

    writable("--output", output)
    data = read_data(spectrum, images, size)
    found = data.spectrum
    with reading_input():
        explorer.write(output, found.eigenvalues, found.multiplicities, name=data.source)
    if data.left_out:
        print(f"pifs-sim: {len(data.left_out)} file(s) left out:", *data.left_out, sep="\n  ", file=sys.stderr)
    if as_json:
        facts = {"source": data.source, "directions": found.dim, "left_out": data.left_out}
        print_json("schedule explore", {"file": str(output), "spectrum": facts})
    else:
        console().print(f"{data.source}\nOpen in a browser: {output}", soft_wrap=True)
    return 0
