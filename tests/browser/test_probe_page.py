"""The Probe page in Chromium: a sweep is laid out, trained and fitted; another is cancelled half-way and resumed by another server."""

from __future__ import annotations

import importlib.util
import json
import os
import re

import pytest

from dashboard.workspace import store as workspace
from data.probe.folder import Folder
from data.probe.queue.store import Store
from data.probe.sweep import sweep
from tests.browser.hand import button, idle, press, says, until, wait
from tests.dashboard.probe.fake import measured, status

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="runs are trained with torch"),
]
SHOTS = os.environ.get("ISOFLOP_SHOTS")
TINY = {"design": "grid", "width": [8, 16], "tokens": 2e4, "seq_len": 64, "eval_tokens": 2048, "evals": 8}
LONGER = {"design": "grid", "width": 8, "tokens": 1e6, "seq_len": 64, "eval_tokens": 1024, "evals": 200}
LONG = 120_000  # ms: a machine that others keep busy takes that long to load torch
PLANE = ".lc-panel.lc-wide svg[data-x]"


def shot(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def launch(page, values, name):
    """Write a sweep's JSON and launch it under a name."""
    area = page.get_by_role("textbox", name="The sweep as JSON", exact=True)
    if not area.is_visible():
        press(page.get_by_text("As JSON", exact=True), area)
    idle(page)
    area.fill(json.dumps(values))
    area.press("Control+Enter")
    says(page, r"^\d runs? would take about")
    idle(page)
    confirm = page.get_by_role("button", name="Launch", exact=True)
    until(page, page.get_by_role("button", name=re.compile(r"^Launch \d")).click, confirm)
    shot(page, f"confirm-{name}")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("textbox", name="Name", exact=True).press("Enter")
    idle(page)
    confirm.click()
    page.wait_for_url(f"**sweep={name}**", timeout=LONG)


def answer(page, pattern):
    """Wait for an answer that training has to bring about."""
    page.wait_for_function(
        "pattern => new RegExp(pattern).test((document.querySelector('.iso-answer')?.innerText || '').replace(/\\s+/g, ' '))",
        arg=pattern, timeout=LONG,
    )  # fmt: skip


def test_a_sweep_is_trained_and_fitted_and_another_cancelled_and_resumed(
    serve_dashboard, browser_page, tmp_path, monkeypatch
):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))  # for what the test prepares; the server is told
    space = workspace.new()
    workspace.change(space, "open", {"source": "bundled:probe-isoflop"})
    root = workspace.probes(space)
    server = serve_dashboard(tmp_path, fresh=True)
    page = browser_page()
    page.goto(f"{server}/probe?w={space.id}")
    says(page, "^15 runs would take about")
    shot(page, "designed")
    launch(page, TINY, "tiny")
    answer(page, r"^2 of 2 runs are done\.")
    page.wait_for_function("() => document.title === 'Done: tiny'")
    assert [job.state for job in Store(root).jobs("tiny")] == ["done", "done"]
    shot(page, "finished")

    for spec in sweep({**TINY, "width": [8, 12, 16], "tokens": [4e4, 8e4, 1.6e5]}):  # runs enough for a law
        folder = Folder(root / "tiny" / spec.key)
        folder.declare(spec)
        measured(folder, spec)
        folder.say(status(spec, "done"))
    law = page.get_by_role("link", name="See their law on the Fit page")
    press(button(page, "Use these 2 runs"), law)
    wait(page, page.locator(".iso-chip", has_text="tiny"))  # what stands around the sweep follows, too
    press(law, "() => location.pathname.endsWith('/fit')")
    page.wait_for_selector(".js-plotly-plot")
    wait(page, page.locator(".iso-chip", has_text="11 runs"))
    points = page.evaluate(
        "() => document.querySelector('.js-plotly-plot').data.flatMap(t => t.mode === 'markers' ? (t.text || []) : [])"
    )
    trained = [spec.key[:4] for spec in sweep(TINY)]
    assert all(any(f"-s0-{key}" in said for said in points) for key in trained), points

    press(page.get_by_role("link", name="Probe", exact=True), page.get_by_role("combobox"))
    page.goto(f"{server}/probe?sweep=new&w={space.id}")
    says(page, r"^2 runs were launched before\.")
    launch(page, LONGER, "longer")
    page.wait_for_selector(".lc-panel:not(.lc-wide) path.lc-line", timeout=LONG)
    plane = page.locator(PLANE)
    box = plane.bounding_box()
    before = plane.get_attribute("data-x")
    page.mouse.move(box["x"] + 150, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 300, steps=4)
    page.mouse.up()
    zoomed = plane.get_attribute("data-x")
    assert zoomed != before
    curve = "() => [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.lc-line')).find(Boolean).getAttribute('d')"
    was = page.evaluate(curve)
    page.wait_for_function(f"was => ({curve})() !== was", arg=was, timeout=LONG)  # drawn anew in place
    assert plane.get_attribute("data-x") == zoomed
    shot(page, "live")
    button(page, "Cancel all").click()
    page.wait_for_selector("button:has-text('Resume all')", timeout=LONG)
    (job,) = Store(root).jobs("longer")
    stopped = Store(root).folder(job).status
    assert (job.state, stopped.state) == ("cancelled", "cancelled")
    assert 0 < stopped.step < stopped.steps
    page.reload()
    answer(page, r"^0 of 1 run is done\.")
    serve_dashboard.stop(server)

    again = serve_dashboard(tmp_path, fresh=True)
    page.goto(f"{again}/probe?sweep=longer&w={space.id}")
    answer(page, r"^0 of 1 run is done\.")
    shot(page, "cancelled")
    button(page, "Resume all").click()
    answer(page, r"^1 of 1 run is done\.")
    steps = [row["step"] for row in Store(root).folder(job).rows()]
    assert steps == sorted(set(steps)), "a resumed run measures nothing twice"
    assert steps[-1] == stopped.steps
    assert not page.outside
