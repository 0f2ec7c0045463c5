"""The constants: what these runs say, beside what each paper published for its own runs."""

from __future__ import annotations

import math
from html import escape

import streamlit as st

from dashboard import numbers, widgets
from dashboard.charts import forest
from dashboard.fit import words as fit_words
from dashboard.fit.tabs import calibrated
from dashboard.html_table import row, table
from dashboard.symbols import input_symbol, symbol
from data.schema import Runs
from fitting import Fit
from fitting.export.latex import equation, formula


def panel(fit: Fit, runs: Runs) -> None:
    """The law as a formula, its parameter table, and each exponent's interval beside the papers' own as a picture."""
    aside = "with each paper's own, for its own runs and tokens: compare exponents, not floors"
    widgets.section("The constants", aside if fit.law.published else "")
    table, picture = st.columns([6, 4], gap="large")
    with table:
        with st.container(horizontal=True, gap="medium"):
            st.latex(equation(fit.law), width="content")
            st.latex(formula(fit), width="content")
        _table(fit)
        _terms(fit)
        _sources(fit)
    with picture:
        for p in forest.drawn(fit):
            st.plotly_chart(forest.figure(fit, p.name), config={"displayModeBar": False}, key=f"forest_{p.name}")
    calibrated.panel(fit)


def _table(fit: Fit) -> None:
    """The parameter table: what these runs say, with its interval, beside what each paper published for its own runs."""
    papers = fit.law.published
    heads = [f'<th scope="col" class="iso-paper">{escape(pub.paper)}</th>' for pub in papers]
    rows = []
    for fitted in fit.summary().to_dict("records"):
        p = fit.law.param(fitted["name"])
        value, interval = fit_words.said(fit, p.name)
        cells = [_paper_cell(pub.values[p.name], fitted["low"], fitted["high"]) for pub in papers]
        unit = f" <small>{escape(p.unit)}</small>" if p.unit else ""
        name = f"<b>{symbol(p)}</b>{unit}<p>{escape(p.meaning)}</p>"
        rows.append(row((f'<td class="iso-value">{value}</td>', interval, *cells), name))
    st.html(table(("", "These runs", "95 %", *heads), rows))


def _terms(fit: Fit) -> None:
    """What each term contributes at the middle of the runs: known far better than the weight alone."""
    rows = []
    for term in fit.terms().to_dict("records"):
        p = fit.law.param(term["name"])
        if p.name in fit.unidentified:
            continue
        assert p.anchor is not None
        value, interval = numbers.with_interval(term["value"], term["low"], term["high"], "loss")
        kinds = {"params": "count", "tokens": "count"}
        where = f"{input_symbol(p.anchor.input)} = {numbers.say(term['at'], kinds.get(p.anchor.input, 'flop'))}"
        where += "".join(f", {input_symbol(x)} at its middle" for x, _ in p.anchor.more)
        shared = (
            f"; {symbol(p)} and its exponent are not separately identified, correlation {term['correlation']:.4f}"
            if abs(term["correlation"]) > 0.9
            else ""
        )
        name = f"Term of {symbol(p)} at <i>{escape(where)}</i><p>{term['unit']} at the middle of these runs{shared}</p>"
        rows.append(row((f'<td class="iso-value">{value}</td>', interval), name))
    if rows:
        st.html(table(('<th scope="row">What each term adds</th>', "These runs", "95 %"), rows))


def _paper_cell(value: float, low: float, high: float) -> str:
    inside = math.isfinite(low) and low <= value <= high
    return f'<td class="iso-paper">{_published(value)}{"<small>inside</small>" if inside else ""}</td>'


def _published(value: float) -> str:
    """A paper's constant, as far as papers print them."""
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return numbers.flop(value)


def _sources(fit: Fit) -> None:
    """Where the law and its published constants come from."""
    lines = [f"<li>{escape(fit.law.title)}: {escape(fit.law.cite)}.</li>"]
    for pub in fit.law.published:
        note = f" {escape(pub.note)}" if pub.note else ""
        lines.append(f"<li>{escape(pub.paper)}: {escape(pub.source)}.{note}</li>")
    st.html(f'<ul class="iso-sources">{"".join(lines)}</ul>')
