"""Fit: what law do the runs follow, and should I believe it?"""

from dataclasses import replace

import streamlit as st

from dashboard import (
    address,
    chooser,
    fit_again,
    fit_analyses,
    fit_controls,
    fit_panels,
    fit_words,
    state,
    summary,
    takeaway,
    widgets,
)
from dashboard.charts import loss_compute
from dashboard.fit_panels import PLOT, computed
from fitting import FitError, all_laws

st.html(fit_panels.STYLE)
address.follow()
runs = state.current_runs()
fit = state.current_fit()
chips = summary.chips(state.chosen().title, runs)

# --- no law: say why, show the runs, keep the controls -----------------------------------------------------------------

if isinstance(fit, FitError):
    widgets.chips(chips)
    widgets.show_trouble(fit)
    main, side = st.columns([7, 3], gap="large")
    with side:
        fit_controls.controls(runs)
        chooser.other_data()
    with main:
        law = all_laws().get(state.fit_settings().law)
        alone = loss_compute.unfitted(runs, law)
        if alone is not None:
            st.plotly_chart(alone, config=PLOT, key="runs_alone")
        fit_controls.ways_out(runs)
    st.stop()

# --- the law -----------------------------------------------------------------------------------------------------------

widgets.chips([*chips, *fit_words.chips(fit)])
fit_panels.answer(fit)
main, side = st.columns([7, 3], gap="large")
with main:
    st.plotly_chart(loss_compute.figure(runs, fit.law, fit, floor=state.true_floor()), config=PLOT, key="loss_compute")
with side:
    fit_controls.controls(runs, fit)
    widgets.steps()

fit_panels.tabs(fit, runs)

fit_panels.section("Take it away")
by = fit_analyses.calibration(fit)
taken = fit if by is None else fit.calibrated(by)  # what was calibrated on this page leaves it so
takeaway.downloads(takeaway.of_fit(taken, runs, fit_words.file_stem(fit)), "fit")
with st.expander("How was this computed"):
    computed.terms(fit)
    asked = state.fit_settings().arguments(runs.kept.columns)
    choice = state.chosen()
    named = replace(choice, title=choice.file or choice.title)  # a notebook finds the file by the name it came with
    st.code(fit_again.python(taken, named, state.answers(), asked), language="python")
