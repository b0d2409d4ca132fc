"""The commands `pifs-sim dynamics ...`: the catalogue, Lyapunov spectra and dimensions of attractors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from experiments.terminal import (
    DRAWINGS,
    BadInput,
    console,
    print_json,
    progress_bar,
    reading_input,
    unknown,
    whole,
    writable,
)

__all__ = ["app"]

app = typer.Typer(
    help="""Maps, their Lyapunov spectra and dimensions.

    Example: pifs-sim dynamics spectrum henon --steps 1e6
    """,
    short_help="Maps, their Lyapunov spectra and dimensions.",
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Name = Annotated[str, typer.Argument(help="A map of the catalogue: see `pifs-sim dynamics list`.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the map, name=value (repeat).")]
Seed = Annotated[int, typer.Option(help="Of the starting points and frames.", min=0)]
Plot = Annotated[Path | None, typer.Option(help="Draw to this file (.svg, .png, .pdf).")]


Count = Annotated[str, typer.Option(help="A whole number; 1e6 is one too.")]


def _entry(name: str, settings: list[str] | None) -> Any:
    from pifs_sim.dynamics import catalogue

    if name not in catalogue.NAMES:
        raise unknown("map", name, catalogue.NAMES)
    values: dict[str, Any] = {}
    for setting in settings or []:
        key, equals, text = setting.partition("=")
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not equals or number != number:
            raise BadInput(f"--set takes name=number, got {setting!r}.")
        integral = isinstance(catalogue.parameters(name).get(key), int) and number == int(number)
        values[key] = int(number) if integral else number
    with reading_input():
        return catalogue.get(name, **values)


def _draw(figure: Any, path: Path | None) -> None:
    if path is not None:
        from experiments import figures

        with reading_input():
            figures.save(figure(), path)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _shown(exponents: Any) -> str:
    return "–" if exponents is None else ", ".join(f"{value:.6g}" for value in exponents)


@app.command("list", short_help="The maps of the catalogue, and what is known of each.")
def list_maps(as_json: Json = False) -> int:
    """The maps of the catalogue: parameters, dimension, exponents that are known exactly, source.

    Example: pifs-sim dynamics list --json
    """
    from pifs_sim.dynamics import catalogue

    entries = [catalogue.get(name) for name in catalogue.NAMES]
    if as_json:
        rows = [
            {"name": e.name, "parameters": dict(e.parameters), "dim": e.system.dim, "exponents": e.exponents}
            | {"exponent_sum": e.exponent_sum, "source": e.source}
            for e in entries
        ]
        print_json("dynamics list", {"maps": rows})
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("map", "parameters", "d", "exact exponents", "source"):
        table.add_column(column, overflow="fold")
    for e in entries:
        parameters = ", ".join(f"{key}={_plain(value)}" for key, value in e.parameters.items())
        exact = _shown(e.exponents if e.exponents is None or len(e.exponents) <= 4 else [*e.exponents[:3]])
        table.add_row(
            e.name,
            parameters,
            str(e.system.dim),
            exact + (", .." if e.exponents and e.system.dim > 4 else ""),
            e.source,
        )
    console().print(table)
    return 0


@app.command(short_help="Lyapunov exponents with errors, Kaplan-Yorke dimension.")
def spectrum(
    name: Name,
    steps: Count = "1e5",
    orbits: Count = "1",
    transient: Count = "1000",
    k: Annotated[int | None, typer.Option(help="How many exponents; all by default.", min=1)] = None,
    target_stderr: Annotated[float | None, typer.Option(help="Stop once every standard error is at most this.")] = None,
    parameters: Set = None,
    seed: Seed = 0,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Keep the state of a long run here, and go on from it.")
    ] = None,
    plot: Plot = None,
    as_json: Json = False,
) -> int:
    """Lyapunov exponents with standard errors, and the Kaplan-Yorke dimension; exit 1 if every orbit diverges.

    Example: pifs-sim dynamics spectrum henon --steps 1e6 --set a=1.4 --plot henon.svg
    """
    from pifs_sim.dynamics import lyapunov_spectrum

    writable("--plot", plot, DRAWINGS)
    writable("--checkpoint", checkpoint)
    batch, count, skipped = (
        whole("--orbits", orbits, 1, 10**7),
        whole("--steps", steps, 1),
        whole("--transient", transient),
    )
    entry = _entry(name, parameters)
    rng = np.random.default_rng(seed)
    with reading_input(), progress_bar("steps") as tick:
        found = lyapunov_spectrum(
            entry.system,
            entry.x0(batch, rng),
            count,
            k=k,
            transient=skipped,
            target_stderr=target_stderr,
            rng=rng,
            progress=tick,
            checkpoint=checkpoint,
        )
    from experiments import figures

    _draw(lambda: figures.convergence(found, entry.name), plot)
    failures = [reason for reason in found.reasons if reason is not None]
    exact = None if entry.exponents is None else entry.exponents[: len(found.exponents)]
    reference = (
        None if entry.reference is None else [e.value for e in entry.reference.exponents][: len(found.exponents)]
    )
    if as_json:
        facts = {"map": entry.name, "parameters": dict(entry.parameters), "exponents": found.exponents.tolist()}
        facts |= {"stderr": found.stderr.tolist(), "rank": found.rank, "steps": found.steps, "orbits": batch}
        facts |= {"finite_time": found.finite_time, "kaplan_yorke": found.kaplan_yorke._asdict(), "failures": failures}
        print_json("dynamics spectrum", facts | {"exact": exact, "reference": reference, "interval": found.interval})
        return int(len(failures) == batch)
    table = Table(title=f"{entry.name}, {found.steps} steps of {batch} orbit(s)", title_justify="left", box=None)
    for column in ("i", "exponent", "standard error", "exact" if exact else "reference"):
        table.add_column(column, justify="right")
    for i, (value, error) in enumerate(zip(found.exponents, found.stderr, strict=True)):
        known = exact or reference
        table.add_row(str(i + 1), f"{value:.9g}", f"{error:.2g}", f"{known[i]:.9g}" if known else "–")
    screen = console()
    screen.print(table)
    value, error = found.kaplan_yorke
    screen.print(f"Kaplan–Yorke dimension {value:.7g} ± {error:.2g}; rank {found.rank} of {len(found.exponents)}")
    for reason in failures[:5]:
        screen.print(f"failed: {reason}", soft_wrap=True)
    return int(len(failures) == batch)


@app.command(short_help="Three dimensions of a map's attractor.")
def dimension(
    name: Name,
    points: Count = "1e5",
    transient: Count = "1000",
    parameters: Set = None,
    seed: Seed = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> int:
    """Box-counting, correlation and Kaplan-Yorke dimension of a map's attractor.

    Example: pifs-sim dynamics dimension henon --points 1e6 --plot slopes.svg
    """
    from pifs_sim.dynamics import box_counting_dimension, correlation_dimension, lyapunov_spectrum

    writable("--plot", plot, DRAWINGS)
    count, skipped = whole("--points", points, 1000, 10**8), whole("--transient", transient)
    entry = _entry(name, parameters)
    rng = np.random.default_rng(seed)
    with reading_input(), progress_bar("points") as tick:
        orbits = min(100, count // 500)
        steps = -(-count // orbits)
        x = entry.x0(orbits, rng)
        visited = []
        for n in range(skipped + steps):
            x = entry.system.step(x, n)
            if n >= skipped:
                visited.append(x)
                tick(n - skipped + 1, steps)
        cloud = np.concatenate(visited)[:count]
        if not np.isfinite(cloud).all():
            raise ValueError(f"an orbit of {entry.name} left the finite points: no attractor with these parameters.")
        box = box_counting_dimension(cloud)
        correlation = correlation_dimension(cloud[: min(count, 20_000)])
        exponents = lyapunov_spectrum(entry.system, entry.x0(orbits, rng), max(1, 200_000 // orbits), transient=skipped)
    from experiments import figures

    _draw(lambda: figures.local_slopes({"box counting": box, "correlation": correlation}, entry.name), plot)
    rows = {"box counting": (box.value, box.interval), "correlation": (correlation.value, correlation.interval)}
    value, error = exponents.kaplan_yorke
    if as_json:
        facts = {key.replace(" ", "_"): {"value": v, "interval": list(i)} for key, (v, i) in rows.items()}
        facts["kaplan_yorke"] = {"value": value, "stderr": error}
        print_json("dynamics dimension", {"map": entry.name, "points": count} | facts)
        return 0
    table = Table(title=f"{entry.name}, {count} points", title_justify="left", box=None)
    for column in ("dimension", "value", "interval"):
        table.add_column(column)
    for key, (v, (low, high)) in rows.items():
        table.add_row(key, f"{v:.4f}", f"{low:.4f} .. {high:.4f}")
    table.add_row("Kaplan–Yorke", f"{value:.5f}", f"± {error:.1g} (standard error)")
    console().print(table)
    return 0
