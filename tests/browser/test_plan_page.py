"""The Plan page in Chromium: batch and rate follow the budget, the front is dragged under a deadline, devices are changed."""

from __future__ import annotations

import os
import re

import pytest

from dashboard.workspace import store as workspace
from tests.browser.hand import frame, idle, press, until
from tests.browser.test_budget_chart import REFERENCE

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("ISOFLOP_SHOTS")


@pytest.fixture(scope="module")
def home(serve_dashboard):
    return serve_dashboard.home


@pytest.fixture(scope="module")
def address(serve_dashboard):
    return serve_dashboard()


@pytest.fixture
def page(browser_page, address, home, monkeypatch):
    """The Plan page on the simulated ladder at 1e22 FLOP, with a deadline."""
    monkeypatch.setenv("ISOFLOP_HOME", str(home))
    space = workspace.new()
    settings = {
        "source": "bundled:simulated-ladder",
        "plan": {"deadline": 60.0, "most_devices": 4096, "panels": "all", "devices": 64},
    }
    workspace.change(space, "prepared", {**settings, "fit:bundled:simulated-ladder": {"resamples": 500}})
    page = browser_page(width=1440, height=2600)
    page.goto(f"{address}/plan?w={space.id}&c=1e22")
    page.locator(".bc-pill").nth(1).wait_for()
    settled(page)
    page.space = space
    return page


def settled(page):
    """Waits until nothing runs, nor begins to: the sign that something runs comes late, and what is typed before it is lost."""
    for _ in range(2):
        idle(page)


def values(page, chart):
    """Read-outs of one of the two charts: key to (value, interval, lines below)."""
    out = {}
    for box in page.locator(".bc").nth(chart).locator(".bc-readout").all():
        parts = [
            box.locator(s).all_inner_texts() for s in (".bc-readout-value", ".bc-readout-range", ".bc-readout-more")
        ]
        out[box.get_attribute("data-key")] = (parts[0][0], parts[1][0], parts[2])
    return out


def moved(page, chart, key, before):
    """Waits until Python's answer has changed a read-out."""
    from playwright.sync_api import expect

    value = page.locator(".bc").nth(chart).locator(f'.bc-readout[data-key="{key}"] .bc-readout-value')
    expect(value).not_to_have_text(before[key][0])
    settled(page)


def drag(page, chart, by):
    """Drags a chart's handle by so many pixels; returns the read-outs while it is held."""
    pill = page.locator(".bc").nth(chart).locator(".bc-pill")
    box = pill.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + by * step / 8, y)
    frame(page)
    held = values(page, chart)
    page.mouse.up()
    return held


def edited_and_planned_with(page):
    """A price of one's own in a cell: what the budget takes says it, and the field beside the front too."""
    from playwright.sync_api import expect

    grid = page.locator("[data-testid=stDataFrame]").last
    press(page.get_by_text("Table of devices"), grid.locator("canvas"))
    cell = page.locator("#portal input")

    def open_cell():  # the box opens in steps and the page settles under it, so that a first click may miss
        grid.scroll_into_view_if_needed()
        box = grid.bounding_box()
        page.mouse.dblclick(box["x"] + box["width"] - 80, box["y"] + 52)

    until(page, open_cell, cell)
    cell.fill("3.5")
    cell.press("Enter")
    expect(page.locator(".bc").nth(0).locator(".bc-takes")).to_contain_text("$3.50 a device-hour")
    expect(page.get_by_role("spinbutton", name="Price of a device-hour")).to_have_value("3.50")
    assert workspace.values(page.space)["devices"][0]["price"] == 3.5


def test_the_whole_run_moves_with_the_budget_the_front_with_its_own_line_and_a_table_of_devices_is_edited(page):
    before, front = values(page, 0), values(page, 1)
    assert set(before) == {"loss", "params", "tokens", "batch", "lr", "steps"}
    assert any("critical" in line for line in before["batch"][2])
    held = drag(page, 0, 120)
    for key in ("batch", "lr", "steps"):
        assert held[key][0] != before[key][0], f"{key} did not move"
        assert re.search(r"\d", held[key][1]), f"{key} has no interval"
    moved(page, 1, "cost", front)  # a larger budget has a dearer front

    front = values(page, 1)
    held = drag(page, 1, -150)
    for key in ("cost", "devices", "batch"):
        assert held[key][0] != front[key][0]
    for _ in range(100):  # sooner takes more devices, and Python keeps how many
        if workspace.values(page.space)["plan"]["devices"] > 64:
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError("Python was not told of the devices")
    labels = page.locator(".bc").nth(1).locator(".bc-region").all_text_contents()
    assert "after 60\u00a0days" in labels
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/plan-front.png")
    settled(page)
    edited_and_planned_with(page)


