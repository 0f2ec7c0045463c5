"""How the fit was computed: settings, objective and digest."""

from __future__ import annotations

import math
from html import escape

import streamlit as st

from dashboard import numbers
from dashboard.fit import words as fit_words
from dashboard.symbols import input_symbol
from fitting import Fit

PRIORS = {
    "none": "none: your runs alone",
    "published": "published sweeps of language models; each of your runs has weight 1/4",
}


def terms(fit: Fit) -> None:
    """How the fit was computed: settings, objective and digest, as a list of terms."""
    s = fit.settings
    delta = "least squares" if math.isinf(s.delta) else f"{s.delta:g}"
    delta += " (1.345 times the robust spread of the residuals)" if s.delta_rule == "auto" else ""
    ranges = "; ".join(
        f"{input_symbol(name)} {numbers.say(low, kind)} to {numbers.say(high, kind)}"
        for name, (low, high) in fit.ranges.items()
        if (
            kind := {"params": "count", "tokens": "count", "flops": "flop"}.get(
                name, "ratio" if fit.law.own_columns else ""
            )
        )
    )
    a = fit.accounting
    counted = "" if a.is_six_nd else f", {a.ratio(math.exp(a.centre)):.3g} times 6ND at the middle size"
    said = {
        "Data": f"{fit.table}: {fit.n:,} runs fitted; {ranges}",
        "Digest": f"sha256 {fit.digest}",
        "Law": f"{fit.law.title}; {s.law_reason}",
        "Objective": f"{s.objective}, delta {delta}: {fit.objective:.10g}",
        "Prior": PRIORS[s.prior],
        "Search": f"{s.starts} starts, each to a certified optimum; exact derivatives",
        "Intervals": f"{s.resamples:,} refits, {fit_words.drawn(s)}, seed {s.seed}; the middle 95 %",
        "Reason": s.intervals_reason or "not recorded",
        "Parameters are": s.count,
        "FLOPs are": s.flops_convention + counted,
        "Excluded by you": _named(s.excluded),
        "Held out": _named(s.held_out),
    }
    if "flops" not in fit.ranges and fit.law.own_columns:
        del said["FLOPs are"], said["Parameters are"]
    body = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in said.items())
    st.html(f'<dl class="iso-terms">{body}</dl>')


def _named(runs: tuple[str, ...]) -> str:
    return ", ".join(runs[:50]) + (" …" if len(runs) > 50 else "") or "none"
