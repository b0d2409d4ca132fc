"""The command `bench`: a benchmark in a process of its own, the threads of its libraries fixed before they load."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from experiments.engines import THREADS
from experiments.terminal import BadInput, console, print_json, unknown, writable

__all__ = ["bench", "names"]


def _folder() -> Path:
    import experiments.benchmarks

    return Path(experiments.benchmarks.__path__[0])


def names() -> dict[str, str]:
    """Benchmarks that can be run, by name, with the first sentence of what each measures."""
    found = {}
    for module in pkgutil.iter_modules([str(_folder())]):
        text = (_folder() / f"{module.name}.py").read_text(encoding="utf-8")
        if "def main(" in text:
            found[module.name] = text.split('"""')[1].split("\n\n")[0].replace("\n", " ")
    return found


def bench(
    name: Annotated[str | None, typer.Argument(help="A benchmark; without one, they are listed.")] = None,
    rounds: Annotated[int | None, typer.Option(help="Rounds behind each median; default: the benchmark's own.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the results here (.json).")] = None,
    threads: Annotated[int, typer.Option(help="Threads of BLAS, OpenMP and Numba.", min=1)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")] = False,
) -> int:
    """Time a kernel beside its limit on this machine and beside its peers that are installed.

    Example: pifs-sim bench mixture_chain --rounds 5 -o mixture_chain.json
    """
    known = names()
    if name is None:
        if as_json:
            print_json("bench", {"benchmarks": known})
        else:
            for each, what in known.items():
                console().print(f"[bold]{each}[/bold]\n  {what}", highlight=False)
        return 0
    if name not in known:
        raise unknown("benchmark", name, list(known))
    if rounds is not None and rounds < 1:
        raise BadInput(f"--rounds must be at least 1, got {rounds}.")
    writable("--output", output)
    command = [sys.executable, "-m", f"experiments.benchmarks.{name}"]
    command += [] if rounds is None else ["--rounds", str(rounds)]
    environment = os.environ | {variable: str(threads) for variable in THREADS}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "results.json" if output is None else output
        command += ["--output", str(file)] if as_json or output is not None else []
        said = subprocess.DEVNULL if as_json else None
        failed = subprocess.run(command, env=environment, stdout=said, check=False).returncode
        if as_json and not failed:
            print_json(f"bench {name}", json.loads(file.read_text(encoding="utf-8")))
    return 1 if failed else 0
