"""The site of a store, opened in a browser: from the index to a study and back, sorted, saved, without network."""

import csv
import html
import json
import re
import shutil
from io import StringIO
from pathlib import Path

import pytest

import experiments.studies
from experiments import evidence
from experiments.batch import plans, read
from experiments.engines import Inline
from experiments.plan import plan
from experiments.report import studies
from experiments.runner import run
from experiments.store import Store

MINE = Path(__file__).parent / "site_probes"


def settle(store, *asked):
    for wanted in asked:
        store.remember(wanted, 1)
        run(store, wanted.tasks(), Inline())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A store of two studies from a folder of their own, and its site."""
    folder = tmp_path_factory.mktemp("site")
    experiments.studies.__path__.append(str(MINE))
    store = Store.create(folder / "store")
    settle(
        store,
        plan("site_well", "smoke"),
        plan("site_well", "paper"),
        *(plan("site_ill", g) for g in ("smoke", "paper", "none")),
    )
    studies.write(store, folder / "site")
    yield folder
    store.close()
    experiments.studies.__path__.remove(str(MINE))


def page(place, name):
    return (place / "site" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def opened(browser):
    """The index in Chromium, with everything that the pages said or asked for."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page, said, asked
    page.close()


def go(opened, place, name):
    shown = opened[0]
    shown.goto((place / "site" / name).as_uri())
    return shown


def column(shown, name):
    """Cells of a column of the first table, as shown."""
    at = shown.locator("table").first.locator("thead th").all_inner_texts()
    i = [text.rstrip(" ↑↓") for text in at].index(name) + 1
    return shown.locator("table").first.locator(f"tbody td:nth-child({i})").all_inner_texts()


def test_the_index_leads_to_a_study_its_claim_and_back(opened, place):
    shown = go(opened, place, "index.html")
    assert shown.locator(".study .badge").all_inner_texts() == ["no verdict", "confirmed"]
    assert "2 studies: 1 confirmed, 1 no verdict. 9 of 11 runs done, 2 failed." in shown.inner_text("header")
    shown.click("text=Is <the & sum> of two lines even?")
    assert shown.inner_text("h1") == "Is <the & sum> of two lines even?"
    assert shown.inner_text(".falsifier") == "Falsifier: an odd one, a < b & c."
    assert shown.locator(".verdict").first.inner_text() == "60 < 100 rows & more."
    shown.click("code:text-is('moran')")
    assert shown.inner_text(":target h2") == "moran"
    shown.click(":target a")
    shown.click("text=All studies")
    assert shown.inner_text("h1") == "What the studies say"


def test_a_header_sorts_by_keyboard_up_down_and_back(opened, place):
    shown = go(opened, place, "studies/site_well.html")
    head = shown.locator("thead th").nth(2).locator("button")
    plain = column(shown, "value")
    assert plain[9:12] == ["0.0333333", "0.333333", "0.333333"]
    head.focus()
    shown.keyboard.press("Enter")
    assert shown.locator("th[aria-sort=ascending]").inner_text().startswith("value")
    assert column(shown, "value")[19:22] == ["0.0333333", "0.333333", "0.333333"]
    assert column(shown, "word")[:11] == ["a,b"] * 10 + ["</script>"]  # equal values as the runs come
    shown.keyboard.press("Enter")
    assert column(shown, "value")[0] == "3.33333"
    assert shown.locator(".where").first.inner_text() == "Rows 1 to 25 of 60, by value downwards"
    shown.keyboard.press("Enter")
    assert column(shown, "value") == plain
    assert shown.locator("th[aria-sort]").count() == 0


