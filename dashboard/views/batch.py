"""Batch: how large a batch still saves steps?"""

import math

import streamlit as st

from dashboard import batch_panels, batch_state, fit_panels, state, summary, takeaway, widgets
from dashboard.charts import batch as charts
from dashboard.fit_panels import PLOT
from fitting.batch import CriticalBatch

st.html(fit_panels.STYLE)
st.html(batch_panels.STYLE)
sweep = batch_state.current()
read = state.reading()
chips = (
    [widgets.Chip(state.chosen().title, "")] if read.runs is None else summary.chips(state.chosen().title, read.runs)
)

if sweep is None or isinstance(sweep, Exception):
    widgets.chips(chips)
    if sweep is not None:
        widgets.show_trouble(sweep)
        st.page_link("views/runs.py", label="Look at the data on the Runs page")
    else:
        batch_panels.nothing()
    st.stop()

found = dict(sweep.found)
lead: CriticalBatch = found[batch_panels.leading(sweep)]
sentence, under, values = batch_panels.answer(sweep)
widgets.chips(
    [*chips, widgets.Chip(f"{len(found)} critical batch{'es' if len(found) > 1 else ''}", f"in {sweep.unit}")]
)
widgets.answer(sentence, under, **values)

main, side = st.columns([7, 3], gap="large")
with main:
    st.plotly_chart(charts.figure(found, sweep.unit, batch_panels.titles(sweep)), config=PLOT, key="batch")
with side:
    batch_panels.controls(sweep)
    widgets.steps()

fit_panels.section("Each of them", "with 95 % intervals from refits to noise drawn anew")
batch_panels.table(sweep)
batch_panels.remarks(sweep)
law = batch_panels.law_of(sweep)
if law is not None and math.isfinite(law.slope):
    fit_panels.section("How it grows", batch_panels.grows(sweep, law))
    grown = charts.growing(law, batch_panels.placed(sweep), sweep.places, sweep.along, sweep.unit)
    st.plotly_chart(grown, config=PLOT, key="growth")
fit_panels.section("Take it away")
takeaway.downloads(batch_panels.files(sweep), "batch")
batch_panels.computed()
