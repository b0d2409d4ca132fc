"""Every public name says what it takes, with shapes, what it raises and where it comes from; examples run.

The rules are those that a program can check: that a parameter is named and an array has a shape, not that what is said
of them is true. `tests.docstrings` says who is public and who stands at a door.
"""

import ast
import doctest
import importlib
import re

import pytest

from tests.docstrings import ARRAYS, modules, parameters, raised, subjects

MODULES = [name for name in modules() if not name.startswith("theory.claims.")]
ROOMS = ("dynamics", "fractals", "diffusion", "kernels", "networks", "testing")
ROOMS = [*(f"pifs_sim.{room}" for room in ROOMS), "theory"]
SHAPE = re.compile(r"\([\w+*./|' -]+,[^()]*\)|\bnumbers?\b|\bscalar|\.shape\b|\bvectors?\b|\bshape of\b")
MATHEMATICS = re.compile(
    r"[=<>≤≥^]|->|\.\.\. |\|\||\|x|\b(?:N|O|E|Cov|sqrt|exp|ln|arctan2?|diag|sum|prod|max|min)[\[(_]"
)
# Files, doors, tests of other code, machinery: modules without mathematics of their own. A backend's is its door's.
WORDS = re.compile(
    r"pifs_sim$|testing|kernels(\.\w+)?$|kernels\.\w+\.(?!law$)\w+$|networks(\.|$)|exchange(\.|$)|inputs$|display$|shown$|entry$|"
    r"catalogue$|gallery$|memory$|arrays$|algebra$|protocol$|measure$|published$|format$|images$|tiling$|spectrum$|quadtree$"
)
DATED = re.compile(r"\b1[89]\d\d\b|\b20\d\d\b")
IDENTIFIED = re.compile(r"arXiv:\d{4}\.\d{4,5}|doi:10\.\d+/\S+|\b[A-Z][A-Za-z. ]*\d+(?: [A-Z]\d+)?, \d+")
BOOKS = ("Matrix Computations", "Circulant Matrices", "Iterated Maps", "Ergodic Problems", "Fractal Image Compression")
BOOKS += ("Conn, Gould, Toint 2000",)
PUBLISHED = {  # what implements a published thing, and whose it is
    "diffusion.chain": "Song, Meng, Ermon 2020, arXiv:2010.02502",
    "diffusion.design.published": "Sabour, Fidler, Kreis 2024, arXiv:2404.14507",
    "diffusion.design.two_step": "Lu et al. 2022, arXiv:2211.01095",
    "diffusion.design.weights": "Hang et al. 2023, arXiv:2303.09556",
    "diffusion.effective_dimension": "Dooms 2026, arXiv:2603.13069",
    "diffusion.geometry": "Dooms 2026, arXiv:2603.13069",
    "diffusion.schedules": "Nichol, Dhariwal 2021, arXiv:2102.09672",
    "diffusion.spectra.latents": "Halko, Martinsson, Tropp 2011, doi:10.1137/090771806",
    "diffusion.suppression": "Dooms 2026, arXiv:2603.13069",
    "dynamics.boxes": "Grassberger 1983, Phys. Lett. A 97",
    "dynamics.covariant": "Ginelli et al. 2007",
    "dynamics.dimension": "Kaplan, Yorke 1979, Lecture Notes in Mathematics 730",
    "dynamics.lyapunov": "Benettin, Galgani, Giorgilli, Strelcyn 1980, Meccanica 15",
    "dynamics.operators.krylov": "Golub, Van Loan 2013",
    "dynamics.pairs": "Grassberger, Procaccia 1983, Physica D 9",
    "fractals.affinity": "Falconer 1988, Math. Proc. Camb. Phil. Soc. 103",
    "fractals.dimensions": "Moran 1946, Proc. Camb. Phil. Soc. 42",
    "fractals.encoder": "Jacquin 1992, IEEE Trans. Image Process. 1",
    "fractals.ifs": "Barnsley, Elton 1988, Adv. Appl. Prob. 20",
    "kernels.chaos_game.alphabet": "Walker 1977, doi:10.1145/355744.355749",
    "kernels.chaos_game.stream": "Salmon, Moraes, Dror, Shaw 2011",
    "networks.derivatives": "Christianson 1992, doi:10.1093/imanum/12.2.135",
    "networks.dncnn": "Zhang et al. 2017, arXiv:1608.03981",
}
SENTENCE = re.compile(r"\S[^\n]*[.:]$|\S[^.]*\.")
BY_NAME = {"progress", "dtype", "rng", "draw"}  # the same everywhere


