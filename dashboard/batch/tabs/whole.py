"""The whole run before it is made: a curve at any batch (and size), and what it takes to a loss, by Kaplan's law of both."""

from __future__ import annotations

import math
import re
from html import escape

import numpy as np
import streamlit as st

from dashboard import numbers, widgets
from dashboard.batch import about as batch_about
from dashboard.batch import methods as batch_methods
from dashboard.batch import settings as batch_settings
from dashboard.batch import state as batch_state
from dashboard.batch import tabs as batch_tabs
from dashboard.batch.readings import Sweep
from dashboard.charts import batch_curves
from dashboard.downloads import File
from dashboard.widgets import PLOT
from fitting.band import Band
from fitting.batch import KAPLAN, HeldOut, TrajectoryFit
from fitting.batch.trajectory import NAMES
from fitting.export.trajectory import to_csv, to_json, to_latex, to_python

SYMBOLS = ("N_c", "\u03b1_N", "S_c", "\u03b1_S", "B*", "\u03b1_B")
STOPS = 49
BEYOND = 16.0  # how far past the batches and sizes tried the sliders go


def panel(sweep: Sweep | None) -> None:
    """Sliders, the curves, what a loss takes, the six constants, and the largest size held out where there are three."""
    fit = batch_state.whole()
    widgets.section("Training-curve law L(N, S)", "six constants of Kaplan et al. 2020, fitted to these curves")
    if not isinstance(fit, TrajectoryFit):
        widgets.quiet(str(fit))
        _warm_up(st.columns(3)[0])
        return
    params, batch, loss = _asked(fit)
    st.plotly_chart(batch_curves.figure(fit, params, batch, float(fit.curves.step.max())), config=PLOT, key="whole")
    _takes(fit, params, batch, loss)
    if sweep is not None:
        batch_methods.panel(sweep)
    checked = batch_state.check()
    if isinstance(checked, HeldOut):
        widgets.quiet(checked.sentence)
    widgets.section("The constants", "joint fit with equal weights, beside Kaplan's for comparison")
    _constants(fit)
    along = batch_state.along() if fit.law.one_size else None
    if along is not None:
        b = along.exponent()
        widgets.quiet(
            "Fitted to the steps to single losses, without a floor, the critical batch is a power law of the loss with exponent "
            f"{b.value:.3g} ({b.low:.3g} to {b.high:.3g}); by these constants the exponent is \u22121 / \u03b1_B."
        )
    widgets.quiet(
        *fit.law.notes,
        fit.law.warning,
        "The law is implicit: its critical batch is that of the loss reached. Integrating steps over the critical batch along the run "
        "is a different law, with fewer steps.",
    )
    batch_tabs.take_away(
        "the training-curve law",
        [
            File("LaTeX", "whole_run.tex", "text/x-tex", lambda: to_latex(fit)),
            File("Python", "whole_run.py", "text/x-python", lambda: to_python(fit)),
            File("JSON", "whole_run.json", "application/json", lambda: to_json(fit)),
            File("CSV", "whole_run.csv", "text/csv", lambda: to_csv(fit)),
        ],
        "whole",
        {**batch_about.curves(), "warm_up": batch_settings.settings().warm_up},
    )


def _asked(fit: TrajectoryFit) -> tuple[float, float, float]:
    """The size, batch and loss asked about."""
    data = fit.curves
    columns = st.columns([3, 3, 2] if fit.law.one_size else [3, 3, 3, 2], gap="medium")
    _warm_up(columns[-1])
    params = float(data.sizes[-1])
    if not fit.law.one_size:
        sizes = np.geomspace(data.sizes[0], data.sizes[-1] * BEYOND, STOPS)
        params = _slider(columns[0], "Parameters", sizes, params, "whole_params")
    batches = np.geomspace(data.batch.min() / BEYOND, data.batch.max() * BEYOND, STOPS)
    batch = _slider(
        columns[-3],
        f"Batch, {fit.law.unit} per step",
        batches,
        float(np.exp(np.mean(np.log(data.batch)))),
        "whole_batch",
    )
    floor = fit.law.floor(params).value
    lowest = float(data.loss.min())
    losses = np.geomspace(max(1.0005 * floor, 0.95 * lowest), max(float(data.loss.max()), 1.1 * floor), STOPS)
    loss = _slider(columns[-2], "Target loss", losses, max(lowest, float(losses[2])), "whole_loss", loss=True)
    return params, batch, loss


