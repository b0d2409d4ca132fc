"""The command `pifs-sim`: exit status 0, 1 (a check failed) or 2 (bad input, one line, no traceback)."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

import pifs_sim
from experiments import batches, bench, dynamics, explore, fractal, measure, regimes, schedule, stored
from experiments.terminal import (
    BadInput,
    claim_table,
    console,
    print_json,
    progress_bar,
    quantity_table,
    reading_input,
    spoken,
    unknown,
    writable,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="pifs-sim",
    help="""Check the theory that a diffusion chain is a partitioned iterated function system.

    Example: pifs-sim validate --quick
    """,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
schedule.app.command(short_help="Write a page with sliders, on one spectrum.")(explore.explore)
app.add_typer(schedule.app, name="schedule")
app.add_typer(dynamics.app, name="dynamics")
app.add_typer(fractal.app, name="fractal")
for command, short_help in (
    (regimes.regimes, "Norms, suppression and entropy along a chain on patches."),
    (measure.measure, "The same of a trained network's chain."),
    (bench.bench, "Time a kernel beside its limit and its peers."),
    (batches.run, "Run what a store lacks of a study or of all."),
    (stored.status, "Runs done, running, failed and left, and the time left."),
    (stored.query, "Ask the index of a store in SQL."),
    (stored.export, "Write all rows of a study to one file."),
):
    app.command(short_help=short_help)(command)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def _show_version(asked: bool) -> None:
    if asked:
        print(f"pifs-sim {pifs_sim.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command by itself."""


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


@app.command(short_help="Check every claim, and measure a photograph.")
def validate(
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer random examples, and no Coq; other proofs run.")
    ] = False,
    as_json: Json = False,
    report: Annotated[Path, typer.Option(help="Folder for index.html.", file_okay=False)] = Path("report"),
    image: Annotated[Path | None, typer.Option(help="Image file or folder; default: a photograph.")] = None,
    claims: Annotated[list[str] | None, typer.Option(help="Only these labels (repeat, or separate by commas).")] = None,
    ledger_file: Annotated[Path | None, typer.Option("--ledger", help="Write the ledger as Markdown here.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print the steps of each proof.")] = False,
) -> int:
    """Check every claim and measure a photograph; exit 1 if a status is not as expected.

    Example: pifs-sim validate --quick --claims moran,telescoping --report report
    """
    from theory import workers

    writable("--ledger", ledger_file)
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
    with ThreadPoolExecutor(1) as aside:  # other processes examine the claims, this one only waits for them
        pictures = aside.submit(page.pictures)
        with reading_input(), progress_bar("claims") as tick:
            entries = ledger.run(wanted, quick=quick, workers=os.cpu_count() or 1, progress=tick)
        pictures.result()
    chosen = [schedules.linear(1000), schedules.cosine(1000)]
    rows = [quantities.of_spectrum(schedule, spectrum.eigenvalues) for schedule in chosen]
    with reading_input():
        path = page.write(report, entries, spectrum, source.name, chosen, rows, _versions())
        if ledger_file is not None:
            ledger_file.write_text(ledger.render(entries), encoding="utf-8")
    if as_json:
        facts = {"claims": [_entry(e) for e in entries], "quantities": rows, "versions": _versions()}
        print_json("validate", facts)
    else:
        screen = console()
        screen.print(claim_table(entries))
        screen.print()
        size = "×".join(str(n) for n in spectrum.shape)
        screen.print(quantity_table(rows, f"{source.name}: {spectrum.count} patches of {size}"))
        screen.print(f"\nFigures and statements: {path}", soft_wrap=True)
        if verbose:
            print("\n" + "\n\n".join("\n".join(ledger.steps(entry)) for entry in entries))
    surprises = [entry.label for entry in entries if not entry.as_expected]
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


@app.command("report", short_help="Write the pages of what a store holds.")
def study_report(
    store: Annotated[Path, typer.Option("--store", help="Folder of the records.")] = Path("store"),
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pages.", file_okay=False)] = Path(
        "site"
    ),
    studies: batches.Studies = None,
    as_json: Json = False,
) -> int:
    """Write the pages of what a store holds: an index, and question, verdict, plot and table of each study.

    Example: pifs-sim report --store store -o site
    """
    batches.needs_batch("pyarrow")
    from experiments.report.studies import write
    from experiments.store import Store

    batches.find_also(studies)
    with reading_input():
        page = write(Store.open(store), output)
    if as_json:
        print_json("report", {"store": str(store), "file": str(page)})
    else:
        print(f"Wrote {page}")
    return 0


@app.command(short_help="Versions, processors, threads, backends, and CUDA.")
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
        print_json("doctor", facts)
    else:
        for key, value in facts.items():
            text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            print(f"{key:<11}{', '.join(text) if isinstance(text, list) else text}")
    return 0


_UsageError: Any = typer.BadParameter.__base__  # what the parser raises for bad options and commands


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Greek letters
    try:
        status = app(args=words or ["--help"], prog_name="pifs-sim", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except BadInput as error:
        status = _refuse(str(error))
    except _UsageError as error:
        status = _refuse(error.format_message() + _given(error, words))
    except OSError as error:  # such as a disk that is full, where output goes to a file
        status = _refuse(spoken(error))
    except MemoryError as error:
        status = _refuse(f"there is not enough memory: {error or 'none was left'}.")
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _given(error: Any, words: Sequence[str]) -> str:
    """The value of the option that is refused, where the message does not say it."""
    for option in getattr(getattr(error, "param", None), "opts", ()):
        values = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
        values += [value for word, value in pairwise(words) if word == option]
        if values and repr(values[-1]) not in error.format_message():
            return f", got {values[-1]!r}."
    return ""


def _refuse(message: str) -> int:
    print(f"pifs-sim: {' '.join(message.split())}", file=sys.stderr)
    return 2
