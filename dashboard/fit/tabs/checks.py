"""Diagnostics, the checks of a fit: those that need attention first, with what to do, then those that pass.

HTML with each text escaped: checks name runs, and runs' names are a stranger's text.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import widgets
from data.schema import Runs
from fitting import Fit, Verdict

STATES = {"pass": ("passes", "✓", "ok"), "caution": ("caution", "!", "note"), "fail": ("fails", "✕", "fail")}
ORDER = ("fail", "caution")


def panel(fit: Fit, runs: Runs) -> None:
    """The status in a sentence, and every check with what was found."""
    widgets.section("Diagnostics", fit.status.sentence)
    open_ones = "".join(_check(v) for state in ORDER for v in fit.verdicts if v.state == state)
    passed = "".join(_check(v) for v in fit.verdicts if v.state == "pass")
    st.html("".join(f'<ul class="iso-checks">{items}</ul>' for items in (open_ones, passed) if items))


def _check(v: Verdict) -> str:
    word, sign, tone = STATES[v.state]
    todo = f'<p class="iso-todo">{escape(v.todo)}</p>' if v.todo else ""
    return (
        f'<li class="iso-check iso-{tone}"><span class="iso-sign" aria-hidden="true">{sign}</span>'
        f"<div><h4>{escape(v.title)}<span>{word}</span></h4><p>{escape(v.sentence)}</p>{todo}</div></li>"
    )
