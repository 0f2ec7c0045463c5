"""Each method's critical batch stands beside the others' at the same losses, in every tab that shows one."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.batch import methods as batch_methods
from dashboard.batch import panels as batch_panels
from dashboard.batch import settings as batch_settings
from dashboard.batch import state as batch_state
from dashboard.plan import state as plan_state
from dashboard.plan.settings import PlanSettings
from dashboard.workspace import store as workspace
from data.library import load
from fitting.batch import critical_batch, curves, fit_trajectory, steps_to_target
from fitting.batch.targets import one_ladder
from fitting.errors import FitError

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"


@pytest.fixture
def ladder(tmp_path, monkeypatch):
    """The Batch page on the bundled ladder."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    space = workspace.new()
    workspace.change(space, "settings", {"source": batch_state.LADDER})
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["w"] = space.id
    at.switch_page("views/batch.py")
    return at.run()


def opened(at, tab):
    at.session_state["batch_tab"] = tab
    at.run()
    assert not at.exception
    return at


def compared(at) -> dict[str, list[str]]:
    """The comparison's rows as text, by method, and under "losses" what its columns are at."""
    bodies = [e.proto.body for e in at.get("html")]
    place = next(i for i, b in enumerate(bodies) if batch_methods.TITLE in b)
    table = bodies[place + 1]
    rows = {"losses": re.findall(r"loss ([\d.]+)</th>", table)}
    for row in re.findall(r"<tr><th scope=\"row\"><b>(.*?)</tr>", table):
        name, _, rest = row.partition("</b>")
        rows[name] = [unescape(re.sub(r"<[^>]+>", " ", c)).split()[0] for c in re.findall(r"<td>(.*?)</td>", rest)]
    return rows


def html(at) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def first(band) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", batch_panels.cell(band))).split()[0]


def test_both_tabs_show_the_same_numbers_at_the_same_losses(ladder):
    each = compared(opened(ladder, "By model or loss"))
    assert list(each) == ["losses", "Single loss", "Several losses", batch_methods.CURVES]
    whole = compared(opened(ladder, "Training-curve law L(N, S)"))
    asked = f"{ladder.session_state['whole_loss_asked']:.4g}"
    assert asked in whole["losses"]
    for name, cells in each.items():
        assert [whole[name][whole["losses"].index(loss)] for loss in each["losses"]] == cells
    # The loss asked about is compared in the other tab from then on.
    assert compared(opened(ladder, "By model or loss")) == whole


def test_the_numbers_are_each_method_s_own(ladder):
    rows = compared(opened(ladder, "Training-curve law L(N, S)"))
    runs = load("probe-batch-ladder")
    frame, _ = one_ladder(runs.history.rename(columns={"steps": "step"}))
    law = fit_trajectory(curves(runs.history.rename(columns={"steps": "step"}), batch_settings.WARM_UP)).law
    for i, loss in enumerate(map(float, rows["losses"])):
        try:
            reached = steps_to_target(frame, loss)
        except FitError:  # one of two seeds does not come so low
            assert rows["Single loss"][i] == "cannot"
        else:
            alone = critical_batch(reached.batch, reached.steps, resamples=batch_state.RESAMPLES).b_crit
            assert rows["Single loss"][i] == first(alone)
        if rows[batch_methods.CURVES][i] != "below":
            assert rows[batch_methods.CURVES][i] == first(law.b_crit(loss))


def test_it_says_which_one_plans_use(ladder):
    assert "Plans of the bundled IsoFLOP sweep of this language use Several losses" in html(
        opened(ladder, "Training-curve law L(N, S)")
    )
    opened(ladder, "By model or loss")
    next(b for b in ladder.button if b.label == "Plan with this law").click().run()
    assert "Plans use Several losses, chosen here with Plan with this law." in html(
        opened(ladder, "Training-curve law L(N, S)")
    )


def test_another_law_chosen_for_plans_is_said(ladder, monkeypatch):
    monkeypatch.setattr(plan_state, "settings", lambda: PlanSettings(critical="kaplan_critical"))
    assert "Plans use Kaplan et al. 2020, chosen on the Plan page" in html(opened(ladder, "Training-curve law L(N, S)"))
