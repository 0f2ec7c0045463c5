"""What stands below a fit's picture, one tab at a time.

A panel is one file here with one function `panel(fit, runs)`, and one line in `TABS`. The page imports the file and
calls the function only while its tab is open, so a closed tab costs nothing. The open tab is in the address (`?tab=`).
"""

from __future__ import annotations

from html import escape
from importlib import import_module

import streamlit as st

from dashboard.fit import words as fit_words
from data.schema import Runs
from fitting import Fit
from fitting.export.latex import formula
from fitting.held_out import HeldOut

#: The tabs from left to right: what each says, and the file of this folder that draws it.
TABS = {
    "Checks": "checks",
    "Constants": "constants",
    "Residuals": "residuals",
    "What if": "what_if",
    "Forecast test": "backtest",
    "Approaches": "approaches",
    "Laws": "laws",
}
#: The files that speak of any law; the others split a compute, or compare with published laws of the loss.
OF_ANY = ("checks", "constants", "residuals", "backtest")


def answer(fit: Fit, apart: HeldOut | None = None) -> None:
    """The page's sentence and the lines under it; `apart` are the runs held out, beside their forecasts."""
    lines = [fit_words.under(fit), *([apart.sentence] if apart else [])]
    under = "".join(f'<p class="iso-under">{escape(line)}</p>' for line in lines)
    st.html(f'<h1 class="iso-answer">{fit_words.answer(fit)}</h1>{under}')
    if fit.law.own_columns:  # which nobody knows by its title
        st.latex(formula(fit), width="content")


def tabs(fit: Fit, runs: Runs) -> None:
    """The tabs, with the open one's panel; those that a law with columns of its own has nothing for are not there."""
    shown = {title: file for title, file in TABS.items() if file in OF_ANY or not fit.law.own_columns}
    for tab, file in zip(st.tabs(list(shown), key="tab", bind="query-params"), shown.values(), strict=True):
        if tab.open:
            with tab:
                import_module(f"{__name__}.{file}").panel(fit, runs)
