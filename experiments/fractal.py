"""The commands `pifs-sim fractal ...`: code an image, decode it, say what a file holds; dimensions and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image
from rich.table import Table

from experiments.terminal import (
    BadInput,
    console,
    print_json,
    progress_bar,
    reading_input,
    spoken,
    unknown,
    whole,
    writable,
)

__all__ = ["app"]

_MOST_STEPS = 1_000_000  # of the decoder, which converges in less than a thousand

app = typer.Typer(
    help="""Fractal image coding, and dimensions and pictures of self-affine sets.

    Example: pifs-sim fractal draw barnsley_fern -o fern.png
    """,
    short_help="Fractal image coding; dimensions and pictures of sets.",
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Coded = Annotated[Path, typer.Argument(help="A file that `fractal encode` wrote.")]


def _grey(path: Path) -> Any:
    """Pixels of an image file, (H, W) in [0, 1]."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L")) / 255.0
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise BadInput(spoken(error)) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadInput(f"'{path}' is not an image that Pillow can read: {error}") from None


def _writable_image(path: Path) -> None:
    Image.init()
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise BadInput(f"--output must end in the format of a picture, such as .png or .tif, got '{path}'.")
    writable("--output", path)


def _write_image(pixels: Any, path: Path) -> None:
    with reading_input():
        Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(path)


