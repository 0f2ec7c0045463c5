"""Batch: how large a batch still saves steps?"""

import streamlit as st

from dashboard import frame, state, widgets
from dashboard.batch import about as batch_about
from dashboard.batch import panels as batch_panels
from dashboard.batch import settings as batch_settings
from dashboard.batch import state as batch_state
from dashboard.batch import tabs as batch_tabs
from dashboard.batch import width_ladders
from dashboard.batch.tabs import noise, rates
from dashboard.charts import batch as charts
from dashboard.runs import chooser, summary
from dashboard.widgets import PLOT

st.html(widgets.FIGURES)
frame.losses_alone("Batches are read off losses and steps")
st.html(batch_panels.STYLE)
sweep = batch_state.current()
read = state.reading()
held = 0 if read.whole is None else len(read.whole.held_out)
chips = (
    [widgets.Chip(state.chosen().title, "")]
    if read.runs is None
    else summary.chips(state.chosen().title, read.runs, held)
)

if sweep is None or isinstance(sweep, Exception):
    widgets.chips(chips)
    if isinstance(sweep, Exception) and batch_settings.settings().readings:  # what else the data hold stands below
        batch_panels.declined(sweep)
        batch_tabs.tabs(None)
        st.stop()
    grid, (ladders, _), norms = batch_state.grid(), width_ladders.found(), batch_state.norms()
    said = (
        rates.answer(grid) if grid is not None
        else width_ladders.answer(ladders) if ladders
        else noise.answer(norms) if norms is not None
        else None
    )  # fmt: skip
    if said is not None:
        widgets.answer(said[0], said[1], **said[2])
        batch_tabs.tabs(None)
    elif isinstance(sweep, Exception):
        batch_panels.declined(sweep)
    elif isinstance(trouble := batch_state.norms_or_why(), Exception) and not batch_state.batches():
        frame.declined(trouble, runs="Look at the data on the Runs page")
    else:
        state.current_runs()  # a question about the file that is open comes first, as on every page
        main, side = st.columns([7, 3], gap="large")
        with main:
            batch_panels.nothing()
        with side:
            chooser.other_data()
    st.stop()

sentence, under, values = batch_panels.answer(sweep)
widgets.chips(
    [
        *chips,
        widgets.Chip(f"{len(sweep.found)} critical batch{'es' if len(sweep.found) > 1 else ''}", f"in {sweep.unit}"),
    ]
)
widgets.answer(sentence, under, **values)

main, side = st.columns([7, 3], gap="large")
with main:
    st.plotly_chart(charts.figure(dict(sweep.found), sweep.unit, batch_panels.titles(sweep)), config=PLOT, key="batch")
with side:
    batch_panels.controls(sweep)
    widgets.steps()

batch_tabs.tabs(sweep)
batch_tabs.take_away("the critical batches", batch_panels.files(sweep), "batch", batch_about.of(sweep))
batch_panels.computed()
