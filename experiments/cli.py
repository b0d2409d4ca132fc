"""The command `pifs-sim`: exit status 0, 1 (a check failed) or 2 (bad input, one line, no traceback)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import pifs_sim
from experiments import bench, dynamics, fractal, named, regimes
from experiments.terminal import (
    BadInput,
    claim_table,
    console,
    print_json,
    progress_bar,
    quantity_table,
    reading_input,
    unknown,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="pifs-sim",
    help="Check the theory that a diffusion chain is a partitioned iterated function system.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
schedule_app = typer.Typer(help="Noise schedules.", rich_markup_mode=None)
app.add_typer(schedule_app, name="schedule")
app.add_typer(dynamics.app, name="dynamics")
app.add_typer(fractal.app, name="fractal")
app.command()(regimes.regimes)
app.command()(bench.bench)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    packages = ("numpy", "scipy", "sympy", "hypothesis", "matplotlib", "pillow")
    return {"pifs_sim": pifs_sim.__version__, "python": sys.version.split()[0]} | {p: version(p) for p in packages}


def _claims(options: Sequence[str] | None) -> list[str] | None:
    from theory import ledger

    if not options:
        return None
    wanted = [label.strip() for option in options for label in option.split(",") if label.strip()]
    if not wanted:
        raise BadInput("--claims needs at least one label, got an empty list.")
    for label in wanted:
        if label not in ledger.labels():
            raise unknown("claim", label, ledger.labels())
    return wanted


@app.command()
def validate(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer random examples; proofs always run.")] = False,
    as_json: Json = False,
    report: Annotated[Path, typer.Option(help="Folder for index.html.", file_okay=False)] = Path("report"),
    image: Annotated[Path | None, typer.Option(help="Image file or folder; default: a photograph.")] = None,
    claims: Annotated[list[str] | None, typer.Option(help="Only these labels (repeat, or separate by commas).")] = None,
    ledger_file: Annotated[Path | None, typer.Option("--ledger", help="Write the ledger as Markdown here.")] = None,
) -> int:
    """Check every claim and measure a photograph; exit 1 if a status is not as expected.

    Example: pifs-sim validate --quick --claims moran,telescoping --report report
    """
    from theory import workers

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the workers: one thread each
    if not claims:  # a few claims are examined sooner than all are imported twice
        workers.start()
    wanted = _claims(claims)
    from experiments import quantities
    from experiments import report as page
    from pifs_sim.diffusion import schedules, spectra
    from theory import ledger

    with reading_input(), progress_bar("patches") as tick:
        source = spectra.default_photograph() if image is None else image
        spectrum = spectra.patch_spectrum(source, 8, progress=tick)
        report.mkdir(parents=True, exist_ok=True)
    with progress_bar("claims") as tick:
        entries = ledger.run(wanted, quick=quick, workers=os.cpu_count() or 1, progress=tick)
    chosen = [schedules.linear(1000), schedules.cosine(1000)]
    rows = [quantities.of_spectrum(schedule, spectrum.eigenvalues) for schedule in chosen]
    with reading_input():
        path = page.write(report, entries, spectrum, source.name, chosen, rows, _versions())
        if ledger_file is not None:
            ledger_file.write_text(ledger.render(entries), encoding="utf-8")
    if as_json:
        print_json({"claims": [_entry(e) for e in entries], "quantities": rows, "versions": _versions()})
    else:
        screen = console()
        screen.print(claim_table(entries))
        screen.print()
        size = "×".join(str(n) for n in spectrum.shape)
        screen.print(quantity_table(rows, f"{source.name}: {spectrum.count} patches of {size}"))
        screen.print(f"\nFigures and statements: {path}", soft_wrap=True)
    surprises = [entry.label for entry in entries if entry.status != entry.expected]
    if surprises:
        print(f"pifs-sim: not as expected: {', '.join(surprises)}", file=sys.stderr)
    return 1 if surprises else 0


def _entry(entry: Any) -> dict[str, Any]:
    """One claim of `validate --json`."""
    evidence = [
        {"engine": e.engine, "outcome": e.outcome, "detail": e.detail, "worst_error": e.worst_error}
        for e in entry.evidence
    ]
    return {
        "label": entry.label,
        "source": entry.source,
        "scope": entry.scope,
        "status": str(entry.status),
        "expected": str(entry.expected),
        "evidence": evidence,
        "worst_error": entry.worst_error,
        "seconds": round(entry.seconds, 3),
    }


def _variances(text: str) -> Any:
    """Variances, descending, from an image, a folder, or numbers separated by commas."""
    import numpy as np

    from pifs_sim.diffusion import spectra

    if not Path(text).exists():
        try:
            values = np.array([float(part) for part in text.split(",")])
        except ValueError:
            raise BadInput(
                f"--spectrum must name an image or folder, or list variances separated by commas, got {text!r}."
            ) from None
        if not (np.isfinite(values) & (values >= 0)).all():
            raise BadInput(f"--spectrum must list finite variances >= 0, got {text!r}.")
        return np.sort(values)[::-1]
    with reading_input(), progress_bar("patches") as tick:
        return spectra.patch_spectrum(Path(text), 8, progress=tick).eigenvalues


@schedule_app.command()
def show(
    name: Annotated[str, typer.Argument(help="linear, scaled_linear, cosine, uniform_angle, karras, log_linear, flow")],
    steps: Annotated[int, typer.Option(help="Number of reverse steps T.")] = 1000,
    spectrum: Annotated[str | None, typer.Option(help="An image, a folder, or variances: 4,1,0.25")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the schedule to this file (.svg, .png, .pdf).")] = None,
    sigma_min: Annotated[float, typer.Option(help="For karras and log_linear.")] = 0.002,
    sigma_max: Annotated[float, typer.Option(help="For karras and log_linear.")] = 80.0,
    as_json: Json = False,
) -> int:
    """The model-free quantities of one schedule, and the dimensions of a spectrum under it.

    Example: pifs-sim schedule show cosine --steps 50 --spectrum 9,4,1,0.1 --plot cosine.svg
    """
    schedule = named.schedule(name, steps, sigma_min, sigma_max)
    from experiments import quantities

    row = (
        quantities.of_schedule(schedule) if spectrum is None else quantities.of_spectrum(schedule, _variances(spectrum))
    )
    if plot is not None:
        from experiments import figures

        with reading_input():
            figures.save(figures.schedule_sheet(schedule), plot)
    if as_json:
        print_json(row | {"angles": schedule.angles.tolist()})
        return 0
    screen = console()
    screen.print(quantity_table([row], f"φ from {schedule.angles[0]:.6g} to {schedule.angles[-1]:.6g} rad"))
    if plot is not None:
        screen.print(f"\nDrawn to {plot}", soft_wrap=True)
    return 0


@app.command()
def doctor(as_json: Json = False) -> int:
    """Versions, processors, threads, array backends, and whether CUDA is there.

    Example: pifs-sim doctor --json
    """
    import platform
    from importlib.util import find_spec

    found = {name: find_spec(name) is not None for name in ("numpy", "cupy", "array_api_strict")}
    cuda = "not available: cupy is not installed"
    if found["cupy"]:
        import cupy

        cuda = (
            f"available, {cupy.cuda.runtime.getDeviceCount()} device(s)"
            if cupy.cuda.is_available()
            else ("not available: cupy finds no usable device")
        )
    threads = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS") if name in os.environ}
    facts = {
        "versions": _versions(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "threads": threads or "not limited by the environment",
        "backends": [name for name, present in found.items() if present],
        "cuda": cuda,
    }
    if as_json:
        print_json(facts)
    else:
        for key, value in facts.items():
            text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            print(f"{key:<11}{', '.join(text) if isinstance(text, list) else text}")
    return 0


_UsageError: Any = typer.BadParameter.__base__  # what the parser raises for bad options and commands


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(args=words or ["--help"], standalone_mode=False)
    except BadInput as error:
        status = _refuse(str(error))
    except _UsageError as error:
        status = _refuse(error.format_message())
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _refuse(message: str) -> int:
    print(f"pifs-sim: {' '.join(message.split())}", file=sys.stderr)
    return 2
