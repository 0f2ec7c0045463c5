"""Which law: all that these runs allow, by forecast and by AICc, and the fitted one against papers' constants."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.fit import tabs as fit_tabs
from data.schema import Runs
from fitting import Fit, FitError
from fitting.plural import plural
from fitting.selection.compare_laws import Score, compare_laws
from fitting.selection.published_constants import against_papers


def panel(fit: Fit, runs: Runs) -> None:
    """The sentence and table of the comparison, then what the papers' constants make of these runs."""
    fit_tabs.section("Which law?", "each fitted to the smaller runs and tried on the largest")
    found = state.derived(_compared, fit, runs, fit.settings.delta)
    if isinstance(found, FitError):
        widgets.quiet(str(found))
    else:
        st.html(f'<p class="iso-under">{escape(found.sentence)}</p>{_table(found.scores, fit.law_key)}')
        widgets.quiet(
            f"Held out: {plural(found.held_out, 'run')} from {numbers.flop(found.cut)} FLOP on; "
            f"the frontier {'is' if found.best_held_out == 1 else 'are'} the {found.best_held_out} of them that no cheaper run beats. "
            "The miss is the median over them. AICc is over the lowest among laws of the same runs; "
            "laws of the best loss at a budget see only the runs that no cheaper one beats, so only their forecast compares."
        )
    tests = state.derived(against_papers, fit, runs)
    if not isinstance(tests, FitError) and tests:
        fit_tabs.section("Against the papers", "could these runs come from a law with a paper's constants?")
        rows = "".join(
            f'<tr><th scope="row">{escape(t.paper)}<p>{escape(t.sentence)}</p></th><td>{_statistic(t.ratio)}</td>'
            f"<td>{_statistic(t.wald)}</td><td>{t.freedom}</td></tr>"
            for t in tests
        )
        st.html(
            '<div class="iso-scroll"><table class="iso-table"><thead><tr><th scope="col"></th><th scope="col">likelihood ratio</th>'
            f'<th scope="col">χ² by resampling</th><th scope="col">parameters</th></tr></thead><tbody>{rows}</tbody></table></div>'
        )
        widgets.quiet(
            "Both as in Besiroglu et al. 2024, arXiv 2404.10102: chi-squared with one degree of freedom a parameter."
        )


def _compared(fit: Fit, runs: Runs, delta: float) -> object:
    return compare_laws(runs, delta, fit.law.output.column)


def _table(scores: tuple[Score, ...], chosen: str) -> str:
    heads = "".join(
        f'<th scope="col">{escape(h)}</th>' for h in ("", "miss", "AICc", "on the frontier", "runs", "parameters")
    )
    rows = []
    for s in scores:
        name = f'<th scope="row">{escape(s.title)}{" (fitted)" if s.key == chosen else ""}'
        here = ' class="iso-here"' if s.key == chosen else ""
        if s.reason:
            rows.append(f'<tr{here}>{name}</th><td class="iso-why" colspan="5">{escape(s.reason)}</td></tr>')
            continue
        aicc = numbers.MISSING if s.aicc is None else "lowest" if s.aicc == 0 else f"+{s.aicc:,.0f}"
        rows.append(
            f"<tr{here}>{name}</th><td>{_miss(s.error)}</td><td>{aicc}</td><td>{_miss(s.best_error)}</td><td>{s.runs:,}</td>"
            f"<td>{s.params}</td></tr>"
        )
    return (
        f'<div class="iso-scroll"><table class="iso-table"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div>"
    )


def _miss(share: float | None) -> str:
    return numbers.MISSING if share is None else numbers.percent(share)


def _statistic(value: float | None) -> str:
    return numbers.MISSING if value is None else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"