def test_long_tables_have_pages(opened, place):
    shown = go(opened, place, "studies/site_well.html")
    shown.click("button[data-to=last] >> nth=0")
    assert shown.locator(".where").first.inner_text() == "Rows 51 to 60 of 60"
    assert len(column(shown, "n")) == 10
    shown.locator("button[data-to=next]").first.press("Enter")  # there is no next: nothing happens, the focus stays
    assert shown.locator(".where").first.inner_text() == "Rows 51 to 60 of 60"
    shown.click("button[data-to=previous] >> nth=0")
    assert shown.locator(".where").first.inner_text() == "Rows 26 to 50 of 60"
    assert shown.locator(".pages").nth(1).is_hidden()


def test_what_is_saved_are_the_rows_with_all_digits(opened, place):
    shown = go(opened, place, "studies/site_well.html")
    wanted = Store.open(place / "store").rows(plan("site_well", "paper"))
    with shown.expect_download() as saved:
        shown.click("button[data-save=csv] >> nth=0")
    assert saved.value.suggested_filename == "site_well-paper.csv"
    found = list(csv.DictReader(StringIO(saved.value.path().read_text(encoding="utf-8"), newline="")))
    assert [{**row, "value": float(row["value"]), "limit": float(row["limit"])} for row in found] == [
        {name: row[name] if isinstance(row[name], float) else str(row[name]) for name in row}
        | {"even": str(row["even"]).lower()}
        for row in wanted
    ]
    with shown.expect_download() as saved:
        shown.click("button[data-save=json] >> nth=0")
    content = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert content["verdict"] == {"answer": "confirmed", "text": "60 < 100 rows & more."}
    found = [row | {"limit": float(row["limit"]), "large": int(row["large"])} for row in content["rows"]]
    assert found == wanted


