"""The interactive page, its sliders moved in a browser: the numbers are pifs_sim's, and no network is asked."""

import csv
import json
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from experiments import explorer
from pifs_sim.diffusion import geometry, schedules
from pifs_sim.dynamics import kaplan_yorke_dimension

LAM = np.append(np.geomspace(40.0, 3e-6, 30), [1e6, 1.0, 0.0])
COUNTS = np.append(np.arange(30) % 4 + 1, [1, 2, 3])
DEFAULTS = {
    "family": "cosine", "taken": "subsample", "start": "marginal", "clip": True, "steps": 20, "shift": 0,
    "offset": 0.008, "stop": 1, "rho": 7, "sigma_min": 0.002, "sigma_max": 80, "flow_shift": 3,
    "lambda_low": 1e-6, "lambda_high": 1e6,
}  # fmt: skip
HALF_PI = {"family": "uniform_angle", "taken": "direct"}
SETTINGS = [
    {},
    {"start": "normal", "shift": 1.5, "offset": 0.035},
    {"clip": False, "taken": "direct", "steps": 1000, "offset": 0},
    {"clip": False, "steps": 7, "lambda_low": 1e-6, "lambda_high": 1e6},
    {"taken": "direct", "steps": 1},
    *({"family": name, "steps": n} for name in ("linear", "scaled_linear") for n in (1, 10, 1000)),
    {"family": "linear", "taken": "direct", "steps": 50, "start": "normal", "shift": -6},
    *({**HALF_PI, "steps": n} for n in (1, 2, 3, 4, 1000)),
    {**HALF_PI, "steps": 40, "stop": 0.5, "start": "normal"},
    *({"family": "karras", "steps": n, "rho": rho} for n, rho in ((1, 7), (20, 1), (100, 15))),
    {"family": "karras", "taken": "direct", "steps": 9, "sigma_min": 1e-4, "sigma_max": 1000, "shift": -6},
    *({"family": "log_linear", "taken": taken, "steps": 20} for taken in ("direct", "subsample")),
    {"family": "log_linear", "taken": "direct", "steps": 1000, "sigma_min": 0.6, "sigma_max": 1, "lambda_low": 0.1},
    *({"family": "flow", "flow_shift": shift, "steps": n} for shift, n in ((0.1, 5), (1, 1), (3, 28), (20, 1000))),
]


