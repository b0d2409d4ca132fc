"""Pages in Chromium: on desktop and phone widths, light and dark, without request, script error or serious barrier."""

from pathlib import Path

import pytest

SHOWN = [
    "index.html",
    "tutorial.html",
    "theory.html",
    "verdicts.html",
    "peers.html",
    "howto/denoiser.html",
    "generated/performance.html",
    "generated/gallery/index.html",
    "generated/gallery/01_two_chains.html",
    "generated/reference/pifs_sim.diffusion.geometry.html",
    "generated/atlas.html",
]
LONG = {"generated/atlas.html": "light", "generated/performance.html": "dark"}  # a minute each for the checker
CHECKED = [(name, scheme) for name in SHOWN for scheme in ("light", "dark") if LONG.get(name, scheme) == scheme]


@pytest.fixture(scope="module")
def axe():
    """The accessibility checker's script."""
    package = pytest.importorskip(
        "axe_playwright_python", reason="axe-playwright-python, which carries axe-core, is missing"
    )
    return Path(package.__file__).parent / "axe.min.js"


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_fits_the_window_and_asks_for_nothing(site, browser, name):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site[0] / name).as_uri())
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


@pytest.mark.parametrize(("name", "scheme"), CHECKED)
def test_axe_finds_no_serious_barrier(site, browser, axe, name, scheme):
    page = browser.new_page(viewport={"width": 390, "height": 900}, color_scheme=scheme)
    page.goto((site[0] / name).as_uri())
    page.add_script_tag(path=str(axe))
    found = page.evaluate("async () => (await axe.run()).violations")
    page.close()
    serious = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []
