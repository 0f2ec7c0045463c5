"""Runs: what do I have, and what of it can be used?"""

import streamlit as st

from dashboard import state, widgets
from dashboard.batch import state as batch_state
from dashboard.charts import loss_compute, plane
from dashboard.runs import chooser, column_mapper, earlier_work, open_questions, run_picker, summary

read = state.reading()
runs, every = read.runs, read.every
whole = read.whole
widgets.chips(summary.chips(state.chosen().title, runs, 0 if whole is None else len(whole.held_out)))

# --- nothing to draw yet: say why and what to do ---

if read.table is None and runs is None:
    widgets.show_trouble(read.trouble)
    chooser.cards()
    widgets.steps()
    st.stop()

if runs is None or every is None or whole is None or not len(every):
    main, side = st.columns([7, 3], gap="large")
    with main:
        other = batch_state.instead_of_runs(read.table)
        asked = [] if other else summary.questions(read)
        if other is not None:
            widgets.answer(*other)
            st.page_link("views/batch.py", label="See them on the Batch page")
        elif summary.lacking(asked):
            widgets.trouble(str(read.trouble), "Add the column to the file, one value a run, and upload it again.")
        elif asked:
            widgets.answer(summary.asking(asked), summary.elsewhere(read))
            column_mapper.questions(read)
        else:
            widgets.show_trouble(read.trouble)
        if read.table is not None:
            column_mapper.preview(read.table)
            if not asked and other is None and read.guessed is not None:
                column_mapper.columns(read)
        if runs is not None:
            open_questions.bring_back(read, runs)
            run_picker.set_aside(runs)
    with side:
        chooser.other_data()
    st.stop()

# --- the runs ---

sentence, values, under = summary.answer(whole)
widgets.answer(sentence, under, **values)
open_questions.announce(read)

main, side = st.columns([7, 3], gap="large")
with main:
    own = state.own_law()
    drawable = own is None and plane.axes(every.kept) is not None
    with st.container(horizontal=True, vertical_alignment="center"):
        tool = run_picker.tool() if drawable else ""
        mark = run_picker.mark() if drawable else ""
        if drawable:
            widgets.quiet(run_picker.hint(tool, mark))
        widgets.steps()
    if drawable:
        run_picker.chart(whole, tool)
    elif own is not None:
        st.plotly_chart(loss_compute.figure(whole, own), config=widgets.PLOT, key="own_runs")
        widgets.quiet(
            f"Read for {own.title}, the law chosen on the Fit page. Set runs aside or hold them out in the table below."
        )
        st.page_link("views/fit.py", label="See the law, or choose another, on the Fit page")
    else:
        column_mapper.missing()
with side:
    earlier_work.panel()
    chooser.menu()
    chooser.forgetter()
    chooser.uploader()
    widgets.counts(
        summary.counts(whole), marks={"kept": "kept", "fitted": "kept", "held out": "held", "set aside": "aside"}
    )
    widgets.quiet(*runs.notes)

# Names that never change: a tab with another name would be another tab, and the open one would be left.
table, columns, aside = st.tabs(["Table", "Columns", "Set aside"], key="runs_tab")
with table:
    run_picker.table(every)
with columns:
    if read.table is not None:
        column_mapper.columns(read)
        column_mapper.derived(runs)
    else:
        column_mapper.sources(runs)
with aside:
    open_questions.bring_back(read, runs)
    run_picker.set_aside(runs)
