"""What the law leaves over, against size, data and their ratio: a trend is something the law does not know."""

from __future__ import annotations

import streamlit as st

from dashboard.charts import residuals
from dashboard.fit import tabs as fit_tabs
from data.schema import Runs
from fitting import Fit


def panel(fit: Fit, runs: Runs) -> None:
    """One picture for each of up to three inputs."""
    fit_tabs.section("What the law leaves over", "a trend here is something the law does not know")
    for column, against in zip(st.columns(3), residuals.inputs(runs, fit), strict=False):
        figure = residuals.figure(runs, fit, against)
        column.plotly_chart(figure, config=fit_tabs.PLOT, key=f"residuals_{against}")
