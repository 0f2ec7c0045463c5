"""Setting runs aside or holding them out, and taking them back: by a click or a lasso on the plane, and in the table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.charts import plane
from dashboard.runs.column_mapper import word
from data.schema import COLUMNS, FITTED, HELD_OUT, Runs
from data.states.exclusions import exclusions
from fitting.plural import plural

TOOLS = {"Click": "pan", "Lasso": "lasso", "Box": "select"}
MARKS = {
    "Set aside": "No fit uses a run that is set aside.",
    "Hold out": "No fit uses a run that is held out; forecasts are compared with it.",
}
HINTS = {
    ("Click", "Set aside"): "Click a run to set it aside, a hollow one to take it back.",
    ("Lasso", "Set aside"): "Draw around runs to set them aside, around hollow ones to take them back.",
    ("Box", "Set aside"): "Drag a box over runs to set them aside, over hollow ones to take them back.",
    ("Click", "Hold out"): "Click a run to hold it out of fits, a diamond to fit it again.",
    ("Lasso", "Hold out"): "Draw around runs to hold them out of fits, around diamonds to fit them again.",
    ("Box", "Hold out"): "Drag a box over runs to hold them out of fits, over diamonds to fit them again.",
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


def mark() -> str:
    """The control that says what becomes of the runs picked; returns its name."""
    chosen = st.segmented_control(
        "Runs picked",
        list(MARKS),
        default="Set aside",
        required=True,
        key="mark",
        help=" ".join(MARKS.values()),
        label_visibility="collapsed",
        persist_state="session",
    )
    return str(chosen or "Set aside")


def hint(tool: str, mark: str) -> str:
    """What the pointer does on the plane."""
    return HINTS[tool, mark]


def chart(whole: Runs, with_tool: str) -> None:
    """The plane; what is picked on it is set aside or held out, or taken back where all of it was before."""
    st.plotly_chart(
        plane.figure(whole.kept, whole.set_aside, drag=TOOLS[with_tool]),
        key="plane",
        on_select=_picked,
        selection_mode=("points", "lasso", "box"),
        config=CHART,
        alt=f"{plural(len(whole), 'run')} by model size and training tokens, coloured by loss",
    )


def _picked() -> None:
    points = st.session_state["plane"]["selection"]["points"]
    names = {str(point["customdata"][0]) for point in points if point.get("customdata")}
    if st.session_state.get("mark") == "Hold out":
        _hold_out(names)
    else:
        _toggle(names)


def _hold_out(names: Iterable[str]) -> None:
    """Hold the named runs out; where all of them are held out, fit them again. Those set aside stay so."""
    whole = state.reading().whole
    if whole is None or not names:
        return
    picked = [run for run in whole.kept["run"] if run in set(names)]
    held = set(whole.held_out["run"])
    fitted = [run for run in picked if run not in held]
    if picked:
        state.hold_out(fitted or picked, bool(fitted))
    else:
        state.say("A run that is set aside cannot be held out. Take it back first.")


def _toggle(names: Iterable[str]) -> None:
    """Set the named runs aside; where none of them is kept, take back those that the person set aside."""
    read = state.reading()
    if read.whole is None or not names:
        return
    picked = set(names)
    kept = [run for run in read.whole.kept["run"] if run in picked]
    mine = [run for run in state.excluded() if run in picked]
    if kept:
        state.exclude(kept)
    elif mine:
        state.include(mine)
    else:
        reasons = read.whole.set_aside.set_index("run")["reason"]
        why = next((str(reasons[run]) for run in picked if run in reasons.index), "")
        marked = why and read.table is not None and bool(exclusions(read.table))
        back = "see Set aside below for what can be brought back" if marked else "so it cannot be included"
        by = "the file" if marked else "its own values"
        state.say(f"Set aside by {by} ({why}), {back}." if why else "Nothing was picked.")


# The table's input stays what it was when the table was first shown, and edits are applied to the exclusions beside it:
# a table fed with its own result loses every second edit. It starts anew when exclusions change from elsewhere.


def table(every: Runs) -> None:
    """Every run that can be used, with a tick for those that are, and its role in fits."""
    aside, held = set(state.excluded()), set(every.held_out["run"])
    (start, out), key = _edition(every, aside, held)
    frame = every.kept
    shown = pd.DataFrame({"use": ~frame["run"].isin(start), "run": frame["run"].astype(str)})
    shown["role"] = np.where(frame["run"].isin(out), HELD_OUT, FITTED)
    for column in every.columns:
        if column not in ("run", "role", *HIDDEN):
            shown[column] = frame[column]
    if "flops" in frame:
        with np.errstate(divide="ignore", invalid="ignore"):
            shown["log10 FLOP"] = np.log10(frame["flops"].to_numpy(dtype="float64"))
    st.data_editor(
        shown,
        key=key,
        hide_index=True,
        disabled=[column for column in shown if column not in ("use", "role")],
        column_config=_formats(shown),
        on_change=_ticked,
        args=(key, tuple(frame["run"])),
        height=min(460, 38 + 35 * max(1, len(shown))),
        alt="Runs and whether each is used",
    )


def _edition(every: Runs, aside: set[str], held: set[str]) -> tuple[tuple[set[str], set[str]], str]:
    """What was set aside and held out when the table was first shown like this, and the table's key."""
    shown = st.session_state.setdefault("table", {"of": "", "start": [], "held": [], "number": 0})
    start, out = set(shown["start"]), set(shown["held"])
    edits = st.session_state.get(f"table-{shown['number']}", {}).get("edited_rows", {})
    names, of = list(every.kept["run"]), every.hold_out(every.kept["run"], held=False).identity
    for row, edit in edits.items():
        if int(row) < len(names):
            _edited(edit, names[int(row)], start, out)
    if shown["of"] != of or start != aside & set(names) or out != held:
        before = {"start": sorted(aside & set(names)), "held": sorted(held)}
        shown = {"of": of, **before, "number": shown["number"] + 1}
        st.session_state["table"] = shown
    return (set(shown["start"]), set(shown["held"])), f"table-{shown['number']}"


