"""What if: how far each choice behind the fit moves the decision at one budget, and what another floor would cost."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.charts import floor
from dashboard.charts import sensitivity as chart
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
    widgets.section(
        "Sensitivity to the choices of the fit", f"at a budget of {numbers.flop(10**at)} FLOP, as on the Plan page"
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
        "The band is the 95 % interval of this fit. Circles lie inside the band, diamonds outside; hollow marks are choices "
        "that these runs reject; triangles lie beyond the axis. The most influential runs are those whose joint deletion moves the "
        "best size most. Resampling by other units changes intervals, not values."
    )


def _floor(fit: Fit, runs: Runs) -> None:
    """The floor's profile: the sentence, and the picture with what to read in it beside."""
    widgets.section("Profile of the floor", "all other constants refitted at each floor")
    found = state.derived(floor_profile, fit, runs)
    if isinstance(found, FitError):
        widgets.quiet(str(found))
        return
    st.html(f'<p class="iso-under">{escape(found.sentence)}</p>')
    picture, words = st.columns(2, gap="large", vertical_alignment="center")
    picture.plotly_chart(floor.figure(found, fit), config={"displayModeBar": False}, key="floor_profile")
    with words:
        prior = " and of the prior" if fit.settings.prior != "none" else ""
        widgets.quiet(
            f"The curve is the likelihood ratio of each fixed floor, of these runs{prior}; floors below the dashed line are inside "
            "the profile interval.",
            "The band is the floor's 95 % interval from refits, as in the table of constants. Where the two differ, use the "
            "wider. A forecast far beyond the runs changes with the floor, and the exponents change with it to fit the runs.",
        )
