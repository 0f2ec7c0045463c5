"""Residuals against size, data and their ratio: a trend shows what the fit misses."""

from __future__ import annotations

import streamlit as st

from dashboard import widgets
from dashboard.charts import residuals
from data.schema import Runs
from fitting import Fit


def panel(fit: Fit, runs: Runs) -> None:
    """One picture for each of up to three inputs."""
    widgets.section("Residuals", "a trend shows what the fit misses")
    for column, against in zip(st.columns(3), residuals.inputs(runs, fit), strict=False):
        figure = residuals.figure(runs, fit, against)
        column.plotly_chart(figure, config=widgets.PLOT, key=f"residuals_{against}")
