"""The Fit page in Chromium: its settings last, its file runs alone, its words stay on the page at any width."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dashboard.fit import tabs as fit_tabs
from dashboard.fit.settings import INTERVALS, POSTERIOR
from dashboard.workspace import store as workspace
from data.library import load
from fitting import all_laws, fit
from tests.browser import hand
from tests.browser.hand import button, idle, open_tab, press

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("ISOFLOP_SHOTS")
# Colours move no word, so each width is looked at on one ground; whoever wants pictures gets all four.
LOOKS = [(390, True), (1440, False)] + ([(1440, True), (390, False)] if SHOTS else [])
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"> **b** <b>bold</b>"


@pytest.fixture(scope="module")
def home(serve_dashboard):
    return serve_dashboard.home


@pytest.fixture(scope="module")
def address(serve_dashboard):
    return serve_dashboard()


@pytest.fixture
def held(home, monkeypatch):
    """A function that prepares a workspace on these runs with these fit settings: the address of its Fit page."""
    monkeypatch.setenv("ISOFLOP_HOME", str(home))

    def prepare(address, source="bundled:probe-isoflop", upload=None, **settings):
        space = workspace.new()
        if upload:
            source = workspace.keep(space, *upload).source
        workspace.change(space, "prepared", {"source": source, f"fit:{source}": settings or None})
        return f"{address}/fit?w={space.id}"

    return prepare


def settled(page):
    """Waits until the page has stopped computing and its pictures are drawn and keep their size."""
    page.locator(".iso-answer, .iso-trouble").first.wait_for()
    page.wait_for_function(
        f"() => {{ const rests = {hand.RESTS};"
        """
            const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
            const ready = rests() && !document.querySelector('[data-testid=stStatusWidget]') && charts.length > 0
                && charts.every(c => c.querySelector('.xtick text'));
            const sizes = JSON.stringify(charts.map(c => c.querySelector('.main-svg')?.getBoundingClientRect()));
            window.still = ready && sizes === window.sizes ? (window.still || 0) + 1 : 0;
            window.sizes = sizes;
            return window.still > 3;
        }""",
        polling=80,
    )


def shot(page, name):
    """The whole page as a picture for a person to look at, where a folder for them is given."""
    if SHOTS:
        width = page.viewport_size["width"]
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": min(height + 80, 6000)})
        settled(page)
        page.screenshot(path=f"{SHOTS}/{name}.png")


def cut_words(page):
    """The words of figures that do not stay inside their own picture."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(plot => {
            const frame = plot.getBoundingClientRect();
            return [...plot.querySelectorAll('text')].filter(t => {
                const box = t.getBoundingClientRect();
                return t.textContent.trim() && box.width &&
                    (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
            }).map(t => t.textContent);
        })"""
    )


def choose(page, label, option, sign):
    """Picks an option in a menu by its words."""
    menu = page.get_by_test_id("stSelectbox").filter(has_text=label).locator("input")
    hand.choose(page, menu, option, sign)


def in_address(name, value):
    """The sign that the address says this of a setting."""
    return "([name, value]) => new URL(location.href).searchParams.get(name) === value", [name, value]


def test_a_setting_moves_the_law_and_lasts_and_the_file_runs_alone(browser_page, address, held, tmp_path):
    page = browser_page()
    page.goto(held(address, resamples=500))
    settled(page)
    before = page.locator(".iso-under").inner_text()
    choose(page, "Huber delta", "0.0001", page.locator(".iso-chip", has_text="Huber 0.0001"))
    hand.wait(page, in_address("delta", "0.0001"))
    settled(page)
    after = page.locator(".iso-under").inner_text()
    assert after != before

    # Another page and back, then a refresh: the setting and what it gave are still there.
    press(page.get_by_role("link", name="Runs", exact=True), page.get_by_text("56 runs from"))
    press(page.get_by_role("link", name="Fit", exact=True), page.locator(".iso-chip", has_text="Huber 0.0001"))
    page.reload()
    settled(page)
    page.locator(".iso-chip", has_text="Huber 0.0001").first.wait_for()
    assert page.locator(".iso-under").inner_text() == after

    # The law as Python, taken away, says what the page's fit says, without any of our code.
    idle(page)
    with page.expect_download() as found:
        button(page, "Python").click()
    assert found.value.suggested_filename == "probe-isoflop-sweep-a-language-of-known-chinchilla.py"
    found.value.save_as(tmp_path / "law.py")
    said = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import law; print(law.loss(1e5, 2e6))"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    ).stdout  # fmt: skip
    expected = fit(load("probe-isoflop"), delta=1e-4).predict(params=1e5, tokens=2e6).value
    assert float(said) == pytest.approx(expected, rel=1e-9)

    press(button(page, "Undo"), page.locator(".iso-chip", has_text="Huber 0.0042"))
    hand.wait(page, in_address("delta", None))
    assert page.outside == []


def test_menus_say_what_the_fit_that_is_shown_found(browser_page, address, held):
    """Chip, menu and remark are of one fit after each change of law, without a reload."""
    page = browser_page()
    page.goto(held(address, "bundled:simulated-ladder", resamples=500))
    settled(page)
    recommended, shown_by = fit(load("simulated-ladder"), resamples=500), {}
    for title in ("Chinchilla L(N, D)", f"Recommended: {recommended.law.title}", "Kaplan L(N)", "Chinchilla L(N, D)"):
        key = next((k for k, law in all_laws().items() if law.title == title), "auto")
        shown = shown_by.setdefault(
            key, recommended if key == "auto" else fit(load("simulated-ladder"), key, resamples=500)
        )
        chip = page.locator(".iso-chip", has_text=f"{shown.law.title}Huber {shown.settings.delta:.2g}")
        choose(page, "Law", title, chip)
        idle(page)
        way = (INTERVALS | POSTERIOR)[shown.settings.intervals]
        words = {
            "Law": title,
            "Huber delta": f"auto: {shown.settings.delta:.2g}, from the noise",
            "Intervals": f"auto: {way}",
        }
        for label, said in words.items():
            menu = page.get_by_test_id("stSelectbox").filter(has_text=label).first.locator("input")
            assert menu.input_value() == said
        remarks = " ".join(page.locator(".iso-quiet").all_inner_texts())
        assert shown.settings.intervals_reason[1:] in remarks


def test_all_files_can_be_taken_away_and_the_open_tab_is_in_the_address_and_lasts(browser_page, address, held):
    page = browser_page()
    page.goto(held(address, resamples=500))
    settled(page)
    idle(page)
    for label, end in (("LaTeX", ".tex"), ("JSON", ".json"), ("Runs with residuals", ".csv"), ("Parameters", ".csv")):
        with page.expect_download() as found:
            button(page, label).click()
        assert found.value.suggested_filename.endswith(end)
    open_tab(page, "Constants")
    page.locator(".iso-section", has_text="The constants").wait_for()
    hand.wait(page, in_address("tab", "Constants"))
    page.reload()
    settled(page)
    page.locator(".iso-section", has_text="The constants").first.wait_for()
    assert page.locator(".iso-section", has_text="Diagnostics").count() == 0
    choose(page, "Huber delta", "0.01", in_address("delta", "0.01"))
    settled(page)
    page.locator(".iso-section", has_text="The constants").first.wait_for()


def readable(page):
    """The contrast of each kind of text on the figures with the page's ground."""
    return page.evaluate(
        """() => {
            const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
                .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            const ground = light(getComputedStyle(document.querySelector('.stApp')).backgroundColor);
            return ['.xtick text', '.ytick text', '.xtitle', '.annotation-text', '.legendtext'].map(s => {
                const fill = light(getComputedStyle(document.querySelector('.js-plotly-plot ' + s)).fill);
                return (Math.max(fill, ground) + 0.05) / (Math.min(fill, ground) + 0.05);
            });
        }"""
    )


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_no_tab_runs_off_the_page_or_past_three_screens_and_all_can_be_read(browser_page, address, held, width, dark):
    page = browser_page(width=width, dark=dark)
    start = held(address, law="chinchilla", resamples=500)
    first = next(iter(fit_tabs.TABS))
    page.goto(f"{start}&tab={first}")
    settled(page)
    assert min(readable(page)) >= 4.5, readable(page)
    assert page.locator("[data-testid=stPlotlyChart]").first.bounding_box()["height"] >= 480
    for tab in fit_tabs.TABS:
        if tab != first:
            open_tab(page, tab)
            hand.wait(page, in_address("tab", tab))
            settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
        assert cut_words(page) == [], tab
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        assert width < 1000 or height <= 3 * 1000, f"{tab}: {height} px"
        shot(page, f"fit-tab-{tab}-{width}-{'dark' if dark else 'light'}")