@app.command()
def encode(
    image: Annotated[Path, typer.Argument(help="An image; colours become grey.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    range_size: Annotated[int, typer.Option(help="Pixels along the largest ranges.")] = 16,
    min_size: Annotated[int, typer.Option(help="Pixels along the smallest ranges.")] = 4,
    tolerance: Annotated[float, typer.Option(help="Root-mean-square error above which a range is divided.")] = 0.02,
    contrast_limit: Annotated[float, typer.Option(help="The largest |contrast|, below 1.")] = 0.95,
    allow_expansion: Annotated[bool, typer.Option("--allow-expansion", help="Accept a limit of 1 or more.")] = False,
    search: Annotated[str, typer.Option(help="exhaustive or kdtree")] = "kdtree",
    as_json: Json = False,
) -> int:
    """Code a grey image as a PIFS.

    Example: pifs-sim fractal encode photo.jpg -o photo.pifs --tolerance 0.01
    """
    from pifs_sim import fractals

    writable("--output", output)
    pixels = _grey(image)
    with reading_input(), progress_bar("pixels") as tick:
        coded = fractals.encode(
            pixels,
            range_size,
            min_size=min_size,
            tolerance=tolerance,
            contrast_limit=contrast_limit,
            allow_expansion=allow_expansion,
            search=search,  # type: ignore[arg-type]
            progress=tick,
        )
        coded.save(output)
    facts: dict[str, Any] = {"file": str(output), "ranges": len(coded.ranges), "bits per pixel": coded.rate}
    if not allow_expansion:
        facts["PSNR, dB"] = fractals.psnr(pixels, coded.decode())
    _say("encode", facts, as_json=as_json)
    return 0


@app.command()
def decode(
    file: Coded,
    output: Annotated[Path, typer.Option("--output", "-o", help="The image to write.")],
    iterations: Annotated[str | None, typer.Option(help="Steps; by default until it has converged.")] = None,
    as_json: Json = False,
) -> int:
    """Decode a PIFS to an image.

    Example: pifs-sim fractal decode photo.pifs -o photo.png
    """
    _writable_image(output)
    steps = None if iterations is None else whole("--iterations", iterations, 0, _MOST_STEPS)
    with reading_input():
        pixels = _load(file).decode(iterations=steps)
    _write_image(pixels, output)
    facts = {"file": str(output), "height": pixels.shape[0], "width": pixels.shape[1]}
    _wrote("decode", facts, f"Wrote {output}", as_json=as_json)
    return 0


def _wrote(command: str, facts: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(f"fractal {command}", facts)
    else:
        print(sentence)


def _load(file: Path) -> Any:
    from pifs_sim.fractals import PIFS

    return PIFS.load(file)


@app.command(short_help="Size, rate and contraction of a coded image.")
def info(
    file: Coded,
    image: Annotated[Path | None, typer.Option(help="The original: gives PSNR, collage error and bound.")] = None,
    as_json: Json = False,
) -> int:
    """What a coded image is: size, rate, contraction, and how near it comes to the original.

    Example: pifs-sim fractal info photo.pifs --image photo.jpg
    """
    from pifs_sim import fractals

    with reading_input():
        coded = _load(file)
    contraction = coded.contraction()
    facts: dict[str, Any] = {
        "height": coded.shape[0],
        "width": coded.shape[1],
        "ranges": len(coded.ranges),
        "bits per pixel": coded.rate,
        "|L|_inf": contraction.norm_inf,
        "|L|_2": contraction.norm_two,
        "spectral radius": contraction.spectral_radius,
        "kappa": contraction.kappa,
        "delta": contraction.delta,
        "row sum": contraction.row_sum,
        "block-max norm, at most": contraction.block_max,
    }
    if contraction.norm_inf < 1:
        facts["iterations to 1e-8"] = contraction.iterations()
    if image is not None:
        pixels = _grey(image)
        with reading_input():
            collage = coded.collage(pixels)
            if contraction.norm_inf < 1:
                facts["PSNR, dB"] = fractals.psnr(pixels, coded.decode())
        facts |= {"collage error": collage.error, "collage bound": collage.bound, "distance": collage.distance}
    _say("info", facts, as_json=as_json)
    return 0


def _say(command: str, facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        named = {key.replace("|", "").replace(", ", "_").replace(" ", "_"): value for key, value in facts.items()}
        print_json(f"fractal {command}", named)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for key, value in facts.items():
        if value not in (None, ""):
            table.add_row(key, _shown(value))
    console().print(table)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _set(name: str) -> Any:
    from pifs_sim.fractals import gallery

    if name not in gallery.NAMES:
        raise unknown("set", name, gallery.NAMES)
    return gallery.get(name)


@app.command(short_help="The dimension of a set: exact, bounded and counted.")
def dimension(
    name: Annotated[str, typer.Argument(help="A set of the gallery, like cantor, koch or barnsley_fern.")],
    points: Annotated[str, typer.Option(help="Points of the box count; 1e6 is a number too.")] = "1e5",
    as_json: Json = False,
) -> int:
    """The dimension of a set: exact or bounded, by its matrices, and by counting boxes.

    Example: pifs-sim fractal dimension sierpinski --points 1e6
    """
    from pifs_sim.dynamics import box_counting_dimension

    number = whole("--points", points, 1000, 10**8)
    entry = _set(name)
    with reading_input():
        affinity = entry.ifs.affinity_dimension()
        box = box_counting_dimension(entry.ifs.attractor(number))
    facts: dict[str, Any] = {"set": entry.name, "dimension": entry.dimension, "bounds": list(entry.bounds)}
    facts |= {"affinity dimension": affinity.value, "affinity interval": list(affinity.interval)}
    facts |= {"box counting": box.value, "box counting interval": list(box.interval)}
    facts |= {"note": entry.note, "source": entry.source}
    _say("dimension", facts, as_json=as_json)
    return 0


@app.command(short_help="A picture of a set: the density of its points.")
def draw(
    name: Annotated[str, typer.Argument(help="A set of the gallery in the plane.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write (.png, .tif, ..).")],
    points: Annotated[str, typer.Option(help="Points of the chaos game; 1e8 is a number too.")] = "1e7",
    size: Annotated[int, typer.Option(help="Pixels along the longer side.", min=16, max=16384)] = 1024,
    seed: Annotated[int, typer.Option(help="Of the chaos game.", min=0)] = 0,
    as_json: Json = False,
) -> int:
    """A picture of a set: the density of its points, dark where they are many.

    Example: pifs-sim fractal draw barnsley_fern -o fern.png --points 1e8
    """
    from pifs_sim.fractals.ifs_chaos import log_density

    _writable_image(output)
    number = whole("--points", points, 1, 10**12)
    entry = _set(name)
    if entry.ifs.dim != 2:
        raise BadInput(f"{name} cannot be drawn: it lies in {entry.ifs.dim} dimension(s), not in the plane.")
    with reading_input(), progress_bar("points") as tick:
        low, high = (np.asarray(corner, dtype=float) for corner in entry.ifs.bounding_box())
        extent = np.maximum(high - low, 0.02 * (high - low).max())
        bins = np.maximum(1, np.round(size * extent / extent.max())).astype(int)
        rng = np.random.default_rng(seed)
        counts = entry.ifs.histogram(
            number, bins=tuple(bins.tolist()), bounds=(low, low + extent), rng=rng, progress=tick
        )
    _write_image(1.0 - log_density(counts.T[::-1]), output)
    width, height = bins.tolist()
    facts = {"file": str(output), "set": entry.name, "points": number, "width": width, "height": height}
    _wrote("draw", facts, f"Wrote {output}: {number} points, {width}×{height} pixels", as_json=as_json)
    return 0
