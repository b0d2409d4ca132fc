"""The alphabet of formulas in docstrings: what each token is, and what stands for it in LaTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["BASE", "CLOSE", "FUNCTIONS", "GREEK", "LINKING", "OPERATORS", "SCRIPT", "Token", "neighbour", "split"]

GREEK = {
    "alpha": r"\alpha", "beta": r"\beta", "gamma": r"\gamma", "delta": r"\delta", "eps": r"\varepsilon",
    "theta": r"\theta", "kappa": r"\kappa", "lam": r"\lambda", "lambda": r"\lambda", "mu": r"\mu", "pi": r"\pi",
    "rho": r"\rho", "sigma": r"\sigma", "tau": r"\tau", "phi": r"\varphi", "psi": r"\psi", "dphi": r"d\varphi",
    "Delta": r"\Delta", "Lambda": r"\Lambda", "Phi": r"\Phi", "Sigma": r"\Sigma",
}  # fmt: skip
_PLAIN = ("sin", "cos", "tan", "cot", "ln", "exp", "log", "det", "max", "min", "sum", "prod", "sqrt", "int")
_NAMED = ("log1p", "expm1", "log2", "log10", "tanh", "atan2", "arctan2", "arctan", "artanh", "softmax", "diag")
_NAMED += ("blockdiag", "floor", "Cov", "Var", "KL", "logSNR", "SNR")
FUNCTIONS = {name: rf"\{name}" for name in _PLAIN} | {name: rf"\operatorname{{{name}}}" for name in _NAMED}
FUNCTIONS["mod"] = r"\bmod"
LOOSE = {"sum", "max", "min", "int", "log", "mod", "floor", "KL", "SNR", "logSNR"}  # words too: math before an argument
OPERATORS = {
    "<=": r"\le ", ">=": r"\ge ", "!=": r"\ne ", "->": r"\to ", "<-": r"\leftarrow ", "+-": r"\pm ", "||": r"\|",
    "|": "|", "=": "=", "+": "+", "-": "-", "*": r"\cdot ", "×": r"\times ", "/": "/", "<": "<", ">": ">",
    "~": r"\sim ", "(": "(",
    ")": ")", "[": "[", "]": "]", "{": r"\{", "}": r"\}", ",": ",", "..": r"\dots ", "...": r"\dots ",
    "⟨": r"\langle ", "⟩": r"\rangle ",
}  # fmt: skip
CLOSE = {"(": ")", "[": "]", "{": "}", "⟨": "⟩"}
LINKING = {"if", "iff", "for", "with", "where", "or", "and", "on", "o"}

SCRIPT = r"(?:_(?:\{[^{}]*\}|\([^()]*\)|[A-Za-z0-9]+)|\^(?:\{[^{}]*\}|\([^()]*\)|-?[A-Za-z0-9]+(?:\.\d+)?))"
BASE = r"(?:log1p|expm1|log2|log10|a(?:rc)?tan2|[A-Za-z]+)"
NAME = BASE + r"(?:_bar|_hat)?(?:\*{1,2}(?![A-Za-z0-9*(]))?'*" + SCRIPT + "*'*"
TOKEN = re.compile(
    r"(?P<code>``.+?``|`[^`]+`)"
    r"|(?P<link>arXiv:\d{4}\.\d{4,5}|doi:10\.\S*[\w)])"
    r"|(?P<word>i\.e\.|e\.g\.|k-d|[A-Z]\.(?= [A-Z])|[A-D](?= \d+[,)])|[A-Z]+\d+(?!\w)"
    r"|\"[^\"]*\"|[A-Za-z]+(?:'s|s')(?!\w)|\d+ %|DPM\S+"
    r"|(?=[A-Za-z-]*[a-z]{2})[A-Za-z]+(?:-[A-Za-z]+)+(?![\w^*])|\d+-[a-z]{2,}|[A-Z]-[a-z]{3,})"
    r"|(?P<dotted>\*?[A-Za-z]\w*(?:\.[A-Za-z_]\w+)+(?:\([^()]*\))?)"
    r"|(?P<literal>(?<![A-Za-z\\])[a-z]\d(?!\w))"
    r"|(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:\^(?:\{[^{}]*\}|\([^()]*\)|-?\w+))?)"
    rf"|(?P<name>{NAME})"
    rf"|(?P<closer>(?:[)\]⟩]|\|\|?){SCRIPT}+)"
    r"|(?P<operator><=|>=|!=|->|<-|\+-(?=\w)|\|\||\.\.\.?|[-=+*/~()\[\]{},|<>⟨⟩])"
    r"|(?P<space>\s+)"
    r"|(?P<other>[A-Za-z]+|.)",
    re.DOTALL,
)


@dataclass
class Token:
    """A token and its kind."""

    kind: str
    text: str


def split(text: str) -> list[Token]:
    """The tokens of a text, in order; their texts together are the text."""
    text = re.sub(r"(?<![\w)])<(?=[^\s=<>-][^<>]*[^\s<>=-]>)([^<>]*)(?<![-=\s])>", r"⟨\1⟩", text)
    found = []
    for match in TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "other" and match.group() in OPERATORS:
            kind = "operator"
        found.append(Token(kind, match.group()))
    for i, token in enumerate(found):
        if token.text == "x" and _times(found, i):
            found[i] = Token("operator", "×")
        elif token.kind == "name":
            token.kind = _kind_of_name(found, i)
    return found


def _times(tokens: list[Token], i: int) -> bool:
    """Whether the x at i is a sign: "d x d", "600 x 512"."""
    before, after = tokens[max(0, i - 2) : i], tokens[i + 1 : i + 3]
    if len(before) < 2 or len(after) < 2 or before[1].kind != "space" or after[0].kind != "space":
        return False
    return before[0].text == after[1].text or before[0].kind == after[1].kind == "number"


def neighbour(tokens: list[Token], i: int, step: int) -> Token:
    """The next token after (step 1) or before (-1) that is no space."""
    i += step
    while 0 <= i < len(tokens) and tokens[i].kind == "space":
        i += step
    return tokens[i] if 0 <= i < len(tokens) else Token("end", "")


def _kind_of_name(tokens: list[Token], i: int) -> str:
    """What a name is: "math", "function", "word" or "literal"."""
    text = tokens[i].text
    base = re.match(BASE, text).group()  # type: ignore[union-attr]
    bare = base == text
    after, before = neighbour(tokens, i, 1), neighbour(tokens, i, -1)
    if base in FUNCTIONS:
        if re.search(r"_[a-z]{3}", text) and not set(re.findall(r"[a-z]{3,}", text[len(base) :])) <= set(GREEK):
            return "literal"
        follows = after.kind in ("name", "math", "number", "function") or after.text in ("(", "|", "||", "⟨")
        wordy = base in LOOSE and bare and not _is_math_name(after)
        return "function" if not bare or (follows and not wordy) else "word"
    if base in GREEK or base == "Df":
        return "math"
    if len(base) == 1:
        joined = before.kind == "operator" and before.text in "-+=*/<>->|"
        article = after.kind in ("name", "word", "code", "other") and not _is_math_name(after)
        if bare and ((base == "A" and article) or (base == "a" and (article or after.kind == "number") and not joined)):
            return "word"
        return "math"
    if bare:
        return "word"
    script = text[len(base) :]
    if re.fullmatch(r"(_[A-Za-z0-9]{1,2}|_\{[^}]*\}|\^(\w|\{.*\}))+", script) and len(base) > 1:
        return "math"
    return "word" if script.strip("'*") == "" else "literal"


def _is_math_name(token: Token) -> bool:
    base = re.match(r"[A-Za-z]*", token.text)
    stem = base.group() if base else ""
    return token.kind in ("math", "function") or token.text in ("|", "||", "(") or len(stem) == 1 or stem in GREEK
