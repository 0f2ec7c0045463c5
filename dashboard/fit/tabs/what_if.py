"""What if: how far each choice behind the fit moves the decision at one budget, and what another floor would cost."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.charts import floor
from dashboard.charts import sensitivity as chart
from dashboard.fit import tabs as fit_tabs
from dashboard.plan import state as plan_state
from data.schema import Runs
from fitting import Fit, FitError
from fitting.diagnostics.floor_profile import floor_profile
from fitting.diagnostics.sensitivity import sensitivity


def panel(fit: Fit, runs: Runs) -> None:
    """What other choices make of the decision, then what the runs say of another floor."""
    _choices(fit, runs)
    if any(p.is_floor for p in fit.law.params):
        _floor(fit, runs)


def _choices(fit: Fit, runs: Runs) -> None:
    """The sentence that names the strongest choice, then one picture for the size and one for the loss."""
    at = plan_state.budget(fit) if "flops" in fit.ranges else 0.0
    fit_tabs.section(
        "What if you had chosen otherwise?", f"at a budget of {numbers.flop(10**at)} FLOP, as on the Plan page"
    )
    found = state.derived(sensitivity, fit, runs, float(10**at))
    if isinstance(found, FitError):
        widgets.quiet(str(found))
        return
    st.html(f'<p class="iso-under">{escape(found.sentence)}</p>')
    shown = ("loss",) if found.params is None else ("params", "loss")
    for column, of in zip(st.columns(2, gap="large"), shown, strict=False):
        column.plotly_chart(chart.figure(found, of), config={"displayModeBar": False}, key=f"what_if_{of}")
    widgets.quiet(
        "The band is the 95 % interval of the fit as made. Circles lie inside it, diamonds outside; hollow marks are choices "
        "that these runs speak against; triangles lie beyond the axis. The strongest runs are those that move the best size "
        "most when they go together. Resampling by other units changes intervals, not values."
    )


def _floor(fit: Fit, runs: Runs) -> None:
    """The floor's profile: the sentence, and the picture with what to read in it beside."""
    fit_tabs.section("What if the floor lay elsewhere?", "everything else fitted again at each floor")
    found = state.derived(floor_profile, fit, runs)
    if isinstance(found, FitError):
        widgets.quiet(str(found))
        return
    st.html(f'<p class="iso-under">{escape(found.sentence)}</p>')
    picture, words = st.columns(2, gap="large", vertical_alignment="center")
    picture.plotly_chart(floor.figure(found, fit), config={"displayModeBar": False}, key="floor_profile")
    with words:
        prior = " and of what published sweeps say" if fit.settings.prior != "none" else ""
        widgets.quiet(
            f"The curve is twice the log likelihood lost by holding the floor there, of these runs{prior}; below the dashed line "
            "a floor is as likely as chance allows.",
            "The band is the floor's 95 % interval from refits, as in the table of constants. Where the two differ, trust the "
            "wider. A forecast far beyond the runs moves with the floor, and the exponents move to keep the runs where they are.",
        )
