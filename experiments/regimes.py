"""The command `pifs-sim regimes`: kappa, delta, suppression and entropy along the chain of a law of image patches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from experiments import named
from experiments.terminal import (
    DRAWINGS,
    BadInput,
    console,
    plain_table,
    print_json,
    progress_bar,
    reading_input,
    show_wide,
    unknown,
    writable,
)

__all__ = ["regimes"]


def regimes(
    measure: Annotated[
        str, typer.Option(help="gaussian, scale-mixture, mixture, points: one, or several, with commas.")
    ] = "scale-mixture",
    patches: Annotated[int, typer.Option(help="Side of a patch in pixels.", min=1)] = 8,
    across: Annotated[int, typer.Option(help="Patches from side to side of a window.", min=1)] = 2,
    aligned: Annotated[bool, typer.Option("--aligned", help="Shifted views of the whole scene, not windows.")] = False,
    image: Annotated[Path | None, typer.Option(help="The photograph; default: the one that matplotlib ships.")] = None,
    schedule: Annotated[str, typer.Option(help=", ".join(named.SCHEDULES))] = "cosine",
    steps: Annotated[int, typer.Option(help="Number of reverse steps T.", min=1)] = 50,
    samples: Annotated[int, typer.Option(help="Points of each marginal, and own samples.", min=1)] = 32,
    orbits: Annotated[int, typer.Option(help="Samples behind the dimension by whole products; 0: none.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Of the points; fits have a fixed one.", min=0)] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw to this file (.svg, .png, .pdf).")] = None,
    table: Annotated[Path | None, typer.Option(help="Write the tables to this file as Markdown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")] = False,
) -> int:
    """Norms, coupling, suppression and attention entropy of a chain on patches of a photograph, step by step.

    Example: pifs-sim regimes --measure mixture,points --patches 8 --schedule cosine --plot regimes.svg
    """
    from experiments import figures, laws, tables
    from experiments.profiles import profile, rows
    from pifs_sim.diffusion.spectra import default_photograph

    names = [name.strip() for name in measure.split(",") if name.strip()]
    for name in names or [measure]:
        if name not in laws.NAMES:
            raise unknown("measure", name, laws.NAMES)
    if orbits > samples:
        raise BadInput(f"--orbits must be at most --samples {samples}, got {orbits}.")
    writable("--plot", plot, DRAWINGS)
    writable("--table", table)
    chosen, found = named.schedule(schedule, steps), []
    for name in names:
        with reading_input(), progress_bar(f"fit of {name}") as tick:
            source = default_photograph() if image is None else image
            law = laws.fitted(name, source, patches, across=across, aligned=aligned, progress=tick)
        with progress_bar(f"steps of {name}") as tick:
            rng = np.random.default_rng(seed)
            found.append(profile(law, chosen, samples=samples, rng=rng, orbits=orbits, progress=tick))
    with reading_input():
        if plot is not None:
            figures.save(figures.regimes({p.law.name: rows(p) for p in found}, chosen.name), plot)
        if table is not None:
            words = f"pifs-sim regimes --measure {','.join(names)} --patches {patches} --across {across}"
            words += f"{' --aligned' * aligned} --schedule {schedule} --steps {steps} --samples {samples}"
            words += f" --orbits {orbits} --seed {seed}{f' --image {image}' if image else ''}"
            words += f"{f' --plot {plot}' if plot else ''} --table {table}"
            table.write_text(tables.markdown(found, words), encoding="utf-8")
    if as_json:
        about = [{"measure": p.law.name, "about": p.law.about, "patches": p.law.patches.count} for p in found]
        numbers = [{"leading_variances": p.lam.tolist(), "dimensions": p.dimensions} | tables.summary(p) for p in found]
        laws_ = [a | b | {"steps": rows(p)} for a, b, p in zip(about, numbers, found, strict=True)]
        print_json("regimes", {"schedule": chosen.name, "laws": laws_})
        return 0
    for one in found:
        _show(f"{one.law.name}: {one.law.about}; {chosen.name}", tables.cells(one), tables.sentences(one))
    return 0


def _show(title: str, cells: list[list[str]], sentences: list[str]) -> None:
    show_wide(plain_table(title, cells))
    screen = console()
    for line in sentences:
        screen.print(line, soft_wrap=True)
    screen.print()
