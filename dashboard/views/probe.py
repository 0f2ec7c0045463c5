"""Probe: which run next, and how are the runs doing?"""

import streamlit as st

from dashboard import state, widgets
from dashboard.probe import at_end, cluster, cluster_form, elsewhere, launching, live, panels, words
from dashboard.probe import settings as probe_settings
from dashboard.probe import state as probe_state
from dashboard.runs import earlier_work, summary
from data.errors import DataError

st.html(widgets.FIGURES)
st.html(live.STYLE)
asked = probe_settings.settings()
sweeps = live.all_sweeps()
read = state.read_for().marked(state.roles(), state.excluded())  # runs with losses, whichever law is chosen
kept = None if read.runs is None else read.runs.kept
chips = (
    [widgets.Chip(state.chosen().title, "")] if read.runs is None else summary.chips(state.chosen().title, read.runs)
)
torch = probe_state.torch()
on = words.on([slot.name for slot, _ in probe_state.slots(asked)], "run")
widgets.chips(
    [
        *chips,
        widgets.Chip(on),
        widgets.Chip(f"torch {torch}") if torch else widgets.Chip("torch", "is not installed", "note"),
    ]
)
default = next((one.name for one in sweeps if one.active or (one.elsewhere and live.used(one))), panels.NEW)
name = panels.view([one.name for one in sweeps], default)
panels.menu(live.titles(sweeps), name)

# --- a sweep that was launched ---

if name != panels.NEW:
    live.watch(name, kept, sweeps)
    if not any(one.cluster or one.elsewhere for one in sweeps if one.name == name):
        with st.expander("Devices"):
            panels.devices(asked, {run.slot: run.label for one in sweeps for run in one.runs if run.state == "running"})
    with st.expander("When a sweep ends"):
        at_end.panel(asked)
    widgets.steps()
    st.stop()

# --- a sweep that is laid out ---

live.look_out(sweeps)
sweep = probe_state.values(asked)
specs = probe_state.laid(sweep)
known = launching.launched()
found = None
if isinstance(specs, DataError):
    widgets.answer("This sweep cannot be laid out yet.")
else:
    fresh = [one for one in specs if one.key not in known]
    found, on = (cluster if cluster.chosen(asked) else panels).priced(fresh, asked)
    sentence, under, values = words.designed(fresh, found, on, len(specs) - len(fresh))
    widgets.answer(sentence, under, **values)

main, side = st.columns([7, 3], gap="large")
with main:
    if isinstance(specs, DataError):
        panels.refused(specs, sweep, asked)
    elif found is not None:
        panels.the_plane(specs, known, kept)
        if cluster_form.where(asked):
            panels.launcher(sweep, found, on, asked, len(fresh), len(specs) - len(fresh))
with side:
    earlier_work.panel()
    laid = None if isinstance(specs, DataError) else specs
    panels.controls(sweep, panels.turned(laid, asked), panels.most_flops(laid))
    widgets.steps()

with st.expander("As JSON"):
    panels.as_json(sweep, asked.name, asked)
with st.expander("As a job for another machine"):
    elsewhere.panel(sweep, specs, asked)
with st.expander("Devices"):
    panels.devices(asked, {run.slot: run.label for one in sweeps for run in one.runs if run.state == "running"})
with st.expander("Limits, corpora and the end of a sweep"):
    panels.the_limits(found, asked)
    at_end.panel(asked)
