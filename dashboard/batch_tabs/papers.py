"""Published laws of the critical batch beside what was measured here, in one unit, with how far they differ."""

from __future__ import annotations

import math
from html import escape

import streamlit as st

from dashboard import batch_panels, batch_state, fit_panels, numbers, state, widgets
from dashboard.batch_state import Sweep
from fitting.batch import PublishedLaw, published


def panel(sweep: Sweep) -> None:
    """One line a law: what it says where these runs are, what it means by critical, and where it was fitted."""
    fit_panels.section("Published laws of the critical batch", "tokens a step; constants hold for their own setups")
    name = batch_panels.leading(sweep)
    inputs = _inputs(sweep, name)
    length = 1.0 if sweep.unit == "tokens" else batch_state.seq_len()
    ours = sweep.found[name].b_crit
    values: list[float] = []
    rows = ""
    if math.isfinite(length) and 0 < ours.value < math.inf:
        values.append(ours.value * length)
        said, within = numbers.with_interval(ours.value * length, ours.low * length, ours.high * length, "count")
        rows += _row(
            "Measured here",
            f"<b>{escape(said)}</b><small>{escape(within)}</small>",
            "McCandlish's: twice the fewest steps.",
        )
    theirs = []
    for law in published("critical batch").values():
        if not set(law.inputs) <= set(inputs):
            continue
        value = float(law.tokens(**inputs))
        theirs.append(value)
        about = f"{_of(law, inputs)}. {law.note} {law.outside(**inputs)}"
        rows += _row(f"{law.paper}, {law.source}", f"<b>{escape(numbers.count(value))}</b>", about)
    if not theirs:
        widgets.quiet("These data tell neither the loss nor the size that published laws ask for.")
        return
    st.html(f'<table class="iso-table">{rows}</table>')
    low, high = min(values + theirs), max(values + theirs)
    lines = [
        f"They lie a factor of {high / low:,.2g} apart: they measure different things, on other text, sizes and optimisers."
    ]
    if sweep.unit != "tokens" and not values:
        lines.append(
            "What was measured here is in sequences of a length that the table does not tell, so it is not in this list."
        )
    widgets.quiet(*lines)


def _inputs(sweep: Sweep, name: str) -> dict[str, float]:
    out = {sweep.along: sweep.places[name]} if name in sweep.places else {}
    runs = state.reading().runs
    if "params" not in out and runs is not None and "params" in runs.kept and runs.kept["params"].nunique() == 1:
        out["params"] = float(runs.kept["params"].iloc[0])
    return {k: v for k, v in out.items() if math.isfinite(v) and v > 0}


def _of(law: PublishedLaw, inputs: dict[str, float]) -> str:
    said = {"loss": lambda v: f"at a loss of {v:.4g}", "params": lambda v: f"for {numbers.count(v)} parameters"}
    return " ".join(said.get(k, str)(inputs[k]) for k in law.inputs).capitalize()


def _row(name: str, value: str, about: str) -> str:
    return f'<tr><th scope="row">{escape(name)}<p>{escape(about.strip())}</p></th><td>{value}</td></tr>'
