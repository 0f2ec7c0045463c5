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


def answer(fit: Fit, apart: HeldOut | None = None) -> None:
    """The page's sentence and the lines under it; `apart` are the runs held out, beside their forecasts."""
    lines = [fit_words.under(fit), *([apart.sentence] if apart else [])]
    under = "".join(f'<p class="iso-under">{escape(line)}</p>' for line in lines)
    st.html(f'<h1 class="iso-answer">{fit_words.answer(fit)}</h1>{under}')


def tabs(fit: Fit, runs: Runs) -> None:
    """The tabs, with the open one's panel."""
    for tab, file in zip(st.tabs(list(TABS), key="tab", bind="query-params"), TABS.values(), strict=True):
        if tab.open:
            with tab:
                import_module(f"{__name__}.{file}").panel(fit, runs)
