"""Forecast test: the largest runs left out and forecast, so that a person sees what a forecast of this fit is worth."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.charts import forecast as chart
from dashboard.fit import analyses as fit_analyses
from dashboard.html_table import row, table
from dashboard.symbols import input_title, output_kind
from data.schema import Runs
from fitting import Fit, FitError
from fitting.forecast import Backtest, Cut, backtest
from fitting.held_out import HeldOut

MOST_HELD = 50  # runs held out that are listed


def panel(fit: Fit, runs: Runs) -> None:
    """The runs held out beside their forecasts; then the sentence, the picture of forecast against what came, and one row for
    each time the largest runs were left out."""
    apart = fit_analyses.held_out(fit, state.whole_runs())
    if apart is not None:
        widgets.section("Runs held out", "forecast by this fit, which was made without them")
        _held_out(apart)
    widgets.section("Would it have forecast your largest runs?", "each time fitted to the smaller runs alone")
    found = state.derived(_tested, fit, runs)
    if isinstance(found, FitError):
        widgets.quiet(str(found))
        return
    st.html(f'<p class="iso-under">{escape(found.sentence)}</p>')
    shown = above(found, state.true_floor())
    st.plotly_chart(chart.figure(shown), config=widgets.PLOT, key="forecast_test")
    splits = not fit.law.own_columns
    heads = (
        "fitted up to",
        "runs fitted",
        "runs forecast",
        "furthest",
        "median error",
        "in the interval",
        *["regret"] * splits,
    )
    st.html(table(heads, (_row(c, splits) for c in found.cuts)))
    regret = (
        " Regret is how much higher the loss at your largest budget would be with the best "
        "model size of the smaller fit, by the fit to all runs: a good forecast of the loss does not guarantee a good split."
    )
    widgets.quiet(
        f"Intervals are {100 * found.level:.0f} %.{regret if splits else ''}",
        *(["The intervals drawn are cut at the true floor of this language."] if shown is not found else []),
    )


def _held_out(apart: HeldOut) -> None:
    rows = apart.to_frame().head(MOST_HELD).to_dict("records")
    of = escape(input_title(apart.output).lower())
    level = f"{100 * apart.forecast.level:.0f} % interval"
    heads = (
        "run",
        "compute / largest run fitted",
        of,
        "forecast",
        level,
        f"{of} above forecast",
        "in the interval",
    )
    st.html(table(heads, (_held_row(held, apart.output) for held in rows)))
    if len(apart.runs) > MOST_HELD:
        widgets.quiet(f"The first {MOST_HELD} of {len(apart.runs):,} are listed; Runs with residuals, below, has all.")


def _held_row(held: dict[str, Any], of: str) -> str:
    kind = output_kind(of)
    value, _ = numbers.with_interval(held["forecast"], held["low"], held["high"], kind)
    drawn = bool(np.isfinite(held["low"]))
    cells = (
        f"{numbers.ratio(held['beyond'])}x" if np.isfinite(held["beyond"]) else numbers.MISSING, numbers.say(held[of], kind), value,
        numbers.interval(held["low"], held["high"], kind) if drawn else "", f"{100 * held['off']:+.1f} %",
        ("yes" if held["inside"] else "no") if drawn else "",
    )  # fmt: skip
    return row(map(escape, cells), escape(held["run"]))


def above(found: Backtest, floor: float | None) -> Backtest:
    """The same test with no interval under a known floor; itself where none reaches there."""
    if floor is None or not any(np.any(np.asarray(c.forecast.low) < floor) for c in found.cuts):
        return found
    return replace(found, cuts=tuple(replace(c, forecast=c.forecast.above(floor)) for c in found.cuts))


def _tested(fit: Fit, runs: Runs) -> object:
    return backtest(fit, runs)


def _row(c: Cut, splits: bool) -> str:
    regret = "" if c.regret is None else f"{100 * c.regret:.2f} %"
    cells = (
        str(c.seen), str(len(c.actual)), f"{numbers.ratio(float(c.beyond.max()))}x", f"{100 * c.error:.1f} %",
        f"{c.covered} of {len(c.actual)}", *[regret] * splits,
    )  # fmt: skip
    return row(cells, escape(chart.up_to(c)))
