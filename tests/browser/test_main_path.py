"""The whole way in a real browser: a file of runs, what its columns are, the law, a budget dragged, the formula taken away."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from data import read_runs
from fitting import fit, plan
from tests.browser.hand import button, idle, press, until

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("ISOFLOP_SHOTS")
# A made-up truth, so that nobody can mistake what comes out for somebody's published constants.
E, A, B, ALPHA, BETA = 1.62, 300.0, 900.0, 0.33, 0.35


def runs_file() -> bytes:
    """48 simulated runs in a file as people write them: short counts, a comma in a name, two losses, a blank row."""
    rng = np.random.default_rng(11)
    rows = []
    for c in np.repeat([1e18, 4e18, 1.6e19, 6.4e19, 2.56e20, 1e21], 8):
        n = math.sqrt(c / 120) * math.exp(rng.uniform(-1.4, 1.4))
        d = c / 6 / n
        loss = (E + A / n**ALPHA + B / d**BETA) * math.exp(rng.normal(0, 0.003))
        rows.append([f"sweep, {len(rows)}", f"{n / 1e6:.2f}M", f"{d / 1e9:.4f}B", f"{loss:.5f}", f"{loss * 0.97:.4f}"])
    rows.insert(5, ["", "", "", "", ""])
    table = pd.DataFrame(rows, columns=["Experiment", "Model Size", "train/tokens seen", "val_loss", "test_loss"])
    return table.to_csv(index=False).encode()


@pytest.fixture(scope="module")
def address(serve_dashboard):
    """The dashboard as `isoflop` serves it."""
    return serve_dashboard()


def shot(page, name):
    """A picture for a person to look at, where a folder for them is given."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def visit(page, name, sign):
    """Goes to another page by its link in the menu."""
    press(page.get_by_role("link", name=name, exact=True), sign)


def chart(page):
    """The chart of the budget: the first on the page, above the one of time."""
    return page.locator(".bc").first


def reads(page, key):
    """What the chart's read-out says: value and interval."""
    out = chart(page).locator(f'.bc-readout[data-key="{key}"]')
    return out.locator(".bc-readout-value").inner_text(), out.locator(".bc-readout-range").inner_text()


def line(page) -> float:
    """Where the budget line stands, in log10 FLOP."""
    return float(chart(page).get_attribute("data-budget"))


def wait_for_python(page):
    """Waits until the address says the budget that the chart shows: Python has computed with it."""
    page.wait_for_function(
        """() => {
            const find = (e) => e.shadowRoot?.querySelector('.bc');
            const chart = [...document.querySelectorAll('*')].map(find).find(Boolean);
            const asked = Number(new URL(location.href).searchParams.get('c'));
            return chart && Math.abs(Math.log10(asked) - Number(chart.dataset.budget)) < 1e-4;
        }"""
    )


def upload(page, address):
    """Uploads the file and answers what it leaves open."""
    page.goto(address)
    page.wait_for_selector("[data-testid=stFileUploader]")
    file = {"name": "my runs.csv", "mimeType": "text/csv", "buffer": runs_file()}
    until(
        page,
        lambda: page.locator("input[type=file]").set_input_files(file),
        page.get_by_text("One question before these runs can be read"),
    )
    shot(page, "main-1-questions")
    press(button(page, "Read the runs"), page.get_by_text(re.compile("48 runs from")))


def release_to_python(page):
    """Milliseconds from letting go of the line until Python says the same, at some places; the aim is 150.

    Held to a bound that only a broken page would miss: the machine is shared.
    """
    box = chart(page).locator(".bc-grab").bounding_box()
    times = []
    for part in (0.3, 0.45, 0.6, 0.7):
        page.mouse.move(box["x"] + box["width"] * part, box["y"] + 60)
        page.mouse.down()
        began = time.perf_counter()
        page.mouse.up()
        wait_for_python(page)
        times.append(1e3 * (time.perf_counter() - began))
    print("release to Python's numbers, ms:", " ".join(f"{t:.0f}" for t in times))
    assert np.median(times) < 3000
    return times


def test_from_a_file_to_a_budget_and_away(browser_page, address, tmp_path, record_property):
    page = browser_page()
    upload(page, address)
    shot(page, "main-2-runs")

    visit(page, "Fit", page.get_by_text("checks pass"))
    shot(page, "main-3-fit")

    visit(page, "Plan", page.locator(".bc-pill"))
    (tmp_path / "runs.csv").write_bytes(runs_file())
    expected = fit(read_runs(tmp_path / "runs.csv", columns={"loss": "val_loss"}))
    start = line(page)
    assert start == pytest.approx(22, abs=0.02)  # ten times the largest run

    # By mouse: every number follows, and after release Python says the same.
    box = chart(page).locator(".bc-grab").bounding_box()
    pill = chart(page).locator(".bc-pill").bounding_box()
    page.mouse.move(pill["x"] + pill["width"] / 2, pill["y"] + pill["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60, steps=12)
    during = {key: reads(page, key) for key in ("loss", "params", "tokens")}
    assert line(page) > start + 0.5
    page.mouse.up()
    wait_for_python(page)
    assert {key: reads(page, key) for key in during} == during
    shot(page, "main-4-plan")

    # By key: one step of a fiftieth of a decade.
    dragged = line(page)
    chart(page).locator("[role=slider]").focus()
    page.keyboard.press("ArrowLeft")
    assert line(page) == pytest.approx(dragged - 0.02, abs=2e-3)
    wait_for_python(page)

    record_property("release_to_python_ms", release_to_python(page))

    # Typed.
    chart(page).locator(".bc-input").fill("5e22 FLOP")
    page.keyboard.press("Enter")
    assert line(page) == pytest.approx(math.log10(5e22), abs=1e-6)
    wait_for_python(page)
    said = {key: reads(page, key) for key in ("loss", "params", "tokens")}
    wanted = plan(expected, flops=5e22)
    assert said["loss"][0].startswith(f"{wanted.loss.value:.2f}")

    # Another page and back, then a refresh: nothing is lost.
    visit(page, "Runs", page.get_by_text(re.compile("48 runs from")))
    visit(page, "Plan", page.locator(".bc-pill"))
    assert line(page) == pytest.approx(math.log10(5e22), abs=1e-6)
    page.reload()
    page.wait_for_selector(".bc-pill")
    assert line(page) == pytest.approx(math.log10(5e22), abs=1e-6)
    assert {key: reads(page, key) for key in said} == said
    page.get_by_text("my runs.csv").first.wait_for()

    # The formula, taken away and run alone, says what the page says.
    idle(page)
    with page.expect_download() as found:
        button(page, "Python").click()
    module = tmp_path / "law.py"
    found.value.save_as(module)
    code = "import json, law; print(json.dumps(law.best(5e22)))"
    done = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    params, tokens, loss = json.loads(done.stdout)
    assert loss == pytest.approx(wanted.loss.value, rel=1e-9)
    assert params == pytest.approx(wanted.params.value, rel=1e-5)
    assert tokens == pytest.approx(wanted.tokens.value, rel=1e-5)

    assert page.outside == []
