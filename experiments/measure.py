"""The command `pifs-sim measure`: block norms, suppression, attention and exponents of a trained network's chain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.terminal import BadInput, console, plain_table, print_json, progress_bar, reading_input, show_wide

__all__ = ["measure"]


def measure(
    what: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A network by name, a checkpoint, or a folder.")],
    patches: Annotated[int, typer.Option(help="Side of a patch in pixels.", min=1)] = 8,
    steps: Annotated[int, typer.Option(help="Number of reverse steps T.", min=1)] = 50,
    samples: Annotated[int, typer.Option(help="Points of every marginal.", min=1)] = 16,
    schedule: Annotated[str | None, typer.Option(help="linear, cosine, ...; default: the network's own.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of images, in place of the network's data.")] = None,
    exponents: Annotated[int, typer.Option(help="Leading Lyapunov exponents of the chain.", min=0)] = 0,
    method: Annotated[str | None, typer.Option(help="exact, lanczos or frobenius; default: the cheapest.")] = None,
    max_memory: Annotated[float | None, typer.Option(help="MB that tensors and arrays may take.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of the points.", min=0)] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for table, figure and numbers.", file_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")] = False,
) -> int:
    """Norms, coupling, suppression, attention entropy and loss of a network's chain, step by step, without a Jacobian.

    With -o a measurement that was interrupted goes on where it was. Names are listed for an unknown one.

    Example: pifs-sim measure digits-unet --patches 4 --steps 50 --samples 16 -o out
    """
    try:
        from pifs_sim import networks
    except ImportError as error:
        raise BadInput(str(error)) from None
    from experiments import figures, measured, subjects
    from pifs_sim.dynamics import Patches

    try:
        with reading_input():
            found = subjects.subject(what, steps=steps, schedule=schedule, images=images)
            parts = Patches(found.denoiser.shape, patches)
            if output is not None:
                output.mkdir(parents=True, exist_ok=True)
    except ImportError as error:
        raise BadInput(str(error)) from None
    options: dict[str, Any] = {"max_memory": None if max_memory is None else 1e6 * max_memory, "method": method}
    options["folder"] = None if output is None else output / "steps"
    with reading_input(), progress_bar(f"steps of {found.name}") as tick:
        result = networks.measure(
            found.denoiser,
            found.schedule,
            found.data,
            patches=parts,
            samples=samples,
            seed=seed,
            exponents=exponents,
            progress=tick,
            **options,
        )
    table, about = measured.rows(result), f"{found.about}; {found.schedule.name}; {parts.count} patches of {patches}."
    content = {"network": found.name, "about": about, "summary": measured.summary(result), "steps": table}
    if output is not None:
        words = f"pifs-sim measure {what} --patches {patches} --steps {steps} --samples {samples} --seed {seed}"
        words += f"{f' --schedule {schedule}' if schedule else ''}{f' --images {images}' if images else ''}"
        words += (
            f"{f' --exponents {exponents}' if exponents else ''}{f' --method {method}' if method else ''} -o {output}"
        )
        page = measured.markdown({found.name: (about, result)}, words, "A network along the chain")
        with reading_input():
            (output / "measurement.md").write_text(page, encoding="utf-8")
            (output / "measurement.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            figures.save(
                figures.networks({found.about: {found.name: table}}, found.schedule.name), output / "measurement.svg"
            )
    if as_json:
        print_json("measure", content)
        return 0
    screen = console()
    show_wide(plain_table(f"{found.name}: {about}", measured.cells(result)))
    for line in measured.sentences(result):
        screen.print(line, soft_wrap=True)
    if output is not None:
        screen.print(f"\nTable, figure and numbers: {output}", soft_wrap=True)
    return 0
