"""Every critical batch in a table, and how it grows."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import widgets
from dashboard.batch import methods as batch_methods
from dashboard.batch import panels as batch_panels
from dashboard.batch import state as batch_state
from dashboard.batch.readings import Sweep
from dashboard.batch.tabs import papers
from dashboard.charts import batch as charts
from dashboard.charts import batch_front
from dashboard.plan import state as plan_state
from dashboard.widgets import PLOT
from fitting.batch import AlongLoss, Growth


def panel(sweep: Sweep) -> None:
    """The table with what to know first, then the law of growth where there is one."""
    widgets.section("By model or loss", "with 95 % intervals from bootstrap refits of residuals")
    batch_panels.table(sweep)
    batch_panels.remarks(sweep)
    batch_methods.panel(sweep)
    if known := batch_panels.finite(sweep):
        leading = batch_panels.leading(sweep)
        widgets.section("Steps against tokens", "the trade-off at equal loss, larger batches to the left")
        words = batch_panels.titles(sweep)
        front = batch_front.figure(known, sweep.unit, words, leading)
        st.plotly_chart(front, config=PLOT, key="batch_front")
        widgets.quiet(batch_front.sentence(known[leading], sweep.unit, words[leading]))
    law = batch_panels.law_of(sweep)
    if law is not None and math.isfinite(law.slope) and batch_panels.placed(sweep):
        widgets.section(batch_methods.GROWTH, batch_panels.grows(sweep, law))
        near = papers.overlays(sweep)
        theirs = papers.by_overhead(sweep) if near else {}
        placed = batch_panels.placed(sweep)
        grown = charts.growing(law, placed, sweep.places, sweep.along, sweep.unit, near, theirs)
        st.plotly_chart(grown, config=PLOT, key="growth")
        if near:
            widgets.quiet(papers.disagreement(sweep, near))
        _take_over(sweep, law)


def _take_over(sweep: Sweep, law: Growth | AlongLoss) -> None:
    """Where a law can be planned with, the button that does it; sequences need their length."""
    counted = sweep.unit == "tokens"
    left, right = (None, st.container()) if counted else st.columns([3, 7], vertical_alignment="bottom")
    unit: float | None = 1.0
    if left is not None:
        known = batch_state.seq_len()
        unit = left.number_input(
            "Tokens in a sequence", min_value=1.0, max_value=1e9, value=known if math.isfinite(known) else None, key="batch_sequence",
            placeholder="such as 2048", help="The plan counts batches in tokens.", **widgets.WHOLE,
        )  # fmt: skip
    if right.button(
        "Plan with this law", key="batch_take_over", help="The Plan page's critical batch follows it from now on."
    ):
        if unit is None:
            right.caption(":red[Enter the tokens in a sequence first: the plan counts batches in tokens.]")
            return
        plan_state.take_over(law, sweep.along, float(unit), batch_panels.remarks_of(sweep))
        right.caption("The Plan page's critical batch follows this law now.")
