"""index.html from the ledger's entries, the quantities and the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from experiments import figures
from experiments.quantities import QUANTITIES
from experiments.report import atlas, gallery
from pifs_sim.diffusion import Schedule
from theory.ledger import Entry

__all__ = ["write"]


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A row for each quantity, a column for each schedule."""
    head = "".join(f"<th>{escape(row['schedule'])}</th>" for row in rows)
    body = "".join(
        f"<tr><th>{escape(title)}</th>" + "".join(f'<td class="n">{row[key]:.7g}</td>' for row in rows) + "</tr>"
        for key, title in QUANTITIES.items()
    )
    return f"<table><thead><tr><th>quantity</th>{head}</tr></thead><tbody>{body}</tbody></table>"


def write(
    folder: Path,
    entries: Sequence[Entry],
    spectrum: Any,
    image_name: str,
    schedules: Sequence[Schedule],
    rows: Sequence[Mapping[str, Any]],
    versions: Mapping[str, str],
) -> Path:
    """Write folder/index.html, self-contained, and return its path.

    Args:
        folder: created if absent.
        entries: the ledger.
        spectrum: the photograph's `PatchSpectrum`.
        image_name: shown as the photograph's name.
        schedules: drawn together; the expansion map shows each.
        rows: `quantities.of_spectrum` of each schedule.
        versions: name -> version.
    """
    counts = Counter(str(entry.status) for entry in entries)
    surprises = [entry.label for entry in entries if not entry.as_expected]
    verdict = f"Not as expected: {atlas.links(surprises)}." if surprises else "Every status is as its author expected."
    size = "×".join(str(n) for n in spectrum.shape)
    drawn = [
        (
            "thresholds",
            figures.thresholds(schedules),
            "Angles and contraction thresholds: L*_t rises along the "
            "schedule, so its weakest link is the last reverse step, t = 1.",
        ),
        *[
            (
                f"map{i}",
                figures.expansion_map(s),
                "A direction of variance λ expands above the curve λ*_t and "
                "contracts below it. The curve is least inside: a direction between that and λ*_1 expands in a window.",
            )
            for i, s in enumerate(schedules)
        ],
        (
            "exponents",
            figures.exponents(schedules),
            "The exponent of the whole chain crosses zero at the global expansion threshold λ**, just above 1.",
        ),
        (
            "spectrum",
            figures.spectrum(spectrum.eigenvalues, rows, f"{image_name}, {size} patches"),
            "The photograph's patch spectrum. With all eigenvalues the Kaplan–Yorke dimension is small; giving every "
            "direction the leading eigenvalue saturates it at n.",
        ),
    ]
    template = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))
    page = template.substitute(
        summary=f"{len(entries)} statements: "
        + ", ".join(f"{n} {status}" for status, n in counts.most_common())
        + f". {verdict}",
        photograph=f"{escape(image_name)}: {spectrum.count} patches of {size}, values in [−1, 1], covariance spectrum "
        f"from {spectrum.eigenvalues[0]:.4g} down to {spectrum.eigenvalues[-1]:.3g}.",
        quantities=_table(rows),
        figures="".join(
            f'<figure class="drawn">{figures.svg(figure, name)}<figcaption>{escape(text)}</figcaption></figure>'
            for name, figure, text in drawn
        ),
        points=f"{gallery.POINTS:,}".replace(",", " "),
        gallery=gallery.cells(),
        **atlas.parts(entries),
        versions=escape(", ".join(f"{name} {version}" for name, version in versions.items())),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path