HOSTS = "[...document.querySelectorAll('*')].flatMap((e) => e.shadowRoot?.querySelector('.bc') ?? [])"
# Chooses a device on the second chart and reads both before the browser does anything else; then waits for the painted frame.
CHOOSE = """async (name) => {
    const hosts = HOSTS;
    const read = () => hosts.map((h) => [h.querySelector('.bc-pill').textContent, h.querySelector('.bc-takes').textContent,
        h.querySelector('[aria-checked=true]').textContent]);
    const before = read();
    const began = performance.now();
    [...hosts[1].querySelectorAll('.bc-option')].find((o) => o.textContent === name).click();
    const after = read();
    const script = performance.now() - began;
    await new Promise((done) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = done;
        channel.port2.postMessage(null);
    }));
    return { before, after, script, painted: performance.now() - began };
}""".replace("HOSTS", HOSTS)


def kept(page, device):
    """Waits until Python has kept a device."""
    for _ in range(100):
        if workspace.values(page.space).get("plan", {}).get("device", "H100") == device:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"Python was not told of {device}")


def test_a_device_changes_both_charts_in_its_own_frame_and_in_time(page):
    """Times, hours, money and the front's line follow before any message could have gone to the server and back."""
    front = values(page, 1)
    made = page.evaluate(CHOOSE, "A100")
    (budget, takes, _), (time, _, _) = made["before"]
    (same, slower, one), (later, _, two) = made["after"]
    assert (one, two) == ("A100", "A100")
    assert same == budget, "a budget in FLOP is what it was"
    assert "on 64 A100" in slower
    assert slower != takes
    assert later != time
    shown = values(page, 1)
    assert shown["cost"][0] != front["cost"][0]
    assert shown["devices"] == front["devices"]
    kept(page, "A100")
    settled(page)
    assert values(page, 1) == shown, "Python says what the browser had shown"
    page.locator("th", has_text="Fewest A100").wait_for()  # the table below is drawn after the charts
    page.locator("th", has_text="Fewest A100").wait_for()
    page.reload()
    page.locator(".bc-pill").nth(1).wait_for()
    assert page.locator(".bc").nth(0).locator("[aria-checked=true]").inner_text() == "A100"
    painted_in_time(page)


