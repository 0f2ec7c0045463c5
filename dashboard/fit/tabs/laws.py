"""Which law: all that these runs allow, by forecast and by AICc, and the fitted one against papers' constants."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.html_table import row, table
from data.schema import Runs
from fitting import Fit, FitError
from fitting.selection.compare_laws import Score, compare_laws
from fitting.selection.published_constants import against_papers


def panel(fit: Fit, runs: Runs) -> None:
    """The sentence and table of the comparison, then what the papers' constants make of these runs."""
    widgets.section("Which law?", "each fitted to the smaller runs and tested on the largest")
    found = state.derived(_compared, fit, runs, fit.settings.delta)
    if isinstance(found, FitError):
        widgets.quiet(str(found))
    else:
        st.html(f'<p class="iso-under">{escape(found.sentence)}</p>{_table(found.scores, fit.law_key)}')
        widgets.quiet(
            f"Tested on your {_largest(found.held_out)}, from {numbers.flop(found.cut)} FLOP on (laws of the frontier: on the "
            f"{found.best_held_out} that no cheaper run beats). Error is the median over the runs tested. AICc is relative to the lowest "
            "among laws of all runs; a law of the frontier is fitted to the frontier alone, so that only its forecast compares."
        )
    tests = state.derived(against_papers, fit, runs)
    if not isinstance(tests, FitError) and tests:
        widgets.section("Against published constants", "do these runs agree with a paper's constants?")
        rows = (
            row(
                (_statistic(t.ratio), _statistic(t.wald), str(t.freedom)),
                f"{escape(t.paper)}<p>{escape(t.sentence)}</p>",
            )
            for t in tests
        )
        st.html(table(("", "likelihood ratio", "χ² by resampling", "parameters"), rows))
        widgets.quiet(
            "Both as in Besiroglu et al. 2024, arXiv 2404.10102: chi-squared with one degree of freedom a parameter."
        )


def _largest(runs: int) -> str:
    return "largest run" if runs == 1 else f"{runs:,} largest runs"


def _compared(fit: Fit, runs: Runs, delta: float) -> object:
    return compare_laws(runs, delta, fit.law.output.column)


def _table(scores: tuple[Score, ...], chosen: str) -> str:
    rows = []
    for s in scores:
        here = s.key == chosen
        aicc = numbers.MISSING if s.aicc is None else "lowest" if s.aicc == 0 else f"+{s.aicc:,.0f}"
        cells = [_miss(s.error), aicc, _miss(s.best_error), f"{s.runs:,}", str(s.params)]
        if s.reason:
            cells = [f'<td class="iso-why" colspan="5">{escape(s.reason)}</td>']
        rows.append(row(cells, f"{escape(s.title)}{' (fitted)' if here else ''}", here))
    return table(("", "error", "AICc", "on the frontier", "runs", "parameters"), rows)


def _miss(share: float | None) -> str:
    return numbers.MISSING if share is None else numbers.percent(share)


def _statistic(value: float | None) -> str:
    return numbers.MISSING if value is None else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"
