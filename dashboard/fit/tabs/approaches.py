"""Do three ways to the best size agree? Envelope, IsoFLOP profiles and the law, at one budget (Hoffmann et al. 2022)."""

from __future__ import annotations

import math
from html import escape

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.charts import isoflop
from dashboard.fit import analyses as fit_analyses
from dashboard.html_table import row, table
from dashboard.plan import state as plan_state
from data.cells.values import number
from data.schema import Runs
from fitting import Band, Fit
from fitting.isoflop import Approach, Comparison
from fitting.planning.planner import LEAST_FLOPS, MOST_FLOPS

CURVES = {"Parabola": "quadratic", "Akima": "akima"}
COLUMNS = (
    ("params", "Best size", "count"),
    ("tokens", "Tokens", "count"),
    ("tokens_per_param", "Tokens per parameter", "ratio"),
    ("loss", "Loss", "loss"),
    ("a", "Best size grows as C to the", "ratio"),
)
MOST_LISTED = 200


def panel(fit: Fit, runs: Runs) -> None:
    """The sentence, the table at the budget, the profiles with their lowest points, and the best size by each approach."""
    widgets.section("Three ways to the best size", "Approaches 1, 2 and 3 of Hoffmann et al. 2022, arXiv 2203.15556")
    if "flops" not in fit.ranges:
        widgets.trouble("These runs have no compute to split.", "Map a column of FLOPs, or of parameters and tokens.")
        return
    at = plan_state.budget(fit)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.session_state["approaches_budget"] = numbers.flop(10**at)  # also after the budget moved elsewhere
        st.text_input("Budget, FLOP", key="approaches_budget", on_change=_keep, width=160)
        curve = st.segmented_control(
            "Curve of a profile", list(CURVES), default="Parabola", key="approaches_curve", required=True,
            bind="query-params",
            help="A parabola in log N (Hoffmann et al. 2022) is steady and biased where the valley is lopsided. Akima's local "
            "cubic (Porian et al. 2024, arXiv 2406.19146) follows the valley and its noise.",
        )  # fmt: skip
    found = fit_analyses.current_approaches(fit, at, CURVES[curve or "Parabola"])
    refused = found.rows[1].note if found.rows[1].params is None else ""
    st.html(f'<p class="iso-lead">{escape(refused or found.sentence)}</p>')
    if refused:
        widgets.quiet(found.sentence)
    st.html(_table(found))
    left, right = st.columns(2, gap="large") if found.shown else (None, st.container())
    if left is not None:
        left.plotly_chart(isoflop.profiles(found), config=widgets.PLOT, key="isoflop_profiles")
    if any(r.params is not None for r in found.rows):
        right.plotly_chart(isoflop.frontier(found, fit), config=widgets.PLOT, key="isoflop_frontier")
    widgets.quiet(*_notes(found))
    _left_out(found)


def _keep() -> None:
    asked = number(str(st.session_state["approaches_budget"]))
    if LEAST_FLOPS <= asked <= MOST_FLOPS:
        plan_state.set_budget(math.log10(asked))
    else:
        state.say(f"A budget is a number of FLOP between {LEAST_FLOPS:.0e} and {MOST_FLOPS:.0e}, such as 1e21.")


def _table(found: Comparison) -> str:
    heads = (f"At {numbers.flop(found.flops)} FLOP", *(escape(title) for _, title, _ in COLUMNS))
    return table(heads, map(_row, found.rows), "iso-approaches")


def _row(one: Approach) -> str:
    return row((_cell(getattr(one, name), kind) for name, _, kind in COLUMNS), escape(one.title))


def _cell(band: Band | None, kind: str) -> str:
    if band is None:
        return numbers.MISSING
    value, interval = numbers.with_interval(band.value, band.low, band.high, kind)
    return f"<b>{value}</b><small>{interval}</small>"


def _notes(found: Comparison) -> list[str]:
    """What a reader of the table should know: each approach's own remark, then what the profiles and the envelope say."""
    return [
        *(f"Approach {r.key}: {r.note}" for r in found.rows if r.note and (r.key != "2" or r.params is not None)),
        *(found.found.notes if found.found is not None else ()),
        *(found.curve.notes[1:] if found.curve is not None else ()),
    ]


def _left_out(found: Comparison) -> None:
    """The runs in no profile, each with its reason."""
    if not found.left_out:
        return
    with st.expander(f"Runs in no profile: {len(found.left_out):,}"):
        lines = "".join(f"<dt>{escape(r.run)}</dt><dd>{escape(r.reason)}</dd>" for r in found.left_out[:MOST_LISTED])
        st.html(f'<dl class="iso-terms">{lines}</dl>')
        if len(found.left_out) > MOST_LISTED:
            widgets.quiet(f"And {len(found.left_out) - MOST_LISTED:,} more.")
