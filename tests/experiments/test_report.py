"""The page is self-contained and well formed, shows what it was given, and can be walked through in a browser."""

from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from experiments import figures, quantities, report
from experiments.figures.gallery import density, png
from pifs_sim.diffusion import geometry, schedules, spectra
from pifs_sim.fractals import gallery
from theory import checks, ledger

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.tags, self.links, self.text, self.classes = [], [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name == "class":
                self.classes += value.split()
            if name in ("href", "src", "xlink:href"):
                self.links.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    entries = ledger.run(["moran-unconditional", "reported-linear"], quick=True)
    spectrum = spectra.patch_spectrum(spectra.default_photograph(), 8)
    chosen = [schedules.linear(100), schedules.cosine(100)]
    rows = [quantities.of_spectrum(schedule, spectrum.eigenvalues) for schedule in chosen]
    path = report.write(tmp_path_factory.mktemp("page"), entries, spectrum, "<a & b>", chosen, rows, {"x": "1"})
    return path, entries, rows


@pytest.fixture(scope="module")
def written(page_file):
    path, entries, rows = page_file
    return path.read_text(encoding="utf-8"), entries, rows


def test_the_page_is_well_formed_and_ids_are_unique(written):
    page = Page(written[0])
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_the_page_needs_no_network_and_no_script(written):
    page = Page(written[0])
    assert "script" not in page.tags
    assert all(link.startswith(("data:", "#")) for link in page.links)


def test_inner_references_of_figures_resolve(written):
    page = Page(written[0])
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_page_shows_every_figure_claim_formula_and_quantity(written):
    text, entries, rows = written
    page = Page(text)
    stated = [entry.label for entry in entries if not entry.label.startswith("reported-")]
    claims = [checks.load(label).CLAIM for label in stated]
    assert page.classes.count("drawn") == 5
    assert page.classes.count("strip") == sum(claim.corrected_by is None for claim in claims)
    formulas = [claim.equation if isinstance(claim.equation, tuple) else (claim.equation,) for claim in claims]
    assert page.tags.count("math") == sum(map(len, formulas))
    shown = " ".join(page.text)
    for entry in entries:
        assert entry.label in shown
        assert entry.statement in shown
        assert f"claim-{entry.label}" in page.ids
        assert (f"node-{entry.label}" in page.ids) == (entry.label in stated)
    for claim in claims:
        for text in (claim.assumptions, claim.scope, claim.source, *claim.witness, *claim.mutants):
            assert text in shown
    for row in rows:
        assert f"{row['moran_threshold']:.7g}" in shown
    assert "<a & b>" in shown


def test_the_page_shows_every_set_of_the_gallery_with_its_dimension(written):
    page = Page(written[0])
    shown = " ".join(page.text)
    assert page.tags.count("img") == len(gallery.NAMES)
    for name in gallery.NAMES:
        assert name.replace("_", " ") in shown
    for entry in map(gallery.get, gallery.NAMES):
        if entry.dimension is not None:
            assert f"D = {entry.dimension:.5f}" in shown
    assert "1 ≤ D ≤ 1.8389" in shown
    assert "Hausdorff 1.34968" in shown


@pytest.fixture(scope="module")
def opened(browser, page_file):
    """The page in Chromium, with everything that it said or asked for."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file[0].as_uri())
    yield page, said, asked
    page.close()


IN_VIEW = """element => {
  const inside = (a, b) => a.left >= b.left && a.top >= b.top && a.left < b.right && a.top < b.bottom;
  const box = element.getBoundingClientRect(), map = element.closest(".map");
  return inside(box, { left: 0, top: 0, right: innerWidth, bottom: innerHeight }) &&
    (map === null || inside(box, map.getBoundingClientRect()));
}"""


def in_view(page, selector):
    return page.locator(selector).evaluate(IN_VIEW)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("label", ["diagonal-expansion", "moran", "moran-unconditional"])
def test_a_node_leads_to_its_claim_and_the_claim_back(opened, width, label):
    page = opened[0]
    page.set_viewport_size({"width": width, "height": 900})
    page.click(f"#node-{label}")
    assert page.url.endswith(f"#claim-{label}")
    assert in_view(page, f"#claim-{label}")
    page.click(f"#claim-{label} .back")
    assert page.url.endswith(f"#node-{label}")
    assert in_view(page, f"#node-{label}")


def test_nodes_are_reached_and_followed_by_the_keyboard_with_their_ways_marked(opened):
    page = opened[0]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.mouse.move(0, 0)
    page.focus(".map")
    visited = []
    for _ in range(4):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("document.activeElement.id"))
    chain = ["diagonal-expansion", "expansion-is-projection", "moran", "moran-unconditional"]
    assert visited == [f"node-{label}" for label in chain]
    marked = "[...document.querySelectorAll('.edge')].map(edge => getComputedStyle(edge).strokeWidth)"
    assert page.evaluate(marked) == ["2px"] * 3
    page.keyboard.press("Enter")
    assert page.url.endswith("#claim-moran-unconditional")
    assert page.evaluate(marked) != ["2px"] * 3


def test_a_refuted_claim_leads_to_the_one_that_is_true(opened):
    page = opened[0]
    page.click("#claim-moran-unconditional dd a[href='#claim-moran']")
    assert in_view(page, "#claim-moran")
    assert page.locator("#claim-moran dd a[href='#claim-moran-unconditional']").count() == 1


def test_a_status_can_be_hidden_but_what_is_linked_to_stays(opened):
    page = opened[0]
    page.goto(page.url.split("#")[0] + "#claims")
    page.uncheck("#show-REFUTED")
    assert not page.is_visible("#claim-moran-unconditional")
    assert page.is_visible("#claim-diagonal-expansion")
    assert page.locator("#node-moran-unconditional").evaluate("node => getComputedStyle(node).opacity") == "0.15"
    page.click("#node-moran-unconditional")
    assert page.is_visible("#claim-moran-unconditional")
    page.check("#show-REFUTED")


def test_the_steps_of_a_proof_open(opened):
    page = opened[0]
    proof = page.locator("#claim-diagonal-expansion details")
    assert not proof.locator("li").first.is_visible()
    proof.locator("summary").click()
    assert proof.locator("li").first.is_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(opened, width, scheme):
    page = opened[0]
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_said_nothing_and_asked_for_nothing_but_itself(opened):
    page, said, asked = opened
    assert said == []
    assert {url.split("#")[0] for url in asked if not url.startswith("data:")} == {page.url.split("#")[0]}


@pytest.mark.parametrize("name", gallery.NAMES)
def test_pictures_show_the_set_and_leave_a_margin(name):
    shades = density(gallery.get(name).ifs, 128, points=200_000)
    assert shades.shape == (128, 128)
    assert 0 <= shades.min() < shades.max() <= 1
    inked = np.argwhere(shades > 0)
    assert inked.min() > 0
    assert inked.max() < 127
    assert np.ptp(inked, axis=0).max() > 110


def test_a_picture_has_the_set_upright_and_in_place():
    """The right triangle with its corner at the lower left; what no point meets is white."""
    shades = density(gallery.sierpinski_right().ifs, 128, points=200_000)
    assert shades[120, 6] > 0
    assert shades[6, 6] > 0
    assert shades[120, 120] > 0
    assert (shades[:60, 66:] == 0).all()
    image = Image.open(BytesIO(b64decode(png(shades).removeprefix("data:image/png;base64,"))))
    dark = np.asarray(image.convert("L")) < 255
    assert (dark[shades > 0.5]).all()
    assert not dark[shades == 0].any()


def test_the_construction_of_a_set_on_the_line_has_its_intervals():
    shades = density(gallery.cantor().ifs, 243)
    runs = [np.count_nonzero(np.diff(row > 0)) // 2 for row in shades]
    assert sorted(set(runs))[:6] == [0, 1, 2, 4, 8, 16]


def test_the_expansion_map_draws_the_threshold_where_the_expansion_is_one():
    schedule = schedules.cosine(100)
    axes = figures.expansion_map(schedule).axes[0]
    curve = axes.lines[0].get_xydata()
    assert np.allclose(10 ** curve[:, 1], geometry.step_threshold_excess(schedule), rtol=1e-12)


def test_the_exponent_figure_marks_the_root():
    schedule = schedules.linear(100)
    axes = figures.exponents([schedule]).axes[1]
    (mark,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert mark.get_xdata()[0] == geometry.moran_threshold(schedule)


def test_figures_of_schedules_without_a_root_are_drawn_too():
    for figure in (figures.exponents([schedules.uniform_angle(1)]), figures.schedule_sheet(schedules.uniform_angle(1))):
        assert isinstance(figure, Figure)
        assert "<svg" in figures.svg(figure, "f")
