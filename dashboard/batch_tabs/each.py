"""Every critical batch in a table, and how it grows."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import batch_panels, fit_panels
from dashboard.batch_state import Sweep
from dashboard.charts import batch as charts
from dashboard.fit_panels import PLOT


def panel(sweep: Sweep) -> None:
    """The table with what to know first, then the law of growth where there is one."""
    fit_panels.section("Each of them", "with 95 % intervals from refits to noise drawn anew")
    batch_panels.table(sweep)
    batch_panels.remarks(sweep)
    law = batch_panels.law_of(sweep)
    if law is not None and math.isfinite(law.slope):
        fit_panels.section("How it grows", batch_panels.grows(sweep, law))
        grown = charts.growing(law, batch_panels.placed(sweep), sweep.places, sweep.along, sweep.unit)
        st.plotly_chart(grown, config=PLOT, key="growth")
