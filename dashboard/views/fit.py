"""Fit: what law do the runs follow, and how well is it known?"""

from dataclasses import replace

import streamlit as st

from dashboard import downloads, state, widgets
from dashboard.charts import loss_compute
from dashboard.fit import address, repeat_code
from dashboard.fit import analyses as fit_analyses
from dashboard.fit import controls as fit_controls
from dashboard.fit import tabs as fit_tabs
from dashboard.fit import words as fit_words
from dashboard.fit.tabs import computed
from dashboard.runs import chooser, summary
from dashboard.widgets import PLOT
from data.errors import DataError
from fitting import FitError, all_laws

st.html(widgets.FIGURES)
address.follow()
try:
    runs = state.current_runs()
except DataError as error:
    if not any(all_laws()[key].own_columns for key in fit_analyses.offered()):
        raise
    fit_controls.unread(error)
    st.stop()
fit = state.current_fit()
whole = state.whole_runs()
chips = summary.chips(state.chosen().title, runs, len(whole.held_out))

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
        fit_controls.ways_out()
    st.stop()

# --- the law -----------------------------------------------------------------------------------------------------------

widgets.chips([*chips, *fit_words.chips(fit)])
apart = fit_analyses.held_out(fit, whole)
fit_tabs.answer(fit, apart)
main, side = st.columns([7, 3], gap="large")
with main:
    drawn = loss_compute.figure(whole, fit.law, fit, floor=state.true_floor(), apart=apart)
    st.plotly_chart(drawn, config=PLOT, key="loss_compute")
with side:
    fit_controls.controls(runs, fit)
    widgets.steps()

fit_tabs.tabs(fit, runs)

widgets.section("Export")
by = fit_analyses.calibration(fit)
taken = fit if by is None else fit.calibrated(by)  # what was calibrated on this page leaves it so
downloads.buttons(downloads.of_fit(taken, whole, fit_words.file_stem(fit)), "fit")
with st.expander("How was this computed"):
    computed.terms(fit)
    asked = state.fit_settings().arguments(runs.kept.columns)
    choice = state.chosen()
    named = replace(choice, title=choice.file or choice.title)  # a notebook finds the file by the name it came with
    st.code(repeat_code.python(taken, named, state.answers(), asked, state.roles()), language="python")
