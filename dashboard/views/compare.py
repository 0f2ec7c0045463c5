"""Compare: is one family of runs better, and will it still be at scale?"""

import streamlit as st

from dashboard import downloads, frame, state, widgets
from dashboard.charts import families
from dashboard.compare import panels as compare_panels
from dashboard.compare import state as compare_state
from dashboard.compare import words as compare_words
from dashboard.runs import chooser, summary
from dashboard.widgets import PLOT
from fitting import FitError

st.html(widgets.FIGURES)
frame.losses_alone("Families are compared by a law of size, data or compute")
st.html(compare_panels.STYLE)
runs = state.current_runs()
whole = state.whole_runs()
chips = summary.chips(state.chosen().title, runs, len(whole.held_out))
able = compare_state.columns(runs)
if not able:
    widgets.chips(chips)
    main, side = st.columns([7, 3], gap="large")
    with main:
        compare_panels.nothing(runs)
    with side:
        chooser.other_data()
    st.stop()

asked = compare_state.settings()
column = asked.column if asked.column in able else next(iter(able))
found = compare_state.current(runs, column)
if isinstance(found, FitError):
    widgets.chips(chips)
    main, side = st.columns([7, 3], gap="large")
    with main:
        widgets.show_trouble(found)
        st.page_link("views/fit.py", label="Choose another law on the Fit page")
    with side:
        compare_panels.controls(runs, column, None)
        chooser.other_data()
    st.stop()

found = compare_state.aimed(found)
versus = [found.versus(name) for name in found.others]
first = compare_state.in_the_sentence(versus)

widgets.chips([*chips, *compare_words.chips(found, runs)])
sentence, values = compare_words.answer(first)
widgets.answer(sentence, compare_words.under(first, found.data[1]), **values)
compare_panels.warnings(found)
main, side = st.columns([7, 3], gap="large")
with main:
    st.plotly_chart(families.figure(found, whole), config=PLOT, key="families")
    widgets.quiet(*found.notes)
with side:
    compare_panels.controls(runs, column, found)
    widgets.steps()

widgets.section("Each family", f"against {compare_words.name(found.reference)}")
compare_panels.table(found, versus)
widgets.section("What the families have in common", "tested, because intervals depend on it")
compare_panels.shared(found)

widgets.section("Export")
downloads.buttons(downloads.of_families(found), "families")
with st.expander("How was this computed"):
    compare_panels.computed(found)