@pytest.mark.parametrize("law", ["kaplan", "compute-floor"])  # Chinchilla is looked at above
def test_nothing_runs_off_the_page(browser_page, address, held, law):
    page = browser_page(width=LOOKS[0][0], dark=LOOKS[0][1])
    page.goto(held(address, law=law, resamples=500))
    for width, dark in LOOKS:
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": width, "height": 1000})
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        box = page.locator("[data-testid=stPlotlyChart]").first.bounding_box()
        assert box["height"] >= 480
        assert box["width"] > width / 2, "it was not drawn anew for this window"
        assert cut_words(page) == []
        shot(page, f"fit-{law}-{width}-{'dark' if dark else 'light'}")


def test_a_stranger_s_names_stay_text_when_pointed_at(browser_page, address, held):
    rows = ["run,params,tokens,loss"]
    for i in range(30):
        n, d = 10 ** (6 + i % 6), 10 ** (8 + i // 6)
        name = f"{HOSTILE} {i}".replace('"', '""')
        rows.append(f'"{name}",{n},{d},{(1.7 + 90 / n**0.3 + 90 / d**0.3) * (1.3 if i == 17 else 1 + i % 4 / 1e3):.5f}')
    page = browser_page()
    page.goto(held(address, upload=("names.csv", "\n".join(rows).encode()), resamples=500))
    settled(page)
    assert any("onerror" in said for said in page.locator(".iso-check.iso-note").all_inner_texts())
    point = page.locator(".js-plotly-plot").first.locator(".points path").last
    point.hover(force=True)
    label = page.locator(".hoverlayer .hovertext").first
    label.wait_for()
    assert "<img src=x" in (label.text_content() or "")
    assert page.locator("img[src='x']").count() == 0
    assert page.title() != "hacked"


def test_a_refused_law_leaves_the_page_working(browser_page, address, held):
    few = "run,params,tokens,loss\n" + "".join(f"r{i},{i}000000,{i}00000000,{4 - i / 10}\n" for i in range(1, 5))
    page = browser_page()
    page.goto(held(address, upload=("few.csv", few.encode()), law="chinchilla"))
    settled(page)
    assert "needs at least 7 runs" in page.locator(".iso-trouble").inner_text()
    shot(page, "fit-refused")
    press(button(page, "Try Kaplan L(N)"), page.locator(".iso-answer"))
    assert "Kaplan L(N) fits these runs" in page.locator(".iso-answer").inner_text()
