"""Rate and quality of the fractal coder on Grace Hopper (grey, 512 x 512), beside JPEG, and the collage bound.

Goal: at least 30 dB at 1 bit a pixel or less. Rates are those of whole files, headers and checksums included. Decoding
starts from black, white and noise, and must agree within 1e-6. The collage bound is compared with the true distance on
the middle 256 x 256 pixels of ten photographs of scikit-image, if it is installed. The photograph was stored as a JPEG,
which favours the peer.

    python -m experiments.benchmarks.rate_psnr [--output FILE]
"""

from __future__ import annotations

import importlib.util
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from experiments import figures
from experiments.benchmarks.block_matching import photograph
from experiments.benchmarks.machine import arguments, publish
from pifs_sim.fractals import PIFS, encode, psnr

__all__ = ["curve", "main"]

TOLERANCES = (0.008, 0.012, 0.016, 0.02, 0.025, 0.03, 0.04, 0.055, 0.08)
CODERS: dict[str, dict[str, Any]] = {
    "quadtree 16 to 4": {"range_size": 16, "min_size": 4},
    "quadtree 32 to 4": {"range_size": 32, "min_size": 4},
    "no isometries": {"range_size": 16, "min_size": 4, "isometries": 1},
    "domains every 4": {"range_size": 16, "min_size": 4, "domain_step": 4},
    "k-d tree": {"range_size": 16, "min_size": 4, "search": "kdtree"},
}
PICTURES = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "moon", "rocket")


def _row(coder: str, setting: Any, system: PIFS, seconds: float, image: Any) -> dict[str, Any]:
    decoded = system.decode()
    noise = np.random.default_rng(0).random(image.shape)
    starts = [system.decode(start) for start in (0 * noise, np.ones(image.shape), noise)]
    return {
        "coder": coder,
        "setting": setting,
        "bits a pixel": system.rate,
        "dB": psnr(decoded, image),
        "ranges": len(system.ranges),
        "largest contrast": float(np.abs(system.contrasts).max()),
        "starts differ by": max(float(np.abs(a - b).max()) for a in starts for b in starts),
        "encoding, s": seconds,
    }


def _coded(image: Any) -> list[dict[str, Any]]:
    rows = []
    cases = [(name, t, facts | {"tolerance": t}) for name, facts in CODERS.items() for t in TOLERANCES]
    cases += [("equal ranges", size, {"range_size": size}) for size in (32, 16, 8, 4)]
    for name, setting, arguments_ in cases:
        start = time.process_time()
        system = encode(image, **arguments_)
        rows.append(_row(name, setting, system, time.process_time() - start, image))
    return rows


def _jpeg(image: Any) -> list[dict[str, Any]]:
    rows = []
    for quality in (5, 10, 20, 30, 50, 70, 85, 92):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality, optimize=True)
        decoded = np.asarray(Image.open(file))
        rate = 8 * len(file.getvalue()) / image.size
        rows.append({"coder": "peer: JPEG", "setting": quality, "bits a pixel": rate, "dB": psnr(decoded, image)})
    return rows


def _collages() -> dict[str, Any]:
    """Distance over bound for each photograph that is there."""
    found = importlib.util.find_spec("skimage")
    if found is None or not found.submodule_search_locations:
        return {"collage bound": "not compared: scikit-image is not installed"}
    folder, ratios = Path(found.submodule_search_locations[0]) / "data", {}
    for name in PICTURES:
        path = next(path for path in (folder / f"{name}.png", folder / f"{name}.jpg") if path.exists())
        with Image.open(path) as picture:
            grey = np.asarray(picture.convert("L"))
        top, left = (max(0, (length - 256) // 2) for length in grey.shape)
        grey = grey[top : top + 256, left : left + 256]
        collage = encode(grey, 8).collage(grey)
        ratios[name] = collage.distance / collage.bound
    kept = sum(ratio <= 1 for ratio in ratios.values())
    shown = ", ".join(f"{name} {ratio:.3f}" for name, ratio in ratios.items())
    return {"collage bound": f"holds on {kept} of {len(ratios)}; distance/bound: {shown}"}


def curve(rows: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """PSNR over rate, one line for each coder, and the goal."""
    figure = Figure(figsize=(5.4, 3.9), layout="constrained")
    axes = figure.subplots()
    for name, colour in zip(dict.fromkeys(row["coder"] for row in rows), figures.COLOURS * 2, strict=False):
        points = sorted((row["bits a pixel"], row["dB"]) for row in rows if row["coder"] == name)
        shown, style = ("black", "--") if name.startswith("peer") else (colour, "-")
        axes.plot(*zip(*points, strict=True), style, marker="o", markersize=3, color=shown, label=name)
    axes.plot([0, 1, 1], [30, 30, 0], ":", color="grey", label="goal: above and left")
    axes.set(xlabel="bits a pixel", ylabel="PSNR (dB)", xlim=(0, 2), ylim=(18, 42))
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=7)
    return figure


def main() -> None:
    """Code, print, and write the results and the curve (.svg beside them) if asked to."""
    options, image = arguments(__doc__, rounds=1), photograph()
    rows = _coded(image)
    best = max((row["dB"], row["bits a pixel"], row["coder"]) for row in rows if row["bits a pixel"] <= 1)
    least = min((row["bits a pixel"], row["dB"], row["coder"]) for row in rows if row["dB"] >= 30)
    apart = max(row["starts differ by"] for row in rows)
    facts = {
        "goal": f">= 30 dB at <= 1 bit a pixel: {best[0]:.2f} dB at {best[1]:.3f} ({best[2]}), "
        f"{'met' if best[0] >= 30 else 'missed'}",
        "fewest bits with 30 dB": f"{least[0]:.3f} ({least[2]})",
        "black, white and noise": f"agree within {apart:.2g}, goal 1e-6 {'met' if apart <= 1e-6 else 'missed'}",
        "contrasts": f"at most {max(row['largest contrast'] for row in rows)}",
        **_collages(),
    }
    table = [*rows, *[{key: row.get(key, "") for key in rows[0]} for row in _jpeg(image)]]
    title = "Fractal coding of Grace Hopper, 512 x 512 in grey"
    publish(table, facts, title, options.output)
    if options.output:
        figures.save(curve(table, title), options.output.with_suffix(".svg"))


if __name__ == "__main__":
    main()
