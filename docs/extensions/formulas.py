"""Formulas as docstrings write them, `lam*_t = tan phi_t / tan(mean angle)`, set as mathematics: lambda*_t, in LaTeX.

Each token becomes one symbol, in the same order: names of Greek letters, subscripts, powers, comparisons. Nothing is
rearranged (a quotient keeps its slash), so what is said stays the same. In a sentence the longest runs of such tokens
are formulas; what is no formula stays text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from extensions.symbols import BASE, CLOSE, FUNCTIONS, GREEK, LINKING, OPERATORS, SCRIPT, Token, neighbour, split

__all__ = ["Piece", "display", "pieces"]


@dataclass(frozen=True)
class Piece:
    """A part of a sentence: kind "text", "code", "link" or "math"; `latex` of a formula."""

    kind: str
    text: str
    latex: str = ""


def _script(text: str) -> str:
    """A subscript or power, without its sign and brackets."""
    inner = text[1:]
    if inner[0] in "{(" and inner[-1] in "})":
        inner = inner[1:-1]
    if inner in ("min", "max"):
        return rf"\{inner}"
    if inner in ("bar", "hat", "eff") or (inner.isalpha() and len(inner) > 2 and inner not in GREEK):
        return rf"\mathrm{{{inner}}}"
    return _latex(split(inner)) if not inner.isalpha() or inner in GREEK else inner


def _name(text: str) -> str:
    base = re.match(BASE, text).group()  # type: ignore[union-attr]
    rest = text[len(base) :]
    symbol = GREEK.get(base) or FUNCTIONS.get(base) or (base if len(base) == 1 else rf"\mathrm{{{base}}}")
    for hat, command in (("_bar", r"\bar"), ("_hat", r"\hat")):
        if rest.startswith(hat):
            symbol, rest = rf"{command}{{{symbol}}}", rest[len(hat) :]
    stars = re.match(r"\**", rest).group()  # type: ignore[union-attr]
    rest = rest[len(stars) :]
    primes = rest.count("'")
    scripts = re.findall(SCRIPT, rest.replace("'", ""))
    lower = "".join(_script(part) for part in scripts if part[0] == "_")
    upper = "*" * len(stars) + r"\prime " * primes + "".join(_script(part) for part in scripts if part[0] == "^")
    return symbol + (f"_{{{lower}}}" if lower else "") + (f"^{{{upper}}}" if upper else "")


def _latex(tokens: list[Token]) -> str:
    out: list[str] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token.text == "sqrt":
            stop = _group(tokens, i + 1)
            if stop is not None:
                out.append(rf"\sqrt{{{_latex(tokens[i + 2 : stop - 1])}}}")
                i = stop
                continue
            out.append(rf"\sqrt{{{_latex([neighbour(tokens, i, 1)])}}}")
            i += 3 if i + 1 < len(tokens) and tokens[i + 1].kind == "space" else 2
            continue
        if token.kind == "space":
            spaced = out and i + 1 < len(tokens) and not _binary(tokens[i - 1]) and not _binary(tokens[i + 1])
            if spaced and tokens[i - 1].kind != "function":
                out.append(r"\,")
        elif token.kind in ("math", "function"):
            out.append(_name(token.text) + " ")
        elif token.kind in ("number", "closer"):
            head = re.match(r"[^_^]+", token.text).group()  # type: ignore[union-attr]
            scripts = re.findall(SCRIPT, token.text[len(head) :])
            mantissa, _, power = head.partition("e") if token.kind == "number" else (head, "", "")
            head = rf"{mantissa} \cdot 10^{{{int(power)}}}" if power else head
            out.append(OPERATORS.get(head, head) + "".join(f"{part[0]}{{{_script(part)}}}" for part in scripts))
        else:
            out.append(OPERATORS.get(token.text) or rf"\text{{{token.text}}}")
        i += 1
    return "".join(out).strip()


def _binary(token: Token) -> bool:
    return token.kind == "operator" and token.text not in (*CLOSE, *CLOSE.values(), "|", "||")


def _group(tokens: list[Token], i: int) -> int | None:
    """The index after the bracket that closes the one at i, if all between is mathematics."""
    if i >= len(tokens) or tokens[i].text not in CLOSE:
        return None
    depth = [CLOSE[tokens[i].text]]
    for j in range(i + 1, len(tokens)):
        token = tokens[j]
        if token.kind not in ("math", "function", "number", "operator", "closer", "space"):
            return None
        if token.text in CLOSE:
            depth.append(CLOSE[token.text])
        elif token.text[0] in CLOSE.values():
            if depth.pop() != token.text[0]:
                return None
            if not depth:
                return j + 1
    return None


def _worded(tokens: list[Token], i: int) -> int | None:
    """The index after a bracket at i that holds a few words: "sin(mean angle)"."""
    if i >= len(tokens) or tokens[i].text != "(":
        return None
    for j in range(i + 1, min(i + 6, len(tokens))):
        if tokens[j].text == ")":
            return j + 1 if j > i + 1 else None
        if tokens[j].kind not in ("word", "space"):
            return None
    return None


def _run(tokens: list[Token], i: int) -> int:
    """The index after the longest formula that begins at i; i if there is none."""
    first = tokens[i]
    attached = i + 1 < len(tokens) and tokens[i + 1].kind != "space"
    if first.kind == "operator" and not (attached and first.text in ("(", "[", "|", "||", "-", "+-", "⟨")):
        return i
    j, end = i, i
    while j < len(tokens):
        token = tokens[j]
        if token.text in CLOSE:
            stop = _group(tokens, j)
            if stop is None:
                break
            shape = j == i and token.text == "(" and any(t.text == "," for t in tokens[j:stop])
            j = end = stop
            if shape and neighbour(tokens, stop - 1, 1).kind != "operator":
                break
            continue
        if token.kind == "function":
            worded = _worded(tokens, j + 1)
            if worded:
                j = end = worded
                continue
            end = j + 1 if "_" in token.text else end
        elif token.kind in ("math", "number", "closer"):
            end = j + 1
        elif token.kind == "operator":
            if token.text == "," or token.text in CLOSE.values():
                break
            if token.text in ("|", "||", "..", "...") and tokens[j - 1].kind != "space" and j > i:
                end = j + 1
        elif token.kind != "space":
            break
        j += 1
    chosen = tokens[i:end]
    bars = sum(
        token.text.count("|") % 2 if token.text != "||" else 0
        for token in chosen
        if token.kind in ("operator", "closer")
    )
    if (
        bars % 2
        and "\n" not in "".join(t.text for t in chosen)
        and not any(t.text == "|" and _loose(chosen, k) for k, t in enumerate(chosen))
    ):
        return i
    return end if any(token.kind == "math" for token in chosen) else i


def _loose(tokens: list[Token], k: int) -> bool:
    """Whether a bar stands between spaces: "given"."""
    return 0 < k < len(tokens) - 1 and tokens[k - 1].kind == "space" and tokens[k + 1].kind == "space"


def pieces(sentence: str) -> list[Piece]:
    """A sentence as text, code, links and formulas; their texts together are the sentence."""
    tokens = split(sentence)
    found: list[Piece] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        stop = _run(tokens, i) if token.kind in ("math", "function", "number", "operator") else i
        if stop > i:
            source = "".join(t.text for t in tokens[i:stop])
            found.append(Piece("math", source, _latex(tokens[i:stop])))
            i = stop
            continue
        kind = {"code": "code", "link": "link", "literal": "code", "dotted": "code"}.get(token.kind, "text")
        text = token.text.strip("`") if token.kind == "code" else token.text
        if kind == "text" and found and found[-1].kind == "text":
            found[-1] = Piece("text", found[-1].text + text)
        else:
            found.append(Piece(kind, text))
        i += 1
    return found


def display(line: str) -> str | None:
    """LaTeX of a line that is a formula, or None if a part of it is none."""
    parts = re.split(r"\s{2,}", line.strip())
    done = []
    for part in parts:
        tokens = split(part)
        for token in tokens:
            if token.kind == "word" and token.text in LINKING:
                token.kind = "text"
        allowed = ("math", "function", "number", "operator", "closer", "space", "text")
        if not tokens or any(token.kind not in allowed and token.text not in ".:" for token in tokens):
            return None
        done.append(_latex(tokens))
    return r" \qquad ".join(done)
