"""What the small panels of a sweep show: the held-out loss, another column of the logs, or each run's noise scale against its loss."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import numbers, widgets
from dashboard.probe import noise, payload
from dashboard.probe.watching import ORDER, Run, Sweep
from data.probe.columns import Column, column

if TYPE_CHECKING:
    from fitting.in_flight import InFlight

LOSS, NOISE = "loss", "noise scale"
TITLES = {LOSS: "Held-out loss", NOISE: "Noise scale against loss"}
ACROSS = ("step", "tokens")  # which are what others are drawn against
DECADE = 10.0  # values that span more are on a logarithmic axis
Panels = list[dict[str, Any]]


def offered(sweep: Sweep) -> dict[str, str]:
    """What can be drawn of a sweep, each with its title: the loss first, then what its logs hold numbers of."""
    ends = [row for run in sweep.runs if run.rows for row in (run.rows[len(run.rows) // 2], run.rows[-1])]
    held = dict.fromkeys(name for row in ends for name, value in row.items() if _number(value) and name not in ACROSS)
    known = {name: found for name in held if (found := column(name)) is not None}
    noisy = {NOISE: TITLES[NOISE]} if any(noise.tells(row) for row in ends) else {}
    return {LOSS: TITLES[LOSS], **noisy, **{name: titled(name, one) for name, one in known.items() if name != LOSS}}


def titled(name: str, what: Column) -> str:
    """A column in the menu: its name in words, and its unit."""
    said = name.replace("_", " ")
    return f"{said[:1].upper()}{said[1:]}" + (f", {what.unit}" if what.unit else "")


def menu(sweep: Sweep) -> str:
    """The menu of what the panels show, with what that is; returns the column, `LOSS` or `NOISE`."""
    options = offered(sweep)
    if len(options) < 2:
        return LOSS
    shown = st.selectbox(
        "Curves show", list(options), format_func=lambda name: options.get(name, str(name)), key="probe_curves",
        persist_state="session", width=340, help="Any number of the runs' logs.",
    )  # fmt: skip
    chosen = shown if shown in options else LOSS
    what = column(chosen) if chosen != LOSS else None
    if what is not None:
        widgets.quiet(f"{chosen}: {what.meaning}.")
    if chosen == NOISE:
        noise.legend(sweep, payload.MOST_PANELS)
    return chosen


def curves(sweep: Sweep, told: Mapping[str, InFlight], chosen: str, most: int = payload.MOST_PANELS) -> Panels:
    """A panel for each of the first runs, of what was chosen."""
    if chosen == LOSS:
        return payload.curves(sweep, told, most)
    if chosen == NOISE:
        return noise.panels(sweep, most)
    drawn = {run.key: pairs(run, chosen) for run in sweep.runs}
    first = [run for run in sorted(sweep.runs, key=lambda run: ORDER.index(run.state)) if drawn[run.key]][:most]
    if not first:
        return []
    everything = [pair for each in drawn.values() for pair in each]
    xs, ys = [x for x, _ in everything], [y for _, y in everything]
    what = column(chosen)
    title = titled(chosen, what) if what else chosen
    across = {"label": "Tokens", "log": True, "kind": "count", "range": payload.apart([min(xs), max(xs)])}
    up = {"label": title, **axis(ys)}
    behind = [{"kind": "context", **payload.xy(each)} for each in drawn.values() if each]
    return [
        {
            "key": run.key, "title": run.label, "words": said(drawn[run.key][-1][1], what), "tone": payload.tone(run, told.get(run.key)),
            "said": f"{title} of {run.label} against tokens, last {said(drawn[run.key][-1][1], what)}", "wide": False, "height": 150,
            "x": across, "y": up,
            "series": [*behind, {"kind": "line", **payload.xy(drawn[run.key]), "said": _pointed(run, drawn[run.key], what)}],
        }
        for run in first
    ]  # fmt: skip


def pairs(run: Run, name: str) -> list[tuple[float, float]]:
    """Tokens and a column's value, in order."""
    return [
        (float(row["tokens"]), float(row[name]))
        for row in run.rows
        if _number(row.get(name)) and _number(row.get("tokens")) and row["tokens"] > 0
    ]


def axis(values: Sequence[float]) -> dict[str, Any]:
    """The axis that values are drawn on: logarithmic where all are above zero and span more than a decade."""
    low, high = min(values), max(values)
    log = low > 0 and high > DECADE * low
    kind = "count" if high >= 1000 else "ratio"
    if not high > low:
        room = 0.1 * abs(high) or 1.0
        low, high = low - room, high + room
    return {"log": log, "kind": kind, "range": [low, high]}


def said(value: float, what: Column | None) -> str:
    """A value with its unit."""
    text = numbers.count(value) if value >= 1000 else numbers.ratio(value)
    return f"{text} {what.unit}" if what is not None and what.unit else text


def _pointed(run: Run, drawn: Iterable[tuple[float, float]], what: Column | None) -> list[str]:
    return [f"{run.label}\n{said(y, what)} at {numbers.count(x)} tokens" for x, y in payload.thin(list(drawn))]


def _number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)
