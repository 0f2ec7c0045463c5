"""Setting runs aside and taking them back: by a click or a lasso on the plane, and by a tick in the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.charts import plane
from dashboard.runs.column_mapper import word
from data.schema import COLUMNS, Runs
from data.states.exclusions import exclusions
from fitting.plural import plural

TOOLS = {"Click": "pan", "Lasso": "lasso", "Box": "select"}
HINTS = {
    "Click": "Click a run to set it aside, a hollow one to take it back.",
    "Lasso": "Draw around runs to set them aside, around hollow ones to take them back.",
    "Box": "Drag a box over runs to set them aside, over hollow ones to take them back.",
}
CHART = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}
HIDDEN = ("flops", "flops_convention", "params_logged")  # compute is shown as its logarithm


def tool() -> str:
    """The control that says what the pointer does on the plane; returns its name."""
    chosen = st.segmented_control(
        "Pick runs by",
        list(TOOLS),
        default="Click",
        required=True,
        key="tool",
        label_visibility="collapsed",
        persist_state="session",
    )
    return str(chosen or "Click")


def chart(runs: Runs, with_tool: str) -> None:
    """The plane; what is picked on it is set aside, or taken back when all of it was set aside by hand."""
    st.plotly_chart(
        plane.figure(runs.kept, runs.set_aside, drag=TOOLS[with_tool]),
        key="plane",
        on_select=_picked,
        selection_mode=("points", "lasso", "box"),
        config=CHART,
        alt=f"{plural(len(runs), 'run')} by model size and training tokens, coloured by loss",
    )


def _picked() -> None:
    points = st.session_state["plane"]["selection"]["points"]
    names = {str(point["customdata"][0]) for point in points if point.get("customdata")}
    _toggle(names)


def _toggle(names: Iterable[str]) -> None:
    """Set the named runs aside; where none of them is kept, take back those that the person set aside."""
    read = state.reading()
    if read.runs is None or not names:
        return
    picked = set(names)
    kept = [run for run in read.runs.kept["run"] if run in picked]
    mine = [run for run in state.excluded() if run in picked]
    if kept:
        state.exclude(kept)
    elif mine:
        state.include(mine)
    else:
        reasons = read.runs.set_aside.set_index("run")["reason"]
        why = next((str(reasons[run]) for run in picked if run in reasons.index), "")
        marked = why and read.table is not None and bool(exclusions(read.table))
        back = "see Set aside below for what can be brought back" if marked else "so it cannot be included"
        by = "the file" if marked else "its own values"
        state.say(f"Set aside by {by} ({why}), {back}." if why else "Nothing was picked.")


# The table's input stays what it was when the table was first shown, and edits are applied to the exclusions beside it:
# a table fed with its own result loses every second edit. It starts anew when exclusions change from elsewhere.


def table(every: Runs) -> None:
    """Every run that can be used, with a tick for those that are."""
    aside = set(state.excluded())
    start, key = _edition(every, aside)
    frame = every.kept
    shown = pd.DataFrame({"use": ~frame["run"].isin(start), "run": frame["run"].astype(str)})
    for column in every.columns:
        if column not in ("run", *HIDDEN):
            shown[column] = frame[column]
    if "flops" in frame:
        with np.errstate(divide="ignore", invalid="ignore"):
            shown["log10 FLOP"] = np.log10(frame["flops"].to_numpy(dtype="float64"))
    st.data_editor(
        shown,
        key=key,
        hide_index=True,
        disabled=[column for column in shown if column != "use"],
        column_config=_formats(shown),
        on_change=_ticked,
        args=(key, tuple(frame["run"])),
        height=min(460, 38 + 35 * max(1, len(shown))),
        alt="Runs and whether each is used",
    )


def _edition(every: Runs, aside: set[str]) -> tuple[set[str], str]:
    """What was set aside when the table was first shown like this, and the table's key."""
    held = st.session_state.setdefault("table", {"of": "", "start": [], "number": 0})
    start = set(held["start"])
    edits = st.session_state.get(f"table-{held['number']}", {}).get("edited_rows", {})
    names = list(every.kept["run"])
    for row, edit in edits.items():
        if "use" in edit and int(row) < len(names):
            (start.discard if edit["use"] else start.add)(names[int(row)])
    if held["of"] != every.digest or start != aside & set(names):
        held = {"of": every.digest, "start": sorted(aside & set(names)), "number": held["number"] + 1}
        st.session_state["table"] = held
    return set(held["start"]), f"table-{held['number']}"


def _ticked(key: str, names: tuple[str, ...]) -> None:
    start = set(st.session_state["table"]["start"])
    wanted = {name: name not in start for name in names}
    for row, edit in st.session_state[key]["edited_rows"].items():
        if "use" in edit and 0 <= int(row) < len(names):
            wanted[names[int(row)]] = bool(edit["use"])
    aside = set(state.excluded())
    out = [name for name, use in wanted.items() if not use and name not in aside]
    back = [name for name, use in wanted.items() if use and name in aside]
    if out:
        state.exclude(out)
    if back:
        state.include(back)


def set_aside(runs: Runs) -> None:
    """The rows that are not used and why, read only."""
    columns = ["reason", *(c for c in runs.columns if c not in HIDDEN)]
    shown = runs.set_aside[[c for c in columns if c in runs.set_aside]]
    st.dataframe(shown, hide_index=True, column_config=_formats(shown), alt="Rows set aside, each with its reason")


def _formats(shown: pd.DataFrame) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in shown:
        column = COLUMNS.get(name)
        if name == "use":
            made[name] = st.column_config.CheckboxColumn("Use", width="small", pinned=True)
        elif name == "log10 FLOP":
            made[name] = st.column_config.NumberColumn("log₁₀ FLOP", format="%.2f")
        elif column is None or column.kind == "text":
            made[name] = st.column_config.TextColumn(name.capitalize() if name in ("run", "reason") else word(name))
        else:
            counted = column.unit.startswith(("parameters", "tokens")) or name in ("steps", "total_steps", "vocab")
            form = "compact" if counted else "%.4f" if name == "loss" else "%.4g"
            made[name] = st.column_config.NumberColumn(word(name), format=form, help=column.unit or None)
    return made