def _edited(edit: dict[str, Any], name: str, aside: set[str], held: set[str]) -> None:
    """Bring what is set aside and held out up to one edited row."""
    if "use" in edit:
        (aside.discard if edit["use"] else aside.add)(name)
    if "role" in edit:
        (held.add if edit["role"] == HELD_OUT else held.discard)(name)


def _ticked(key: str, names: tuple[str, ...]) -> None:
    aside, held = set(st.session_state["table"]["start"]), set(st.session_state["table"]["held"])
    for row, edit in st.session_state[key]["edited_rows"].items():
        if 0 <= int(row) < len(names):
            _edited(edit, names[int(row)], aside, held)
    every = state.reading().every
    before, out = set(state.excluded()), set() if every is None else set(every.held_out["run"])
    for run_names, act in (
        ([n for n in names if n in aside - before], state.exclude),
        ([n for n in names if n in before - aside], state.include),
        ([n for n in names if n in held - out], state.hold_out),
        ([n for n in names if n in out - held], partial(state.hold_out, held=False)),
    ):
        if run_names:
            act(run_names)


def set_aside(runs: Runs) -> None:
    """The rows that are not used and why, read only."""
    columns = ["reason", *(c for c in runs.columns if c not in HIDDEN)]
    shown = runs.set_aside[[c for c in columns if c in runs.set_aside]]
    st.dataframe(shown, hide_index=True, column_config=_formats(shown), alt="Rows set aside, each with its reason")


def _formats(shown: pd.DataFrame) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in shown:
        column = COLUMNS.get(name)
        if name == "role":
            made[name] = st.column_config.SelectboxColumn(
                "Role", options=[FITTED, HELD_OUT], required=True, width="small", help=MARKS["Hold out"]
            )
        elif name == "use":
            made[name] = st.column_config.CheckboxColumn("Use", width="small", pinned=True)
        elif name == "log10 FLOP":
            made[name] = st.column_config.NumberColumn("log₁₀ FLOP", format="%.2f")
        elif column is None and pd.api.types.is_numeric_dtype(shown[name]):
            made[name] = st.column_config.NumberColumn(word(name), format="%.4g")
        elif column is None or column.kind == "text":
            made[name] = st.column_config.TextColumn(name.capitalize() if name in ("run", "reason") else word(name))
        else:
            counted = column.unit.startswith(("parameters", "tokens")) or name in ("steps", "total_steps", "vocab")
            form = "compact" if counted else "%.4f" if name == "loss" else "%.4g"
            made[name] = st.column_config.NumberColumn(word(name), format=form, help=column.unit or None)
    return made