def test_stepping_through_devices_never_steps_back(page):
    """With the arrow keys, faster than the server answers: what is shown is what was chosen last, at every look."""
    page.evaluate(CHOOSE, "B200")
    page.wait_for_timeout(120)  # the server is at work on that one
    page.locator(".bc").nth(1).locator("[aria-checked=true]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(40)
    for _ in range(25):
        assert page.locator(".bc").nth(0).locator("[aria-checked=true]").inner_text() == "L40S"
        page.wait_for_timeout(60)
    kept(page, "L40S")
    focused = page.evaluate("document.activeElement.shadowRoot?.activeElement?.textContent")
    assert focused == "L40S", "the answer leaves the focus where it was"


def test_a_device_undone_can_be_chosen_again_and_no_drag_brings_an_older_one_back(page):

    def chosen(chart):
        return page.locator(".bc").nth(chart).locator("[aria-checked=true]")

    page.evaluate(CHOOSE, "A100")
    kept(page, "A100")
    settled(page)
    workspace.undo(page.space)  # as another page of this workspace does
    panel = page.locator(".st-key-plan_panels button", has_text=re.compile("^Batch$"))
    press(panel, page.locator(".bc").nth(0).locator("[aria-checked=true]", has_text="H100"))
    settled(page)
    assert [chosen(chart).inner_text() for chart in (0, 1)] == ["H100", "H100"]
    page.evaluate(CHOOSE, "A100")
    kept(page, "A100")
    page.locator(".bc").nth(0).locator(".bc-option", has_text="B200").click()
    kept(page, "B200")
    settled(page)
    front = values(page, 1)
    drag(page, 1, -60)  # this chart itself was last told A100
    moved(page, 1, "devices", front)
    plan = workspace.values(page.space)["plan"]
    assert plan["device"] == "B200"
    assert plan["devices"] > 64
    assert [chosen(chart).inner_text() for chart in (0, 1)] == ["B200", "B200"]


def painted_in_time(page):
    """Both charts drawn for another device cost a part of a picture drawn anew, on this machine and now."""
    settled(page)
    taken = []
    for name in ("B200", "TPU v5e", "H100", "A100") * 2:
        taken.append(page.evaluate(CHOOSE, name))
        page.wait_for_timeout(30)  # as fast as a hand
    painted, script = (sorted(one[part] for one in taken) for part in ("painted", "script"))
    reference = page.evaluate(REFERENCE)
    print(
        f"device changed: script {script[4]:.1f} ms, painted after {painted[4]:.1f} ms (median of 8; aim 16.7 and the wait for "
        f"the next frame); ten thousand circles {reference:.1f} ms"
    )
    # A sixth, measured. Measuring all texts again in the frame would take half of it; a quarter of the frames are spared the rest.
    assert script[2] < reference / 3


def told(page, chart):
    """What a chart says above and below its stage: headline, the line under it, what the budget takes."""
    box = page.locator(".bc").nth(chart)
    return [" ".join(box.locator(s).inner_text().split()) for s in (".bc-headline", ".bc-subline", ".bc-takes")]


@pytest.fixture
def untouched(browser_page, address, home, monkeypatch):
    """A function that opens the Plan page of the simulated ladder at a budget, with these settings."""
    monkeypatch.setenv("ISOFLOP_HOME", str(home))

    def open_page(budget, *, width=1440, dark=False, **settings):
        space = workspace.new()
        key = "bundled:simulated-ladder"
        prepared = {"source": key, f"fit:{key}": {"resamples": 500}, **({"plan": settings} if settings else {})}
        workspace.change(space, "prepared", prepared)
        page = browser_page(width=width, height=2600, dark=dark)
        page.goto(f"{address}/plan?w={space.id}&c={budget:.0f}")
        page.locator(".bc-pill").nth(1).wait_for()
        settled(page)
        page.space = space
        return page

    return open_page


def test_both_parts_say_one_plan_until_the_front_is_dragged_and_why_then(untouched):
    """At 1e24 FLOP and nothing chosen: two weeks on 2,048 devices in both; dragged, the front says by which batch it differs."""
    from playwright.sync_api import expect

    page = untouched(1e24)
    (_, _, takes), (headline, under, _) = told(page, 0), told(page, 1)
    found = re.match(r"(14 days) on (2,048) H100 \(auto\)", takes)
    assert found, takes
    assert headline.startswith(f"Done in {found[1]} on {found[2]} devices, at a batch of 5.6")
    assert under.startswith("This is the plan above. The number of devices is automatic. It costs $1.4")
    assert "$1.4 M at" in takes
    drag(page, 1, -150)
    for _ in range(100):
        if workspace.values(page.space).get("plan", {}).get("devices", 0) > 2048:
            break
        page.wait_for_timeout(100)
    settled(page)
    headline, under, _ = told(page, 1)
    assert "14 days" not in headline
    assert re.match(
        r"Not the plan above: each device takes 2\.7 k tokens per step, which makes a batch of [\d.]+ M where the plan has 5\.6 M, "
        r"and takes [\d.]+ % more compute at equal loss\. It costs",
        under,
    ), under
    page.get_by_role("spinbutton", name="Tokens per device per step").fill("")
    page.get_by_role("spinbutton", name="Tokens per device per step").press("Enter")
    expect(page.locator(".bc").nth(1).locator(".bc-subline")).to_contain_text("This is the plan above.", timeout=60_000)
    settled(page)
    assert "This is the plan above." in told(page, 1)[1], "its share of the plan's batch again"


def test_the_number_of_devices_follows_the_budget_in_the_frame_of_the_drag(untouched):
    """The number said while the line is held is the one that Python says once it is let go of."""
    page = untouched(1e20)
    assert " on 1 H100 (auto)" in told(page, 0)[2]
    pill = page.locator(".bc").nth(0).locator(".bc-pill")
    box = pill.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    said = set()
    for step in range(1, 25):
        page.mouse.move(x + 20 * step, y)
        page.wait_for_timeout(20)
        said.add(re.search(r"on ([\d,]+) H100", told(page, 0)[2])[1])
    held = told(page, 0)[2]
    page.mouse.up()
    settled(page)
    assert len(said) > 5, "it moved in steps"
    assert re.search(r"on ([\d,]+) H100 \(auto\)", told(page, 0)[2])[1] == re.search(r"on ([\d,]+) H100", held)[1]
    assert "years" not in told(page, 0)[2]
    field = page.get_by_role("spinbutton", name="Devices", exact=True)
    assert field.get_attribute("placeholder") == "auto: " + re.search(r"on ([\d,]+) H100", held)[1]


def test_devices_that_hold_no_model_are_told_what_it_needs(untouched):
    page = untouched(1e24, devices=8)
    needs = "H100 of 80 GB: 8 do not hold it."
    (top, _, takes), (headline, under, _) = told(page, 0), told(page, 1)
    for said in (top, takes, headline):
        assert needs in said
    assert "Done in" not in headline + under
    assert page.locator(".bc").nth(1).locator(".bc-pill").inner_text() == "does not fit"
    assert values(page, 1)["cost"][0] == "—"
    least = re.search(r"at least (\d+)", headline)[1]
    assert page.locator(f"td:text-is('{least}')").count() >= 1, "the table of shapes says the same number"
    drag(page, 1, -200)
    settled(page)
    assert told(page, 1)[0].startswith("Done in ")
    assert needs not in told(page, 0)[0]
    assert [c for c in page.complaints if "Failed to load resource" not in c] == []
