"""What stands below a fit's picture: its checks, its constants beside the papers' own, and how it was computed.

Everything here is HTML with each text escaped: checks name runs, and runs' names are a stranger's text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from pathlib import Path

import streamlit as st

from dashboard import fit_words, numbers
from dashboard.fit_settings import DELTAS
from dashboard.symbols import input_symbol, symbol
from fitting import Fit, FitError, Verdict

STYLE = Path(__file__).parent / "static" / "fit.css"
STATES = {"ok": ("passes", "✓"), "note": ("note", "!"), "fail": ("fails", "✕")}
ORDER = ("fail", "note")


def answer(fit: Fit) -> None:
    """The page's sentence and the line under it."""
    st.html(
        f'<h1 class="iso-answer">{fit_words.answer(fit)}</h1><p class="iso-under">{escape(fit_words.under(fit))}</p>'
    )


def section(title: str, aside: str = "") -> None:
    """The heading of one part of the page, with a remark beside it."""
    st.html(f'<h2 class="iso-section">{escape(title)}{f"<small>{escape(aside)}</small>" if aside else ""}</h2>')


def checks(fit: Fit) -> None:
    """The checks: those that need attention as cards with what to do, then those that pass, each with what was found."""
    open_ones = "".join(_check(v) for state in ORDER for v in fit.verdicts if v.state == state)
    passed = "".join(_check(v) for v in fit.verdicts if v.state == "ok")
    st.html("".join(f'<ul class="iso-checks">{items}</ul>' for items in (open_ones, passed) if items))


def _check(v: Verdict) -> str:
    word, sign = STATES[v.state]
    todo = f'<p class="iso-todo">{escape(v.todo)}</p>' if v.todo else ""
    return (
        f'<li class="iso-check iso-{v.state}"><span class="iso-sign" aria-hidden="true">{sign}</span>'
        f"<div><h4>{escape(v.title)}<span>{word}</span></h4><p>{escape(v.sentence)}</p>{todo}</div></li>"
    )


def constants(fit: Fit) -> None:
    """The parameter table: what these runs say, with its interval, beside what each paper published for its own runs."""
    papers = fit.law.published
    heads = "".join(f'<th scope="col" class="iso-paper">{escape(pub.paper)}</th>' for pub in papers)
    rows = []
    for row in fit.summary().to_dict("records"):
        p = fit.law.param(row["name"])
        value, interval = fit_words.said(fit, p.name)
        cells = "".join(_paper_cell(pub.values[p.name], row["low"], row["high"]) for pub in papers)
        unit = f" <small>{escape(p.unit)}</small>" if p.unit else ""
        rows.append(
            f'<tr><th scope="row"><b>{symbol(p)}</b>{unit}<p>{escape(p.meaning)}</p></th>'
            f'<td class="iso-value">{value}</td><td>{interval}</td>{cells}</tr>'
        )
    st.html(
        f'<div class="iso-scroll"><table class="iso-table"><thead><tr><th scope="col"></th><th scope="col">These runs</th>'
        f'<th scope="col">95 %</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def sensitivity(fit: Fit, others: Mapping[float, Fit | FitError]) -> None:
    """What the exponents and the floor would be with another delta, in the digits that this fit's intervals allow."""
    law = fit.law
    shown = [p for i, p in enumerate(law.params) if i in law.shapes or p.is_floor]
    heads = "".join(f'<th scope="col">{symbol(p)}</th>' for p in shown)
    rows, moved = [], False
    for delta, other in others.items():
        here = delta == fit.settings.delta
        cells = []
        for p in shown:
            band = fit.interval(p.name)
            if isinstance(other, FitError):
                cells.append(f"<td>{numbers.MISSING}</td>")
                continue
            value = fit.params[p.name] if here else other.params[p.name]
            outside = math.isfinite(band.low) and not band.low <= value <= band.high
            moved |= outside
            said = numbers.with_interval(value, band.low, band.high, "loss" if p.is_floor else "ratio")[0]
            cells.append(f"<td>{said}{'*' if outside else ''}</td>")
        name = escape(DELTAS.get(delta, f"{delta:g}"))
        rows.append(
            f'<tr{" class=iso-here" if here else ""}><th scope="row">{name}{" (chosen)" if here else ""}</th>{"".join(cells)}</tr>'
        )
    note = "* outside the 95 % interval: a few runs steer this law." if moved else "All inside the 95 % intervals."
    st.html(
        f'<table class="iso-table iso-small"><thead><tr><th scope="row">With another delta</th>{heads}</tr></thead>'
        f'<tbody>{"".join(rows)}</tbody></table><p class="iso-quiet">{note if len(fit.draws) else ""}</p>'
    )


def _paper_cell(value: float, low: float, high: float) -> str:
    inside = math.isfinite(low) and low <= value <= high
    return f'<td class="iso-paper">{_published(value)}{"<small>inside</small>" if inside else ""}</td>'


def _published(value: float) -> str:
    """A paper's constant, as far as papers print them."""
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return numbers.flop(value)


def sources(fit: Fit) -> None:
    """Where the law and its published constants come from."""
    lines = [f"<li>{escape(fit.law.title)}: {escape(fit.law.cite)}.</li>"]
    for pub in fit.law.published:
        note = f" {escape(pub.note)}" if pub.note else ""
        lines.append(f"<li>{escape(pub.paper)}: {escape(pub.source)}.{note}</li>")
    st.html(f'<ul class="iso-sources">{"".join(lines)}</ul>')


def computed(fit: Fit) -> None:
    """How the fit was computed: settings, objective and digest, as a list of terms."""
    s = fit.settings
    delta = "least squares" if math.isinf(s.delta) else f"{s.delta:g}"
    ranges = "; ".join(
        f"{input_symbol(name)} {numbers.say(low, kind)} to {numbers.say(high, kind)}"
        for name, (low, high) in fit.ranges.items()
        if (kind := {"params": "count", "tokens": "count", "flops": "flop"}.get(name))
    )
    a = fit.accounting
    counted = "" if not (a.offset or a.slope) else f", {a.ratio(math.exp(a.centre)):.3g} times 6ND at the middle size"
    terms = {
        "Data": f"{fit.table}: {fit.n:,} runs fitted; {ranges}",
        "Digest": f"sha256 {fit.digest}",
        "Law": f"{fit.law.title}; {s.law_reason}",
        "Objective": f"{s.objective}, delta {delta}: {fit.objective:.10g}",
        "Search": f"{s.starts} starts, each to a certified optimum; exact derivatives",
        "Intervals": f"{s.resamples:,} refits to runs resampled by {s.grouping}, seed {s.seed}; the middle 95 %",
        "Parameters are": s.count,
        "FLOPs are": s.flops_convention + counted,
        "Excluded by you": ", ".join(s.excluded[:50]) + (" …" if len(s.excluded) > 50 else "") or "none",
    }
    body = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in terms.items())
    st.html(f'<dl class="iso-terms">{body}</dl>')
