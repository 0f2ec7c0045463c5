"""Fit: what law do the runs follow, and should I believe it?"""

import streamlit as st

from dashboard import fit_again, fit_controls, fit_panels, fit_words, state, summary, takeaway, widgets
from dashboard.charts import forest, loss_compute, residuals
from dashboard.fit_settings import DELTAS
from fitting import FitError, all_laws
from fitting.export.latex import formula

PLOT = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}

st.html(fit_panels.STYLE)
state.follow_address()
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
        widgets.steps()
    with main:
        law = all_laws().get(state.fit_settings().law)
        st.plotly_chart(loss_compute.unfitted(runs, law), config=PLOT, key="runs_alone")
        fit_controls.ways_out(runs)
    st.stop()

# --- the law -----------------------------------------------------------------------------------------------------------

widgets.chips([*chips, *fit_words.chips(fit)])
fit_panels.answer(fit)
main, side = st.columns([7, 3], gap="large")
with main:
    st.plotly_chart(loss_compute.figure(runs, fit.law, fit, floor=state.true_floor()), config=PLOT, key="loss_compute")
with side:
    fit_controls.controls(runs)
    widgets.steps()
    fit_panels.sensitivity(fit, {delta: state.current_fit(delta=delta, resamples=0) for delta in DELTAS})

fit_panels.section("Should you believe it?", fit.status.sentence)
fit_panels.checks(fit)

fit_panels.section("The constants", "with each paper's own, for its own runs and tokens: compare exponents, not floors")
table, picture = st.columns([6, 4], gap="large")
with table:
    with st.container(horizontal=True, gap="medium"):
        st.latex(fit.law.latex, width="content")
        st.latex(formula(fit), width="content")
    fit_panels.constants(fit)
    fit_panels.sources(fit)
with picture:
    for p in forest.drawn(fit):
        st.plotly_chart(forest.figure(fit, p.name), config={"displayModeBar": False}, key=f"forest_{p.name}")

fit_panels.section("What the law leaves over", "a trend here is something the law does not know")
for column, against in zip(st.columns(3), residuals.inputs(runs, fit), strict=False):
    column.plotly_chart(residuals.figure(runs, fit, against), config=PLOT, key=f"residuals_{against}")

fit_panels.section("Take it away")
takeaway.downloads(takeaway.of_fit(fit, runs, fit_words.file_stem(fit)), "fit")
with st.expander("How was this computed"):
    fit_panels.computed(fit)
    st.code(fit_again.python(fit, state.chosen(), state.answers()), language="python")
