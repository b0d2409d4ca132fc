"""Theorems over every number of steps, checked by Coq.

The files of theory/coq/ are compiled outside the source tree, each once and in the order of their Require lines.
`Print Assumptions` then says what each theorem rests on: nothing, or the standard library's axioms for real numbers.
Anything else (an admitted proof, an axiom of one's own, an unchecked guard) makes it fail.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from theory.claim import Lemma
from theory.proofs.decision import Decision

__all__ = ["ALLOWED", "FOLDER", "assumptions", "available", "check", "version"]

FOLDER = Path(__file__).parent.parent / "coq"
ALLOWED = frozenset(
    {
        "Classical_Prop.classic",
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
    }
)
_SECONDS = 600  # far beyond need: a file takes about 2 s
_BREAK = "\n== \n"
_PRINT_BREAK = 'Goal True. idtac "== ". exact I. Qed.'


def available() -> bool:
    """Whether coqc is on the path."""
    return shutil.which("coqc") is not None


def version() -> str:
    """Of coqc."""
    return subprocess.run(["coqc", "-print-version"], capture_output=True, text=True, check=True).stdout.split()[0]


def _imports(source: str, names: Iterable[str]) -> set[str]:
    """Files of `names` that a source requires."""
    required = re.findall(r"^Require (?:Import |Export )?([^.]*)\.", source, re.MULTILINE)
    return set(names) & {name for line in required for name in line.split()}


def _coqc(folder: Path, file: str) -> str:
    """Output of coqc on a file; ValueError with its message if it is refused."""
    command = ["coqc", "-q", "-color", "no", "-w", "none", "-R", str(folder), "", file]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ValueError(f"{file}: not finished after {_SECONDS} s") from None
    if done.returncode:
        raise ValueError(" ".join(done.stderr.split())[:300])
    return done.stdout


def _compile(sources: Mapping[str, str], wanted: Iterable[str], folder: Path) -> dict[str, str]:
    """Compile the wanted files and what they require, two at a time; what went wrong, by file."""
    imports = {name: _imports(text, sources) for name, text in sources.items()}
    left: set[str] = set()
    queue = list(wanted)
    while queue:
        name = queue.pop()
        if name not in left:
            left.add(name)
            queue += imports[name]
    wrong: dict[str, str] = {}
    done: set[str] = set()
    for name in left:
        (folder / f"{name}.v").write_text(sources[name], encoding="utf-8")

    def build(name: str) -> tuple[str, str | None]:
        broken = imports[name] & set(wrong)
        if broken:
            return name, f"it requires {min(broken)}, which does not compile"
        try:
            _coqc(folder, f"{name}.v")
        except ValueError as error:
            return name, str(error)
        return name, None

    with ThreadPoolExecutor(2) as pool:
        while left:
            ready = sorted(name for name in left if imports[name] <= done)
            if not ready:
                return wrong | dict.fromkeys(left, "files require each other in a circle")
            for name, message in pool.map(build, ready):
                if message is not None:
                    wrong[name] = message
            done |= set(ready)
            left -= set(ready)
    return wrong


def assumptions(printed: str) -> list[str]:
    """Names of what a theorem assumes, as Print Assumptions printed it; every line that is not understood is one."""
    lines = printed.strip().splitlines()
    if lines == ["Closed under the global context"]:
        return []
    if not lines or lines[0] != "Axioms:":
        return lines or ["nothing printed"]
    names = [line for line in lines[1:] if not line.startswith(" ")]
    return [name.split(" : ")[0].strip() for name in names]


def _judge(lemma: Lemma, printed: str) -> Decision:
    statement, _, rests = printed.partition(_BREAK)
    assumed = assumptions(rests)
    foreign = [name for name in assumed if name not in ALLOWED]
    steps = (" ".join(statement.split()), f"assumes: {', '.join(assumed) or 'nothing'}")
    if foreign:
        return Decision("coq", "failed", f"{lemma.name} of {lemma.file} assumes {foreign[0]}", steps)
    return Decision("coq", "passed", f"theorem: {lemma.name} of {lemma.file}", steps)


def _ask(lemmas: Sequence[Lemma], build: Path) -> dict[Lemma, Decision]:
    """Statements and assumptions of compiled theorems, all at once; one by one if any is refused."""
    lines = [f"Require Import Reals {' '.join(sorted({_stem(lemma) for lemma in lemmas}))}.", "Open Scope R_scope."]
    for lemma in lemmas:
        name = f"{_stem(lemma)}.{lemma.name}"
        lines += [f"Check {name}.", _PRINT_BREAK, f"Print Assumptions {name}.", _PRINT_BREAK]
    (build / "Questions.v").write_text("\n".join(lines), encoding="utf-8")
    try:
        answers = _coqc(build, "Questions.v").split(_BREAK)
    except ValueError as error:
        if len(lemmas) > 1:
            return {lemma: decision for one in lemmas for lemma, decision in _ask([one], build).items()}
        return {lemma: Decision("coq", "failed", f"{lemma.name} of {lemma.file}: {error}") for lemma in lemmas}
    pairs = zip(answers[::2], answers[1::2], strict=False)
    return {lemma: _judge(lemma, _BREAK.join(pair)) for lemma, pair in zip(lemmas, pairs, strict=True)}


def _stem(lemma: Lemma) -> str:
    return lemma.file.removesuffix(".v")


@cache
def check(lemmas: frozenset[Lemma], folder: Path = FOLDER) -> dict[Lemma, Decision]:
    """A decision on each of the lemmas, from the files in `folder`; "not run" where coqc is not installed."""
    if not available():
        absent = "coqc is not installed"
        return {lemma: Decision("coq", "not run", f"{lemma.name} of {lemma.file}: {absent}") for lemma in lemmas}
    sources = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.v")}
    found = {
        lemma: Decision("coq", "failed", f"{lemma.name}: there is no {lemma.file}")
        for lemma in lemmas
        if _stem(lemma) not in sources
    }
    with tempfile.TemporaryDirectory() as name:
        wrong = _compile(sources, {_stem(lemma) for lemma in lemmas} & set(sources), Path(name))
        for lemma in lemmas:
            if _stem(lemma) in wrong:
                found[lemma] = Decision("coq", "failed", f"{lemma.file}: {wrong[_stem(lemma)]}")
        compiled = sorted(set(lemmas) - set(found), key=lambda lemma: (lemma.file, lemma.name))
        return found | (_ask(compiled, Path(name)) if compiled else {})
