"""Pages made of the committed results of benchmarks: speed and limits, and the measured part of the comparison."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from extensions.docstrings import escape
from extensions.generated import number, table, write

__all__ = ["peers", "performance", "setup"]

RESULTS = Path(__file__).parent.parent.parent / "experiments" / "benchmarks" / "results"
SHOWN = {  # file -> what it is about
    "geometry": "The model-free quantities",
    "mixture_chain": "Chains of a mixture",
    "mixture_scaling": "How chains scale",
    "mixture_accuracy": "How exact chains are",
    "tangent_chain": "Tangent vectors along a chain",
    "denoisers": "Structure in high dimension",
    "lyapunov": "Lyapunov spectra",
    "lyapunov_scaling": "Spectra of a large lattice",
    "chaos_game": "The chaos game",
    "block_matching": "Fractal encoding",
    "rate_psnr": "Rate and quality of the coder",
    "box_counting": "Box counting",
    "pair_counting": "Pair counting",
    "patch_spectrum": "Spectra of patches",
    "schedules": "Optimal schedules",
    "attractors": "Outputs of chains on fractals",
    "network_jacobian": "Block norms of networks",
    "runner": "The runner of studies",
}
LONG = 24  # rows; longer tables are left to the file


def _result(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def _facts(facts: Mapping[str, Any]) -> list[str]:
    return [*(f"* {escape(name)}: {escape(number(value))}" for name, value in facts.items()), ""]


def _section(name: str, title: str) -> list[str]:
    result = _result(name)
    heading = escape(title)
    machine = ", ".join(f"{key} {value}" for key, value in result["settings"].items())
    command = (
        f"``pifs-sim bench {name}``" if name not in ("runner",) else f"``python -m experiments.benchmarks.{name}``"
    )
    lines = [heading, "-" * len(heading), "", f"{escape(result['title'])}. {command}", "", *_facts(result["facts"])]
    if (RESULTS / f"{name}.svg").exists():
        lines += [
            f".. image:: ../../experiments/benchmarks/results/{name}.svg",
            f"   :alt: {title}: the plot of this table",
            "",
        ]
    rows = result["rows"]
    if len(rows) <= LONG:
        lines += table(rows, list(rows[0]))
    else:
        lines += [f"All {len(rows)} rows are in ``experiments/benchmarks/results/{name}.json``.", ""]
    return [*lines, f"*{escape(machine)}*", ""]


def performance() -> str:
    """The page of all results."""
    title = "Speed and limits"
    lines = [
        title,
        "=" * len(title),
        "",
        "Made from ``experiments/benchmarks/results``, which are committed with the code; no number on this page is "
        "typed. Each kernel is timed beside its limit on the same machine and beside its peers that are installed, in "
        "one run. Goals that were missed say so. Absolute times drift between machines: compare within a table.",
        "",
    ]
    for name, about in SHOWN.items():
        lines += _section(name, about)
    return "\n".join(lines) + "\n"


def _ratios(rows: Sequence[Mapping[str, Any]], case: str, ratio: str, own: str = "pifs_sim") -> list[dict[str, Any]]:
    """For each case and peer, how many times as fast this project is."""
    found = []
    for row in rows:
        if not str(row["by"]).startswith((own, "limit")) and isinstance(row[ratio], float):
            found.append({"case": row[case], "peer": row["by"], "times as fast": row[ratio]})
    return found


def peers() -> str:
    """Measured ratios of the comparison."""
    chain, tangent, lyapunov = _result("mixture_chain"), _result("tangent_chain"), _result("lyapunov")
    single = [row for row in chain["rows"] if row["dtype"] == "float32"]
    tangents = [row for row in tangent["rows"] if row["dtype"] == "float32"]
    times = "pifs_sim is times as fast"
    named = {
        "Sampling a mixture with its exact denoiser, float32, one thread": (chain, _ratios(single, "case", times)),
        "Tangent vectors along a chain, float32": (tangent, _ratios(tangents, "dtype", times)),
        "Lyapunov spectra": (lyapunov, _ratios(lyapunov["rows"], "task", "in pifs_sim")),
    }
    lines: list[str] = []
    for title, (result, rows) in named.items():
        about = result["facts"].get("cases") or result["facts"].get("case") or ""
        versions = result["facts"].get("peers", "")
        lines += [f".. rubric:: {title}", "", escape("; ".join(filter(None, (str(about), str(versions))))), ""]
        lines += table(_pivot(rows), ["peer", *dict.fromkeys(row["case"] for row in rows)])
    return "\n".join(lines) + "\n"


def _pivot(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["peer"], {"peer": row["peer"]})[row["case"]] = f"{number(row['times as fast'])} ×"
    return list(found.values())


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "generated"
    write(folder / "performance.rst", re.sub(r"\n{3,}", "\n\n", performance()))
    write(folder / "peers.txt", peers())


def setup(app: Sphinx) -> dict[str, bool]:
    """Write both before the sources are read."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}