def test_a_plot_says_what_it_shows_to_those_who_do_not_see_it(opened, place):
    shown = go(opened, place, "studies/site_well.html")
    drawn = shown.locator("svg[role=img]")
    assert drawn.count() == 2
    first, second = drawn.nth(0), drawn.nth(1)
    names = first.get_attribute("aria-labelledby").split()
    texts = [shown.locator(f'[id="{name}"]').text_content() for name in names]
    assert texts[0] == "Is <the & sum> of two lines even?"
    assert texts[1] == "The values in order. Confirmed: 60 < 100 rows & more."
    assert names != second.get_attribute("aria-labelledby").split()
    ids = shown.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ["index.html", "claims.html", "studies/site_well.html", "studies/site_ill.html"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(opened, place, name, width, scheme):
    shown = go(opened, place, name)
    shown.set_viewport_size({"width": width, "height": 900})
    shown.emulate_media(color_scheme=scheme)
    shown.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == {
        "light": "rgb(251, 251, 249)", "dark": "rgb(21, 23, 26)",
    }[scheme]  # fmt: skip
    shown.emulate_media(color_scheme="light")
    shown.set_viewport_size({"width": 1280, "height": 900})


def test_a_drawing_is_inverted_in_the_dark_and_never_in_print(opened, place):
    shown = go(opened, place, "studies/site_well.html")
    filters = {}
    for media, scheme in (("screen", "light"), ("screen", "dark"), ("print", "dark")):
        shown.emulate_media(media=media, color_scheme=scheme)
        filters[media, scheme] = shown.evaluate("getComputedStyle(document.querySelector('.drawn svg')).filter")
    shown.emulate_media(media="screen", color_scheme="light")
    assert filters.pop(("screen", "dark")) == "invert(0.91) hue-rotate(180deg)"
    assert set(filters.values()) == {"none"}


def test_the_pages_said_nothing_and_asked_for_nothing_but_themselves(opened, place):
    _, said, asked = opened
    go(opened, place, "studies/site_ill.html")
    assert said == []
    own = (place / "site").as_uri()
    assert [url for url in asked if not url.startswith((own, "data:", f"blob:{own}", "blob:null"))] == []


def test_files_refer_only_to_each_other(place):
    for path in (place / "site").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "default-src 'none'" in text
        for target in re.findall(r'(?:href|src)="([^"]*)"', text):
            file, _, part = html.unescape(target).partition("#")
            if target == "data:,":
                continue
            other = (path.parent / file).read_text(encoding="utf-8") if file else text
            assert not part or f'id="{part}"' in other


def test_failures_and_faults_of_the_study_are_shown_with_their_tracebacks(place):
    text = html.unescape(page(place, "studies/site_ill.html"))
    assert "1 of 2 runs have no record: 1 failed." in text
    assert "1 of 1 runs have no record: 1 failed." in text
    assert "<summary>n = 2: RuntimeError: <no 2></summary>" in text
    assert 'raise RuntimeError("<no 2>")' in text
    assert "What the study raised: ZeroDivisionError: division by zero" in text
    assert "What the study raised: KeyError: 'no plot'" in text


def test_the_command_runs_the_same_points_again(place):
    text = html.unescape(page(place, "studies/site_well.html"))
    store = place / "store"
    assert f"pifs-sim run site_well --grid paper --store {store} --studies {MINE}<" in text
    assert evidence.verdict(Store.open(store), plan("site_well", "paper")).text == "60 < 100 rows & more."


@pytest.mark.usefixtures("place")
def test_a_plan_with_values_of_its_own_comes_with_its_batch_file(tmp_path):
    store = Store.create(tmp_path / "store")
    mine = plan("site_well", "smoke", {"word": ['"é" \\'], "n": [2, 5]})
    settle(store, mine)
    studies.write(store, tmp_path)
    store.close()
    text = html.unescape((tmp_path / "studies" / "site_well.html").read_text(encoding="utf-8"))
    assert f"pifs-sim run batch.toml --store {tmp_path / 'store'}" in text
    batch = re.search(r'aria-label="batch.toml">(.*?)</pre>', text, re.DOTALL)[1]
    (tmp_path / "batch.toml").write_text(batch, encoding="utf-8")
    assert plans(read(tmp_path / "batch.toml"), tmp_path / "batch.toml") == [mine]


def test_no_verdict_on_runs_of_another_version_lost_studies_or_damage(place, tmp_path, monkeypatch):
    shutil.copytree(place / "store", tmp_path / "store")
    store = Store.open(tmp_path / "store")
    monkeypatch.setattr("experiments.studies.site_well.VERSION", 2)
    studies.write(store, tmp_path)
    assert "version 1 of the study, which is now at 2" in (tmp_path / "index.html").read_text(encoding="utf-8")
    monkeypatch.undo()
    task = next(plan("site_well", "paper").tasks())
    (store.folder("site_well", task.key) / "rows.parquet").write_bytes(b"")
    (store.path / "plans" / f"{plan('site_ill').name}.json").write_text(
        json.dumps({"study": "lost", "version": 1, "grid": "smoke", "axes": {"n": [1]}, "backend": "cpu"})
    )
    studies.write(store, tmp_path)
    text = html.unescape((tmp_path / "studies" / "site_well.html").read_text(encoding="utf-8"))
    assert "1 record is damaged (word = a,b, n = 0: rows.parquet differs from its checksum)." in text
    assert "No module named" in (tmp_path / "studies" / "lost.html").read_text(encoding="utf-8")


def test_an_empty_store_has_an_index(tmp_path):
    store = Store.create(tmp_path / "store")
    text = studies.write(store, tmp_path / "new" / "site").read_text(encoding="utf-8")
    store.close()
    assert "Nothing was asked of this store yet." in text


def test_a_page_says_how_many_rows_it_does_not_carry(place, tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.report.grids._MOST_ROWS", 7)
    studies.write(Store.open(place / "store"), tmp_path)
    text = (tmp_path / "studies" / "site_well.html").read_text(encoding="utf-8")
    assert "the first 7 of 60 rows" in text
    content = json.loads(re.search(r'<script type="application/json">(.*?)</script>', text)[1])
    assert len(content["rows"]) == 7
    assert content["verdict"]["text"] == "60 < 100 rows & more."
