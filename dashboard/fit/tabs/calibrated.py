"""Calibration of the intervals on tables simulated from the fit, at the push of a button."""

from __future__ import annotations

import math
from html import escape

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.fit import analyses as fit_analyses
from dashboard.html_table import row, table
from dashboard.plan import state as plan_state
from dashboard.symbols import symbol
from fitting import Band, Fit, FitError
from fitting.band import LEVEL
from fitting.diagnostics.calibration import refusal
from fitting.uncertainty.calibrated import Calibrated, Calibration, remarks

DECISIONS = {
    "exponent": ("Best size grows as <i>C</i> to the", "ratio"),
    "params": ("Best size", "count"),
    "loss": ("Loss there", "loss"),
}


def panel(fit: Fit) -> None:
    """The button, what is being done while it is, then each interval as it was and calibrated."""
    widgets.section("Calibration of the intervals", "how often they hold in tables simulated from this fit")
    why = refusal(fit)
    if why:
        widgets.quiet(why)
        return
    at = 10.0 ** plan_state.budget(fit) if "flops" in fit.ranges else None
    found = fit_analyses.calibration(fit)
    moved = found is not None and at is not None and not math.isclose(found.flops, at, rel_tol=1e-6)
    count = f"{fit_analyses.TABLES} tables, each refitted {fit_analyses.REFITS} times"
    if fit_analyses.asked_to_calibrate(fit, at):
        bar = st.progress(0.0, text=f"Simulating {count}")

        def told(share: float) -> None:
            bar.progress(share, text=f"Simulating {count}: {100 * share:.0f} % done")

        answer = fit_analyses.calibrate(fit, at, told)
        bar.empty()
        if isinstance(answer, FitError):
            widgets.quiet(str(answer))
            return
        found = answer
    elif found is None or (moved and _decides(found)):
        st.button(
            "Calibrate the intervals" + ("" if found is None else f" again, at {numbers.flop(at)} FLOP"),
            key="calibrate", on_click=fit_analyses.ask_to_calibrate, args=(fit, at),
            help=f"Simulates {count}: seconds, up to a few hundred runs.",
        )  # fmt: skip
    if found is not None:
        st.html(f'<p class="iso-under">{escape(sentence(found))}</p>')
        table, words = st.columns([6, 4], gap="large")
        table.html(_table(fit, found))
        with words:
            widgets.quiet(*_notes(found))


def sentence(found: Calibration) -> str:
    """How often the plain intervals held, from the worst to the best."""
    worst, best = (f(q.held for q in found.quantities) for f in (min, max))
    share = (
        f"{100 * worst:.0f}" if round(100 * worst) == round(100 * best) else f"{100 * worst:.0f} to {100 * best:.0f}"
    )
    return (
        f"In {found.outer} tables simulated from this fit, plain 95 % intervals held the true value in {share} %; "
        "calibrated intervals end where they would have held it in 95 %."
    )


def _decides(found: Calibration) -> bool:
    return any(q.kind == "decision" for q in found.quantities)


def _table(fit: Fit, found: Calibration) -> str:
    heads = ("", "plain 95 %", "calibrated 95 %")
    return table(heads, (_row(fit, found, q) for q in found.quantities), "iso-approaches")


def _row(fit: Fit, found: Calibration, q: Calibrated) -> str:
    if q.kind == "parameter":
        p = fit.law.param(q.name)
        title, about, kind = f"<b>{symbol(p)}</b>", "", "loss" if p.is_floor else "ratio"
    else:
        title, kind = DECISIONS[q.name]
        about = f"<p>at {numbers.flop(found.flops)} FLOP</p>"
    before, after = (Band(q.value, low, high, LEVEL) for low, high in (q.plain, (q.low, q.high)))
    if q.kind == "decision" and q.name == "loss":  # a parameter that is a floor is compared with the true one: not cut
        before, after = (band.above(state.true_floor()) for band in (before, after))
    value, plain = numbers.with_interval(before.value, before.low, before.high, kind)
    inside = "as it was" if q.kept else numbers.with_interval(after.value, after.low, after.high, kind)[1]
    return row((f"{plain}<small>held {100 * q.held:.0f} %</small>", inside), f"{title} {value}{about}")


def _is_cut(found: Calibration) -> bool:
    floor = state.true_floor()
    losses = [q for q in found.quantities if q.kind == "decision" and q.name == "loss"]
    return floor is not None and any(min(q.plain[0], q.low) < floor for q in losses)


def _notes(found: Calibration) -> list[str]:
    """What a reader of the table should know."""
    said = [f"{r[0].upper()}{r[1:]}." for r in remarks(found.quantities)]
    return [
        f"One Monte-Carlo error of a share is {100 * found.error:.1f} %: a plain interval within two of 95 is as good as calibrated. "
        "Where the runs do not identify shared noise, the simulated tables lack it too, and calibration does not help.",
        "Repeated for each table: the fit, its error model and the bootstrap refits. Not repeated: the choice of law, "
        "grouping and delta. Exports have the calibrated intervals; the rest of the page, and plans, keep the plain ones.",
        *(["The interval of a loss is cut at the true floor of this language."] if _is_cut(found) else []),
        *said,
    ]