def _warm_up(column: st.delta_generator.DeltaGenerator) -> None:
    st.session_state["whole_warm_up"] = 100 * batch_settings.settings().warm_up
    column.number_input(
        "Warm-up, % of each run", min_value=0.0, max_value=90.0, step=5.0, key="whole_warm_up", on_change=_keep_warm_up,
        help="The first part of every run is left out: during warm-up of the learning rate the law does not hold.",
    )  # fmt: skip


def _keep_warm_up() -> None:
    batch_settings.change("warm-up", warm_up=float(st.session_state["whole_warm_up"]) / 100)


def _slider(
    column: st.delta_generator.DeltaGenerator, label: str, stops: np.ndarray, first: float, key: str, loss: bool = False
) -> float:
    """A slider over even steps in logarithms, which says its stops as people do.

    Other stops make another slider, at the nearest to what was asked: one with the same key would go on showing the old ones.
    """
    stops = np.array([float(f"{v:.4g}") for v in stops])
    asked = float(st.session_state.get(f"{key}_asked", first))
    place = column.select_slider(
        label,
        options=range(len(stops)),
        value=int(np.argmin(np.abs(np.log(stops / asked)))),
        key=f"{key}_{stops[0]:g}_{stops[-1]:g}",
        format_func=lambda i: f"{stops[i]:.4g}" if loss else numbers.count(float(stops[i])),
    )
    st.session_state[f"{key}_asked"] = float(stops[int(place)])
    return float(stops[int(place)])


def _takes(fit: TrajectoryFit, params: float, batch: float, loss: float) -> None:
    law = fit.law
    said = law.reachable(params, loss)
    if said:
        widgets.quiet(said)
    rows = (
        ("Lowest loss of this size", law.floor(params), "loss"),
        (f"Critical batch at {loss:.4g}, by this law", law.b_crit(loss), "count"),
        (f"Fewest steps to {loss:.4g}, at large batches", law.s_min(params, loss), "count"),
        (f"Least {law.unit} to {loss:.4g}, at small batches", law.e_min(params, loss), "count"),
        (f"Steps to {loss:.4g} at {numbers.count(batch)} per step", law.steps(params, batch, loss), "count"),
        (
            f"{law.unit.capitalize()} to {loss:.4g} at {numbers.count(batch)} per step",
            _times(law.steps(params, batch, loss), batch),
            "count",
        ),
    )
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_cell(band, kind)}</td></tr>' for name, band, kind in rows
    )
    st.html(f'<table class="iso-table">{body}</table>')


def _constants(fit: TrajectoryFit) -> None:
    meanings = (
        "size at which the floor would be 1", "how the floor falls with size", "steps at which training would add 1",
        "how that falls with steps", f"critical batch at a loss of 1, {fit.law.unit}",
        "scaling of the critical batch: its exponent in the loss is \u22121 / \u03b1_B",
    )  # fmt: skip
    body = ""
    for name, symbol, meaning, theirs in zip(NAMES, SYMBOLS, meanings, KAPLAN.values, strict=True):
        if fit.law.one_size and name in ("N_c", "alpha_N"):
            cell = "not identified by one size"
        else:
            band = fit.law.constant(name)
            cell = f"<b>{_said(band.value)}</b><small>{_said(band.low)} to {_end(band.high)}</small>"
        other = " tokens" if name == "B_star" and fit.law.unit != "tokens" else ""
        head = f'<th scope="row"><b>{escape(symbol)}</b><p>{escape(meaning)}</p></th>'
        body += f"<tr>{head}<td>{cell}</td><td>{_said(theirs)}{other}</td></tr>"
    st.html(
        '<table class="iso-table"><thead><tr><th scope="row"></th><th scope="col">These curves</th><th scope="col">Kaplan et al. 2020</th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
    )


def _end(value: float) -> str:
    return _said(value) if math.isfinite(value) else "any"


def _said(value: float) -> str:
    return re.sub(r"e([+-])0*", lambda sign: "e" + sign[1].strip("+"), f"{value:.3g}")


def _times(band: Band, by: float) -> Band:
    return Band(band.value * by, band.low * by, band.high * by, band.level)


def _cell(band: Band, kind: str) -> str:
    if not math.isfinite(band.value):
        return "<b>never</b>"
    if kind == "loss":
        return f"<b>{band.value:.4g}</b><small>{band.low:.4g} to {band.high:.4g}</small>"
    value, within = numbers.with_interval(band.value, band.low, band.high, kind)
    return f"<b>{escape(value)}</b><small>{escape(within)}</small>"
