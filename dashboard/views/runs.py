"""Runs: what do I have, and what of it can be used?"""

import streamlit as st

from dashboard import chooser, column_mapper, run_picker, state, summary, widgets
from dashboard.charts import plane

read = state.reading()
title = state.chosen().title

widgets.chips(summary.chips(title, read.runs))

# --- nothing to draw: say why, and what to do --------------------------------------------------------------------------

runs, every = read.runs, read.every
if runs is None or every is None or not len(every):
    main, side = st.columns([7, 3], gap="large")
    with main:
        open_questions = bool(getattr(read.trouble, "questions", ())) and read.table is not None
        if open_questions:
            widgets.answer("{title} can be read once you say what is what.", title=title)
            column_mapper.questions(read)
        elif read.trouble is not None:
            widgets.show_trouble(read.trouble)
        if read.table is not None:
            st.markdown("##### The first rows as they are")
            st.dataframe(read.table.frame.head(8).astype(str), hide_index=True, alt="The first rows of the file")
            if not open_questions:
                column_mapper.columns(read)
        if runs is not None:
            run_picker.set_aside(runs)
    with side:
        chooser.menu()
        chooser.forgetter()
        chooser.uploader()
        widgets.steps()
    st.stop()

# --- the runs ----------------------------------------------------------------------------------------------------------

sentence, values, under = summary.answer(runs)
widgets.answer(sentence, under, **values)

main, side = st.columns([7, 3], gap="large")
with main:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        tool = run_picker.tool()
        widgets.steps()
    if plane.axes(every.kept):
        run_picker.chart(runs, tool)
    for note in runs.notes:
        st.caption(widgets.literal(note))
with side:
    chooser.menu()
    chooser.forgetter()
    chooser.uploader()
    widgets.counts(summary.counts(runs), strong=("kept", "set aside"))

table, columns, aside = st.tabs(["Table", "Columns", f"Set aside ({len(runs.set_aside)})"])
with table:
    run_picker.table(every)
with columns:
    if read.table is not None:
        column_mapper.columns(read)
    column_mapper.sources(runs)
with aside:
    run_picker.set_aside(runs)