def wanted(chosen):
    """The schedule of a setting, by its own definition."""
    p = DEFAULTS | chosen
    steps = p["steps"] if p["taken"] == "direct" else 1000
    sigmas = {"sigma_min": p["sigma_min"], "sigma_max": p["sigma_max"]}
    schedule = {
        "linear": lambda: schedules.linear(steps),
        "scaled_linear": lambda: schedules.scaled_linear(steps),
        "cosine": lambda: schedules.cosine(steps, p["offset"], 0.999 if p["clip"] else None),
        "uniform_angle": lambda: schedules.uniform_angle(steps, stop=p["stop"] * np.pi / 2),
        "karras": lambda: schedules.karras(steps, **sigmas, rho=p["rho"]),
        "log_linear": lambda: schedules.log_linear(steps, **sigmas),
        "flow": lambda: schedules.flow(steps, p["flow_shift"]),
    }[p["family"]]()
    if p["shift"]:
        schedule = schedule.shift(p["shift"])
    return schedule.subsample([(2 * i * steps + p["steps"]) // (2 * p["steps"]) for i in range(p["steps"] + 1)])


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    """The page in Chromium, with everything that it said or asked for."""
    path = explorer.write(tmp_path_factory.mktemp("explorer") / "page.html", LAM, COUNTS, name="<a & b></script>")
    page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page, said, asked
    page.close()


MOVE = """async chosen => {
  for (const [id, value] of Object.entries(chosen)) {
    const control = document.getElementById(id), slider = explorer.sliders[id];
    if (slider && !slider.values.includes(value)) throw new Error(`${id} has no ${value}`);
    if (slider) control.value = slider.values.indexOf(value);
    else if (control.type === "checkbox") control.checked = value;
    else control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  return explorer.state();
}"""


def until(page, condition):
    """Wait for it, within the page: its security policy forbids what `wait_for_function` does."""
    page.evaluate(f"async () => {{ while (!({condition})) await new Promise(requestAnimationFrame); }}")


@pytest.fixture
def move(opened):
    return lambda **chosen: opened[0].evaluate(MOVE, DEFAULTS | chosen)


def relative(computed, expected):
    assert_allclose(np.asarray(computed, dtype=float), expected, rtol=1e-10, atol=0)


def absolute(computed, expected):
    """To 1e-10, or to 1e-10 of a size above 1: exponents have zeros, where rounding is that of their terms."""
    assert_allclose(np.asarray(computed, dtype=float), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("chosen", SETTINGS, ids=lambda chosen: "-".join(map(str, chosen.values())) or "default")
def test_every_number_of_the_page_is_that_of_python(move, chosen):
    state, schedule = move(**chosen), wanted(chosen)
    start = (DEFAULTS | chosen)["start"]
    relative(state["angles"], schedule.angles)
    relative(state["sigma"], schedule.sigma)
    relative(state["contraction_threshold"], geometry.contraction_threshold(schedule))
    relative(state["step_threshold"], geometry.step_threshold(schedule))
    relative(state["step_threshold_excess"], geometry.step_threshold_excess(schedule))
    relative(state["moran_threshold"], geometry.moran_threshold(schedule))
    absolute(np.transpose(state["expansion"]["log"]), geometry.log_expansion(schedule, state["expansion"]["lam"]))
    absolute(state["exponent"]["value"], geometry.lyapunov_exponent(schedule, state["exponent"]["lam"]))
    order = np.argsort(-LAM)
    exponents = geometry.lyapunov_exponent(schedule, LAM[order])
    absolute(state["spectrum_exponents"], exponents)
    for metric in ("kl", "w2"):
        relative(state[metric], geometry.gaussian_error(schedule, LAM, COUNTS, metric=metric, start=start))
    relative(state["kaplan_yorke_dimension"], kaplan_yorke_dimension(exponents, COUNTS[order]))
    assert state["expanding_directions"] == COUNTS[order][exponents > 0].sum()


def test_the_range_of_variances_is_the_sliders(move):
    state = move(lambda_low=1e-6, lambda_high=1e6)
    relative(state["exponent"]["lam"], np.geomspace(1e-6, 1e6, 121))
    relative(move(lambda_low=0.1, lambda_high=10)["expansion"]["lam"], np.geomspace(0.1, 10, 5))


@pytest.mark.parametrize("metric", ["kl", "w2"])
def test_the_error_of_each_direction_is_that_of_python(move, metric):
    state, schedule = move(steps=10), wanted({"steps": 10})
    alone = [geometry.gaussian_error(schedule, [lam], metric=metric) for lam in np.sort(LAM)[::-1]]
    relative(state[f"spectrum_{metric}"], np.square(alone) if metric == "w2" else alone)


@pytest.mark.parametrize("chosen", SETTINGS[:8], ids=str)
def test_the_line_of_python_is_the_same_schedule(move, chosen):
    line = move(**chosen)["python"]
    assert eval(line, {"schedules": schedules, "np": np}) == wanted(chosen)


def test_a_key_moves_a_slider_and_the_page_says_what_it_shows(opened, move):
    page = opened[0]
    move()
    page.focus("#steps")
    page.keyboard.press("ArrowRight")
    until(page, "explorer.state().parameters.steps === 21")
    assert page.get_attribute("#steps", "aria-valuetext") == "21"
    assert page.inner_text("#tile-moran_threshold") == f"{geometry.moran_threshold(wanted({'steps': 21})):.5g}"
    until(page, "document.getElementById('spoken').textContent.startsWith('21 steps: Threshold λ** 1.')")


def test_a_pinned_schedule_stays_beside_the_next_until_reset(opened, move):
    page = opened[0]
    move()
    page.click("#pin")
    was = page.inner_text("#tile-kl")
    move(steps=50)
    assert page.inner_text("#tile-kl + .was") == f"pinned {was}"
    assert page.inner_text("#tile-kl") != was
    page.click("button[type=reset]")
    until(page, "explorer.state().parameters.steps === 20")
    assert page.inner_text("#tile-kl + .was") == ""


def test_a_figure_says_what_is_under_the_pointer(opened, move):
    page, state = opened[0], move()
    page.locator("#draw-contraction").scroll_into_view_if_needed()
    box = page.locator("#draw-contraction").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 50)
    assert page.text_content("#draw-contraction .at") == f"t = 20: L* = {state['contraction_threshold'][-1]:.5g}"


def test_what_is_saved_is_what_is_shown(opened, move):
    page = opened[0]
    state = move(**HALF_PI, steps=4)
    page.click("summary")
    page.wait_for_selector("#numbers[open] tbody tr:nth-child(5)")
    with page.expect_download() as saved:
        page.click("#csv")
    rows = list(csv.DictReader(StringIO(saved.value.path().read_text(encoding="utf-8"))))
    assert [float(row["sigma"]) for row in rows] == state["sigma"]
    assert [float(row["step_threshold"]) for row in rows[1:]] == state["step_threshold"]
    with page.expect_download() as saved:
        page.click("#json")
    assert json.loads(saved.value.path().read_text(encoding="utf-8"))["angles"] == state["angles"]
    assert [float(part) for part in page.input_value("#sigmas").split(", ")] == state["sigma"][::-1]
    assert "infinite" in page.inner_text("#warning")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy-sigmas")
    until(page, "document.getElementById('copied').textContent === 'Copied the list of σ.'")
    assert page.evaluate("navigator.clipboard.readText()") == page.input_value("#sigmas")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(opened, width, scheme):
    page = opened[0]
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(150)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("svg[role=img][aria-label]").count() == 6


def test_the_page_said_nothing_and_asked_for_nothing_but_itself(opened, move):
    page, said, asked = opened
    move(family="flow")
    assert page.inner_text("#spectrum-name") == "<a & b></script>"
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [page.url]


class Labels(HTMLParser):
    """ids of controls and the `for` of labels, of a page as written."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_file_refers_to_nothing_outside_it(tmp_path):
    text = explorer.write(tmp_path / "new" / "page.html", [2.0, 0.5], name="two").read_text(encoding="utf-8")
    for _, attributes in Labels(text).tags:
        for key in ("href", "src"):
            assert attributes.get(key, "data:,") == "data:,"
    assert "default-src 'none'" in text


def test_the_command_writes_the_page_of_a_spectrum(run, refused):
    status, out, _ = run("schedule", "explore", "-o", "page.html", "--spectrum", "0.5,4,1", "--json")
    assert status == 0
    assert json.loads(out)["spectrum"]["directions"] == 3
    assert '"lam": [4.0, 1.0, 0.5]' in Path("page.html").read_text(encoding="utf-8")
    assert refused(run("schedule", "explore", "-o", ".", "--spectrum", "1"), "folder")


@pytest.mark.parametrize(
    ("lam", "counts", "words"),
    [
        ([], None, "got shape \\(0,\\)"),
        (np.ones(16385), None, "1 to 16384 variances"),
        ([1.0, -1.0], None, "got -1.0"),
        ([1.0, 2.0], [1], "shape of `lam`"),
        ([1.0, 2.0], [1, 0.5], "integers >= 0"),
        ([1.0, 2.0], [0, 0], "not all 0"),
    ],
)
def test_bad_spectra_are_refused(tmp_path, lam, counts, words):
    with pytest.raises(ValueError, match=words):
        explorer.write(tmp_path / "page.html", lam, counts, name="bad")
