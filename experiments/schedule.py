"""The commands `pifs-sim schedule ...`: show, audit, design, compare; and the spectra that they are judged on."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.schedule_input import noting, read_data, read_schedule
from experiments.terminal import (
    DRAWINGS,
    BadInput,
    console,
    print_json,
    quantity_table,
    reading_input,
    writable,
)

__all__ = ["app"]

app = typer.Typer(
    help="""Noise schedules: show, audit, design, compare.

    Example: pifs-sim schedule compare karras cosine --steps 20
    """,
    short_help="Noise schedules: show, audit, design, compare.",
    rich_markup_mode=None,
)

_MOST_SHOWN = 1_000_000  # steps

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Plot = Annotated[Path | None, typer.Option(help="Draw to this file (.svg, .png, .pdf).")]
SpectrumOption = Annotated[
    str | None,
    typer.Option(help="Spectrum file (.npz), image, latents (.npy, .safetensors), folder, or variances: 4,1,0.25"),
]
Images = Annotated[Path | None, typer.Option(help="An image or a folder; default: a photograph.")]
Size = Annotated[int | None, typer.Option(help="Side of a patch in pixels; default: 8, latents whole.")]
Mu = Annotated[float | None, typer.Option(help="Dynamic shift of flow classes.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; default: standard output.")]


def _say_left_out(left_out: list[str]) -> None:
    """How many files were left out, and each with its reason, on standard error."""
    if left_out:
        print(f"pifs-sim: {len(left_out)} file(s) left out:", *left_out, sep="\n  ", file=sys.stderr)


def _draw(schedules: Any, data: Any, solver: str, plot: Path | None) -> None:
    if plot is not None:
        from experiments.figures.canvas import save
        from experiments.figures.schedules import comparison

        with reading_input():
            save(comparison(schedules, data.spectrum.eigenvalues, solver), plot)  # type: ignore[arg-type]


def _data_facts(data: Any) -> dict[str, Any]:
    found = data.spectrum
    return {"source": data.source, "directions": found.dim, "vectors": found.count, "captured": found.captured}


@app.command(short_help="The model-free quantities of one schedule.")
def show(
    name: Annotated[str, typer.Argument(help="linear, scaled_linear, cosine, uniform_angle, karras, log_linear, flow")],
    steps: Annotated[int, typer.Option(help="Number of reverse steps T.")] = 1000,
    spectrum: SpectrumOption = None,
    plot: Plot = None,
    sigma_min: Annotated[float | None, typer.Option(help="Of karras and log_linear; default: 0.002.")] = None,
    sigma_max: Annotated[float | None, typer.Option(help="Of karras and log_linear; default: 80.")] = None,
    as_json: Json = False,
) -> int:
    """The model-free quantities of one schedule, and the dimensions of a spectrum under it.

    Example: pifs-sim schedule show cosine --steps 50 --spectrum 9,4,1,0.1 --plot cosine.svg
    """
    from experiments import named, quantities

    writable("--plot", plot, DRAWINGS)
    if steps > _MOST_SHOWN:
        raise BadInput(f"--steps must be at most {_MOST_SHOWN}, got {steps}.")
    schedule = named.schedule(name, steps, sigma_min, sigma_max)
    row = quantities.of_schedule(schedule)
    if spectrum is not None:
        import numpy as np

        data = read_data(spectrum)
        _say_left_out(data.left_out)
        found = data.spectrum
        if found.dim > 1 << 20:
            raise BadInput(f"--spectrum must have at most {1 << 20} directions, got {found.dim}.")
        row = quantities.of_spectrum(schedule, np.repeat(found.eigenvalues, found.multiplicities))
    if plot is not None:
        from experiments import figures

        with reading_input():
            figures.save(figures.schedule_sheet(schedule), plot)
    if as_json:
        print_json("schedule show", row | {"angles": schedule.angles.tolist()})
        return 0
    screen = console()
    screen.print(quantity_table([row], f"φ from {schedule.angles[0]:.6g} to {schedule.angles[-1]:.6g} rad"))
    if plot is not None:
        screen.print(f"\nDrawn to {plot}", soft_wrap=True)
    return 0


@app.command(short_help="How good a schedule is, and what its class really does.")
def audit(
    config: Annotated[str, typer.Argument(help="A scheduler_config.json, its folder, a class, a name, or a design.")],
    steps: Annotated[int | None, typer.Option(help="Number of steps N; default: 50.")] = None,
    spectrum: SpectrumOption = None,
    images: Images = None,
    size: Size = None,
    mu: Mu = None,
    at_most: Annotated[float | None, typer.Option(help="Exit 1 if W₂ exceeds this multiple of the optimum's.")] = None,
    plot: Plot = None,
    as_json: Json = False,
) -> int:
    """How good a schedule is on a spectrum, what its class really does, and what to do about it.

    Exit 1 if the class cannot make the steps, or if W₂ exceeds --at-most times the optimum's.

    Example: pifs-sim schedule audit scheduler_config.json --images photos --steps 20
    """
    from experiments import audits, schedule_tables

    writable("--plot", plot, DRAWINGS)
    if at_most is not None and not 1 <= at_most < math.inf:
        raise BadInput(f"--at-most must be a finite multiple of at least 1, got {at_most:g}.")
    notes: list[str] = []
    with noting(notes):
        given = read_schedule(config, steps, mu=mu)
    data = read_data(spectrum, images, size)
    asked = {"--spectrum": spectrum, "--images": images, "--size": size}
    words = [f"{option} {shlex.quote(str(value))}" for option, value in asked.items() if value is not None]
    ends = f"--config {shlex.quote(config)}" if given.config is not None else schedule_tables.ends(given.schedule)
    with reading_input():
        facts, drawn = audits.audit(given, data.spectrum, " ".join([*words, ends]), mu=mu)
    facts |= {"spectrum": _data_facts(data), "left_out": data.left_out}
    facts["notes"] = list(dict.fromkeys(notes + facts["notes"]))
    _draw(drawn, data, facts["solver"], plot)
    _say_left_out(data.left_out)
    if as_json:
        print_json("schedule audit", facts)
    else:
        schedule_tables.say_audit(facts)
    failed = any(found["kind"] == "fails" for found in facts["discrepancies"])
    above = at_most is not None and not facts["w2_ratio"] <= at_most
    if above:
        print(f"pifs-sim: W₂ is {facts['w2_ratio']:.6g} times the optimum's, above {at_most:g}.", file=sys.stderr)
    return 1 if failed or above else 0


@app.command(short_help="The best schedule of N steps, as a sampler takes it.")
def design(
    steps: Annotated[int, typer.Option(help="Number of steps N.")] = 10,
    spectrum: SpectrumOption = None,
    images: Images = None,
    size: Size = None,
    objective: Annotated[str, typer.Option(help="kl or w2")] = "w2",
    solver: Annotated[str | None, typer.Option(help="ddim (Euler) or 2m; default: that of --export")] = None,
    method: Annotated[str, typer.Option(help="optimise or density")] = "optimise",
    sigma_min: Annotated[float | None, typer.Option(help="Clean end; default: of the training chain, or 0.002")] = None,
    sigma_max: Annotated[float | None, typer.Option(help="Noisy end; default: of the training chain, or 80")] = None,
    config: Annotated[str | None, typer.Option(help="A scheduler_config.json: its training chain gives ends.")] = None,
    export: Annotated[str, typer.Option(help="A scheduler class of diffusers, comfyui, csv or json.")] = "json",
    output: Output = None,
    plot: Plot = None,
    as_json: Json = False,
) -> int:
    """The best schedule of N steps for a spectrum, in a form that a sampler takes.

    For a class the file holds the keyword of its set_timesteps: scheduler.set_timesteps(**json.load(open("out.json"))).

    Example: pifs-sim schedule design --steps 10 --images photos --export EulerDiscreteScheduler -o out.json
    """
    from experiments import designs, schedule_tables

    writable("--output", output)
    writable("--plot", plot, DRAWINGS)
    notes: list[str] = []
    with noting(notes):
        order = designs.order(steps, objective, solver, method, (sigma_min, sigma_max), config, export)
        data = read_data(spectrum, images, size)
        with reading_input():
            facts, text, drawn = designs.design(order, data.spectrum)
            if output is not None:
                output.write_text(text, encoding="utf-8")
    facts |= {"spectrum": _data_facts(data), "left_out": data.left_out, "notes": notes}
    _draw(drawn, data, facts["solver"], plot)
    _say_left_out(data.left_out)
    if as_json:
        print_json("schedule design", facts)
    elif output is None:
        print(text.rstrip("\n"))
    else:
        schedule_tables.say_design(facts, output)
    return 0


@app.command(short_help="Schedules side by side: thresholds, dimension, errors.")
def compare(
    names: Annotated[list[str], typer.Argument(help="Two or more: names, classes, scheduler_config.json, designs.")],
    steps: Annotated[int | None, typer.Option(help="Number of steps N of each; default: 50.")] = None,
    spectrum: SpectrumOption = None,
    images: Images = None,
    size: Size = None,
    mu: Mu = None,
    solver: Annotated[str, typer.Option(help="ddim (Euler) or 2m")] = "ddim",
    plot: Plot = None,
    as_json: Json = False,
) -> int:
    """Schedules side by side: L*, λ**, dimension, exact KL and W₂ on one spectrum.

    Example: pifs-sim schedule compare karras log_linear cosine --steps 20 --plot three.svg
    """
    from experiments import audits, schedule_tables

    writable("--plot", plot, DRAWINGS)
    if len(names) < 2:
        raise BadInput(f"schedule compare needs at least two schedules, got {len(names)}.")
    notes: list[str] = []
    with noting(notes):
        given = [read_schedule(name, steps, mu=mu).schedule for name in names]
    data = read_data(spectrum, images, size)
    with reading_input():
        rows = [
            {"name": name, **audits.measured(schedule, data.spectrum, solver)}  # type: ignore[arg-type]
            for name, schedule in zip(names, given, strict=True)
        ]
    _draw(given, data, solver, plot)
    _say_left_out(data.left_out)
    if as_json:
        found = {"schedules": rows, "solver": solver, "spectrum": _data_facts(data), "left_out": data.left_out}
        print_json("schedule compare", found | {"notes": notes})
    else:
        schedule_tables.say_rows(rows, data.source, notes)
    return 0


@app.command(short_help="Measure the spectrum of images or latents.")
def spectrum(
    source: Annotated[Path, typer.Argument(help="An image, latents (.npy, .safetensors), or a folder of either.")],
    output: Output = None,
    size: Size = None,
    stride: Annotated[int | None, typer.Option(help="Pixels from one patch to the next; default: size.")] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Colours become grey.")] = False,
    rank: Annotated[int, typer.Option(help="Eigenvalues to find above 4096 dimensions.")] = 512,
    seed: Annotated[int, typer.Option(help="Of the random test matrix and of intervals.", min=0)] = 0,
    as_json: Json = False,
) -> int:
    """Measure the covariance spectrum of images or latents, and write it for --spectrum.

    Example: pifs-sim schedule spectrum photos --size 16 -o photos.npz
    """
    from experiments import designs, schedule_tables
    from pifs_sim.diffusion.spectra import save_spectrum

    if output is not None and output.suffix != ".npz":
        raise BadInput(f"--output must end in .npz, which --spectrum needs to know it again, got '{output}'.")
    writable("--output", output)
    data = read_data(None, source, size, stride=stride, grey=grey, rank=rank, seed=seed)
    with reading_input():
        facts = _data_facts(data) | designs.described(data.spectrum, seed) | {"left_out": data.left_out}
        if output is not None:
            save_spectrum(data.spectrum, output)
    _say_left_out(data.left_out)
    if as_json:
        print_json("schedule spectrum", facts | {"file": None if output is None else str(output)})
    else:
        schedule_tables.say_spectrum(facts, output)
    return 0
