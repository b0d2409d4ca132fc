"""The page of measured networks, from the rows in experiments/results/networks: its tables, figures and verdicts.

Tables are generated/networks/*.txt, which networks.rst includes, and figures generated/networks/*.png.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from sphinx.application import Sphinx

from experiments import network_rows
from experiments.figures.canvas import STYLE
from experiments.statements import STATEMENTS, Answer, asked, together
from experiments.study import load
from extensions.docstrings import escape
from extensions.generated import list_table, write
from theory import studies

__all__ = ["setup"]

LAWS = {"gaussian": "normal law", "mixture": "mixture", "points": "points"}
REPORTED = {  # t of 1000 -> kappa, delta of the CIFAR-10 network (Dooms 2026, arXiv:2603.13069, as summarised)
    980: (1.0004, 0.0007),
    800: (1.0002, 0.0008),
    600: (1.0000, 0.0853),
    400: (1.0026, 0.1273),
    220: (1.0325, 0.0768),
    20: (1.2111, 0.1858),
}
REPORTED_ENTROPY = {980: (4.963, 0.00946), 560: (4.662, 0.09463), 160: (4.541, 0.42899), 20: (4.063, 2.06175)}
REPORTED_MARGINS = {700: (-0.003942, 16), 200: (-0.000304, 14), 160: (0.001382, 0), 40: (0.006412, 0)}
PICTURES = {  # study -> what its figure shows
    "network_regimes": (
        "Curves over t/T of three networks and three exact laws, digits left, grey crops right. κ − 1 of the "
        "networks is above 0 at the clean end, that of the laws below; δ of all rises towards the clean end; "
        "suppression too; attention entropy of the networks is nearly level; their loss over the Gaussian's "
        "rises from 0.6 to above 1."
    ),
    "exact_laws_elsewhere": (
        "Curves over t/T of three exact laws at training and at held-out images, digits left, grey crops right: κ − 1 "
        "of the normal law is below 0 at the clean end, that of mixture and points spreads and rises elsewhere."
    ),
    "attention_or_convolution": (
        "Curves over t/T of U-Nets with attention and without, digits left, grey crops right: κ − 1, δ and "
        "suppression of the two follow the same course."
    ),
    "memorisation": (
        "Three panels: the gap between Jacobians over steps of training for 4 to 1024 points, the share of "
        "copies among samples, which reaches 1 for 4 points, and the trace of the Jacobian over the angle "
        "beside the exact one."
    ),
    "pifs_regulariser": (
        "Changes of margin, validation error and energy distance with their intervals at μ = 0.001, 0.01 and "
        "0.1: the margin rises with μ, the validation error falls a little at 0.01 and rises at 0.1."
    ),
    "designed_schedule_on_network": (
        "W2 of samples over 5, 10 and 20 steps for the designed schedule and four others, transformers on digits and "
        "on grey crops: at 10 steps and more nearly one line, far above the dotted predictions for an exact denoiser."
    ),
    "dncnn_chain": (
        "κ and δ of two pretrained denoisers over sigma, δ rising from 0.4 to 0.9; asymmetry and distance "
        "below the contraction floor, both up to about 0.1."
    ),
}
WORDS = {"yes": "for", "no": "**against**", "open": "open"}
Rows = list[dict[str, Any]]


def losses() -> list[str]:
    """Validation losses beside the matched Gaussian's."""
    body = []
    for name, one in network_rows.losses().items():
        better = one["excess"] + 2 * one["excess_stderr"] < 0
        numbers = (f"{one['parameters']:,}", f"{one['loss']:.4f}", f"{one['gaussian_loss']:.4f}")
        difference = f"{one['excess']:+.4f} ± {one['excess_stderr']:.4f}"
        body.append((name, *numbers, difference, "yes" if better else "no: **left out**"))
    return list_table(("network", "parameters", "loss", "the Gaussian's", "difference", "in the verdicts"), body)


def _groups() -> dict[str, Rows]:
    """Rows of the regimes by network, and by law of its data, the noisiest last."""
    found: dict[str, Rows] = {}
    for row in sorted(network_rows.rows("network_regimes"), key=lambda row: int(row["t"])):
        network = f"{row['data']}-{row['network']}"
        found.setdefault(network if row["of"] == "network" else f"{network} {row['of']}", []).append(dict(row))
    return {name: found[name] for name in sorted(found, key=lambda name: (name.startswith("grey"), " " in name))}


def _p(answer: Answer) -> str:
    if answer.p > 0.995:  # nothing was tested
        return ""
    if answer.p == 0:
        return ", exactly"
    return f", p = {answer.p:.1g}" if answer.p > 1e-9 else ", p < 1e-9"


def _cell(answer: Answer | None) -> str:
    if answer is None:
        return ""
    number = f"{answer.number:.{4 if abs(answer.number) > 1 else 3}g}".replace("-", "−")
    return f"{WORDS[answer.holds]}: {number}{_p(answer)}"


def statements(groups: Mapping[str, Rows]) -> list[str]:
    """The statements of section 4: the answer of each network, and the verdict."""
    names = [name for name in groups if " " not in name]
    found = {name: asked(groups[name], int(groups[name][0]["samples"])) for name in names}
    body = []
    for statement, (words, number) in STATEMENTS.items():
        answers = [found[name].get(statement) for name in names]
        verdict = together([answer for answer in answers if answer])
        body.append((f"{words} ({number})", f"**{verdict}**", *map(_cell, answers)))
    return list_table(("statement (number)", "verdict", *names), body)


