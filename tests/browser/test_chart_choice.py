"""The chart's own words and Python's late answers, in Chromium without a server: each answer is handed over when the test says."""

from __future__ import annotations

import pytest

from dashboard.budget_chart import bundle
from dashboard.budget_chart.payload import clean

pytestmark = pytest.mark.browser

OPEN = """async (code) => {
    const chart = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    document.body.innerHTML = ["one", "two"].map((id) => `<div id="${id}" style="width: 900px"><div class="bc-host"></div></div>`).join("");
    window.said = [];
    window.answer = (id, data) => {
        const setStateValue = (name, value) => window.said.push({ id, name, value });
        return chart.default({ data, parentElement: document.getElementById(id), setStateValue });
    };
}"""
SHIFTS = {"a": 1.0, "b": 2.0, "c": 4.0}  # where the axis begins, by kind


def parts(kind, budget):
    x = [v + SHIFTS[kind] for v in (0.0, 1.0, 2.0)]
    panel = {"key": "cost", "value": [3.0, 2.0, 1.0], "format": "ratio"}
    return {"grid": x, "budget": budget + SHIFTS[kind], "panels": [panel]}


def payload(at="a", budget=1.0, heard=0, chosen=0):
    """What Python says: the choice, the budget beyond where its axis begins, and the stamps of what it has heard."""
    options = [{"key": k, "label": k, "parts": {} if k == at else parts(k, budget)} for k in SHIFTS]
    choice = {"label": "Kind", "at": at, "heard": chosen, "options": options}
    return clean({**parts(at, budget), "heard": heard, "choice": choice})


@pytest.fixture
def page(browser_page):
    page = browser_page()
    page.goto("about:blank")
    page.evaluate(OPEN, bundle())
    for name in ("one", "two"):
        tell(page, name)
    return page


def tell(page, chart, **words):
    page.evaluate("([chart, data]) => { answer(chart, data); }", [chart, payload(**words)])


def pick(page, kind, chart="one"):
    """Clicks an option; returns the stamp of what Python was told."""
    page.locator(f"#{chart} .bc-option", has_text=kind).click()
    said = page.evaluate("said.at(-1)")
    assert (said["id"], said["name"], said["value"]["key"]) == (chart, "choice", kind)
    return said["value"]["n"]


def shown(page):
    """What both charts show: the kind and the budget."""
    return page.evaluate(
        "['one', 'two'].map((id) => [document.querySelector(`#${id} [aria-checked=true]`).textContent, "
        "Number(document.querySelector(`#${id} .bc`).dataset.budget)])"
    )


def test_both_charts_follow_a_choice_before_python_answers(page):
    pick(page, "b", "two")
    assert shown(page) == [["b", 3.0], ["b", 3.0]]
    assert page.evaluate("said.length") == 1


def test_there_and_back_is_not_undone_by_the_answers_in_between(page):
    """To b, to c and to b again: the answers for b and for c come after all three."""
    first, second, third = pick(page, "b"), pick(page, "c"), pick(page, "b")
    assert first < second < third
    for at, chosen in (("a", 0), ("b", first), ("c", second)):
        for chart in ("one", "two"):
            tell(page, chart, at=at, chosen=chosen)
        assert shown(page) == [["b", 3.0], ["b", 3.0]]
    tell(page, "one", at="b", chosen=third)
    tell(page, "two", at="b", chosen=third)
    assert shown(page) == [["b", 3.0], ["b", 3.0]]


def test_python_has_the_last_word_once_it_has_heard_ours(page):
    stamp = pick(page, "b")
    tell(page, "one", at="b", chosen=stamp)
    tell(page, "one", at="a", chosen=stamp)  # undone
    assert shown(page)[0] == ["a", 2.0]
    assert pick(page, "b") > stamp, "the same choice again is a word of its own"


def test_the_arrow_keys_tell_python_once_they_rest(page):
    page.locator("#one [aria-checked=true]").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert shown(page) == [["c", 5.0], ["c", 5.0]]
    assert page.evaluate("said.length") == 0
    tell(page, "one")  # an answer to something else
    assert shown(page)[0] == ["c", 5.0]
    page.wait_for_function("said.length > 0")
    assert page.evaluate("said.map((s) => s.value.key)") == ["c"]


def test_a_line_let_go_of_keeps_its_place_under_another_kind(page):
    """Python has not heard of the budget yet, so the other kind's own one, which came earlier, is out of date."""
    pill = page.locator("#one .bc-pill")
    pill.focus()
    page.keyboard.press("End")
    page.wait_for_function("said.length > 0")
    budget = page.evaluate("said.at(-1).value")
    assert (budget["at"], budget["under"]) == (3.0, "a")
    stamp = pick(page, "c")
    assert shown(page)[0] == ["c", 6.0]
    tell(page, "one", at="a")  # from before both
    assert shown(page)[0] == ["c", 6.0]
    tell(page, "one", at="c", budget=2.0, heard=budget["n"], chosen=stamp)
    assert shown(page)[0] == ["c", 6.0]
    pill.focus()
    page.keyboard.press("Home")
    page.wait_for_function("said.length > 2")
    assert page.evaluate("said.at(-1).value.under") == "c"


def test_another_page_s_choice_does_not_outlive_its_charts(page):
    pick(page, "c")
    page.evaluate("([data]) => { for (const id of ['one', 'two']) answer(id, data)(); }", [payload()])
    page.evaluate(
        "for (const id of ['one', 'two']) document.getElementById(id).innerHTML = '<div class=bc-host></div>'"
    )
    for name in ("one", "two"):
        tell(page, name)
    assert shown(page) == [["a", 2.0], ["a", 2.0]]
