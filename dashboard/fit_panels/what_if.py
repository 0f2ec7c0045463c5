"""What if: how far each choice behind the fit moves the best size and the loss at one budget."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import fit_panels, numbers, plan_state, state, widgets
from dashboard.charts import sensitivity as chart
from data.schema import Runs
from fitting import Fit, FitError
from fitting.sensitivity import sensitivity


def panel(fit: Fit, runs: Runs) -> None:
    """The sentence that names the strongest choice, then one picture for the size and one for the loss."""
    at = plan_state.budget(fit) if "flops" in fit.ranges else 0.0
    fit_panels.section(
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