def laws(groups: Mapping[str, Rows]) -> list[str]:
    """The same statements of exact laws fitted to the same training data."""
    shown: dict[str, Rows] = {}
    for name, mine in groups.items():
        network, _, law = name.partition(" ")
        if law:
            shown.setdefault(f"{network.partition('-')[0]}: {LAWS[law]}", mine)
    found = {name: asked(mine, int(mine[0]["samples"])) for name, mine in shown.items()}
    body = []
    for statement, (words, _) in STATEMENTS.items():
        if statement != "slope":
            answers = [each.get(statement) for each in found.values()]
            varied = [answer if answer and answer.number else None for answer in answers]  # one weight has no entropy
            body.append((words, *map(_cell, varied if statement == "entropy" else answers)))
    return list_table(("statement", *found), body)


def elsewhere() -> list[str]:
    """Of exact laws at training and at held-out images: gain of kappa, and suppression."""
    found = load("exact_laws_elsewhere").answers(network_rows.rows("exact_laws_elsewhere"))
    body = [
        (f"{data}: {LAWS[law]}", place, *(_cell(each[name]) for name in ("kappa", "suppressed")))
        for (data, law, place), each in found.items()
    ]
    said = [STATEMENTS[name][0] for name in ("kappa", "suppressed")]
    return list_table(("law fitted to training images", "measured at", *said), body)


def _near(rows: Rows, t: int) -> dict[str, Any]:
    return min(rows, key=lambda row: abs(int(row["t"]) * 1000 / len(rows) - t))


def regimes(groups: Mapping[str, Rows], of: str = "") -> list[str]:
    """kappa / delta at the reported steps: reported, of each network, or of the laws of one data set."""
    names = [name for name in groups if (name.partition(" ")[2] and name.startswith(of) if of else " " not in name)]
    if of:
        names = [name for name in names if name.partition(" ")[0] == names[0].partition(" ")[0]]
    body = []
    for t, (kappa, delta) in REPORTED.items():
        cells = [f"{_near(groups[name], t)['kappa']:.4f} / {_near(groups[name], t)['delta']:.4f}" for name in names]
        body.append((str(t), f"{kappa:.4f} / {delta:.4f}", *cells))
    heads = [LAWS.get(name.partition(" ")[2], name) for name in names]
    return list_table(("t of 1000", "reported", *heads), body)


def entropies(groups: Mapping[str, Rows]) -> list[str]:
    """Attention entropy in nats / delta at the reported steps."""
    names = [name for name in groups if " " not in name and groups[name][0]["attention"]]
    body = []
    for t, reported in REPORTED_ENTROPY.items():
        near = [_near(groups[name], t) for name in names]
        body.append(
            (
                str(t),
                "{:.3f} / {:.4f}".format(*reported),
                *(f"{row['entropy']:.3f} / {row['delta']:.4f}" for row in near),
            )
        )
    return list_table(("t of 1000", "reported", *names), body)


def margins(groups: Mapping[str, Rows]) -> list[str]:
    """1 - kappa - delta at the reported steps."""
    names = [name for name in groups if " " not in name]
    body = []
    for t, (margin, violated) in REPORTED_MARGINS.items():
        near = [_near(groups[name], t) for name in names]
        body.append(
            (
                str(t),
                f"{margin:+.6f}, {violated} of 16 violate",
                *(f"{1 - row['kappa'] - row['delta']:+.4f}" for row in near),
            )
        )
    return list_table(("t of 1000", "reported", *names), body)


def answers() -> list[str]:
    """Question, verdict and figure of each study."""
    verdicts = {found.study: found for found in studies.verdicts()}
    lines = []
    for name in network_rows.STUDIES:
        question = " ".join(str(load(name).__doc__).partition("\n\n")[0].split())
        found = verdicts[name]
        lines += [question, "~" * len(question), "", f"*{found.answer.capitalize()}*: {escape(found.text)}", ""]
        lines += [
            f".. image:: generated/networks/{name}.png",
            f"   :alt: {PICTURES[name]}",
            "",
        ]
        lines += [f"``pifs-sim run {name} --grid paper``, {found.runs} runs; {escape(found.scope)}.", ""]
    return lines


def _figures(folder: Path) -> None:
    for name in network_rows.STUDIES:
        target, source = folder / f"{name}.png", network_rows.FOLDER / f"{name}.json"
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            with matplotlib.rc_context(STYLE):
                load(name).plot(network_rows.rows(name)).savefig(target, dpi=110)


def _write(app: Sphinx) -> None:
    folder, groups = Path(app.srcdir) / "generated" / "networks", _groups()
    parts = {
        "losses": losses(),
        "statements": statements(groups),
        "laws": laws(groups),
        "elsewhere": elsewhere(),
        "regimes": regimes(groups),
        "regimes-digits": regimes(groups, "digits"),
        "regimes-grey16": regimes(groups, "grey16"),
        "entropies": entropies(groups),
        "margins": margins(groups),
        "answers": answers(),
    }
    for name, lines in parts.items():
        write(folder / f"{name}.txt", "\n".join(lines) + "\n")
    _figures(folder)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write all before the sources are read."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}