def speaks_of(text, name, kind):
    """Whether a text names a parameter, or its type does: `schedule: Schedule` need not be explained."""
    return (
        name in BY_NAME
        or re.search(rf"\b{re.escape(name).removesuffix('s')}s?(?:_\w)?\b", text, re.IGNORECASE)
        or name.replace("_", "") in re.findall(r"\w+", kind.lower())
    )


def silent_parameters(subject):
    return [name for name, kind in parameters(subject.node).items() if not speaks_of(subject.scope, name, kind)]


def unsaid_errors(subject):
    said = re.search(r"Errors as|Raises as|refused|refuses", subject.scope)
    return [] if said else sorted(name for name in raised(subject) if name not in subject.scope)


def without_shapes(subject):
    if isinstance(subject.node, ast.ClassDef):
        kinds = parameters(subject.node)
    else:
        kinds = parameters(subject.node) | {"return": ast.unparse(subject.node.returns or ast.Constant(None))}
    arrays = [name for name, kind in kinds.items() if ARRAYS.search(kind)]
    return [] if SHAPE.search(subject.scope) else arrays


def inside(room):
    """The public names of a room's modules."""
    return [each for name in MODULES if f"{name}.".startswith(f"{room}.") for each in subjects(modules()[name])]


def failures(rule, names):
    """Name -> what the rule finds missing, where it finds anything."""
    found = {f"{each.module.name}.{each.name}": rule(each) for each in names}
    return {name: missing for name, missing in found.items() if missing}


@pytest.mark.parametrize("room", ROOMS)
def test_parameters_are_named_at_the_doors(room):
    assert failures(silent_parameters, [each for each in inside(room) if each.at_a_door]) == {}


@pytest.mark.parametrize("room", ROOMS)
def test_arrays_have_shapes_at_the_doors(room):
    assert failures(without_shapes, [each for each in inside(room) if each.at_a_door]) == {}


@pytest.mark.parametrize("room", ROOMS)
def test_errors_are_said(room):
    assert failures(unsaid_errors, inside(room)) == {}


def test_public_names_and_modules_begin_with_a_sentence():
    texts = {f"{each.module.name}.{each.name}": each.own for each in inside("pifs_sim") + inside("theory")}
    texts |= {name: modules()[name].doc for name in MODULES}
    assert len(texts) > 1000
    assert [name for name, text in texts.items() if not SENTENCE.match(text)] == []


def test_modules_open_with_their_mathematics():
    mute = [name for name in MODULES if name.startswith("pifs_sim.") and not MATHEMATICS.search(modules()[name].doc)]
    assert [name for name in mute if not WORDS.search(name)] == []


def cited(name):
    """What follows the word "Source" in a module's docstrings, each up to the end of its paragraph."""
    paragraphs = re.split(r"\n\s*\n|\n\s*(?=[A-Z]\w+:)|\"\"\"", "\n".join(modules()[name].lines))
    found = (re.search(r"\bSources?(?: of [\w ]+)?: (.+)", text, re.DOTALL) for text in paragraphs)
    return [" ".join(match[1].split()) for match in found if match]


def test_sources_have_an_author_a_year_and_where_to_find_them():
    sources = [source for name in MODULES for source in cited(name)]
    assert len(sources) > 50
    for source in sources:
        own = re.match(r"derived here\.?|behaviour of diffusers \d|theory's", source)
        found = IDENTIFIED.search(source) or any(book in source for book in BOOKS)
        assert own or (re.match(r"[A-Za-z]", source) and DATED.search(source) and found), source


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_implements_a_published_thing_says_whose_it_is(name):
    text = " ".join(" ".join(modules()[f"pifs_sim.{name}"].lines).split())
    assert PUBLISHED[name] in text


EXAMPLES = [name for name, module in modules().items() if re.search(r"^ *>>> ", "\n".join(module.lines), re.MULTILINE)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_print_what_they_show(name):
    finder = doctest.DocTestFinder(exclude_empty=True)
    loaded = importlib.import_module(name)
    for test in finder.find(loaded, name, module=loaded):
        assert doctest.DocTestRunner().run(test).failed == 0


def test_most_used_names_have_examples():
    shown = "".join("\n".join(modules()[name].lines) for name in EXAMPLES)
    assert shown.count(">>> ") >= 60
    assert len(EXAMPLES) >= 20
