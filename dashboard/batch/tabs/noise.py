"""The gradient noise scale along training, beside the critical batch measured."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import widgets
from dashboard.batch import about as batch_about
from dashboard.batch import noise_beside
from dashboard.batch import panels as batch_panels
from dashboard.batch import state as batch_state
from dashboard.batch import tabs as batch_tabs
from dashboard.batch.readings import Sweep
from dashboard.charts import batch_grid
from dashboard.downloads import File
from dashboard.widgets import PLOT
from fitting.band import Band
from fitting.batch import NoiseScale
from fitting.export.noise_scale import CAVEAT, to_csv, to_json, to_latex, to_python


def panel(sweep: Sweep | None) -> None:
    """The noise scale by loss, then over stretches of training, critical batches beside both, and what it is not."""
    noise_beside.panel(sweep)
    found = batch_state.norms()
    if found is None:
        return
    stretches = [(*found.span(a, b), band) for a, b, band in found.along()]
    widgets.section("Gradient noise scale", "mean noise over mean signal, by stretches of the run")
    beside = _measured(sweep)
    told = [one for one in stretches if _told(one[2])]
    if told:
        st.plotly_chart(batch_grid.along(told, beside), config=PLOT, key="noise")
    elif sweep is not None:
        widgets.quiet(_why(stretches[-1][2]))
    said = "; ".join(f"steps {a:,.0f} to {b:,.0f}: {_said(band)}" for a, b, band in stretches)
    widgets.quiet(f"In sequences, 95 % by Fieller: {said}.", CAVEAT)
    if sweep is not None and not beside:
        widgets.quiet(
            "The critical batch is not drawn beside it: these data do not say how many tokens a sequence has."
        )
    batch_tabs.take_away(
        "the gradient noise scale",
        [
            File("LaTeX", "noise_scale.tex", "text/x-tex", lambda: to_latex(found)),
            File("Python", "noise_scale.py", "text/x-python", lambda: to_python(found)),
            File("JSON", "noise_scale.json", "application/json", lambda: to_json(found)),
            File("CSV", "noise_scale.csv", "text/csv", lambda: to_csv(found)),
        ],
        "noise",
        batch_about.chosen(),
    )


def answer(found: NoiseScale) -> tuple[str, str, dict[str, str]]:
    """The page's sentence where norms are all there is."""
    stretches = [band for _, _, band in found.along()]
    known = [band for band in stretches if _told(band)]
    if not known:
        return "These norms give no gradient noise scale.", _why(stretches[-1]), {}
    last = known[-1]
    within = _said(last).partition("(")[2].rstrip(")")
    under = f"95 % of the last stretch {within}. An indication of the critical batch, not a measurement."
    if len(known) == 1:
        return "The gradient noise scale is {last} sequences.", under, {"last": f"{last.value:.2g}"}
    return (
        "The gradient noise scale goes from {first} to {last} sequences along training.",
        under,
        {"first": f"{known[0].value:.2g}", "last": f"{last.value:.2g}"},
    )


def _told(band: Band) -> bool:
    return bool(0 < band.value < math.inf)


def _why(band: Band) -> str:
    """What keeps a ratio from being a number above zero, and what to do."""
    if band.value == math.inf:
        return "The gradient is below its noise: log more steps, or norms over a larger big batch."
    return "Norms over the big batch are no smaller than those over the small batch, so there is no noise: check the two columns."


def _measured(sweep: Sweep | None) -> dict[str, Band]:
    """Critical batches in sequences, highest loss first."""
    if sweep is None:
        return {}
    length = 1.0 if sweep.unit == "sequences" else batch_state.seq_len()
    if not math.isfinite(length):
        return {}
    words = batch_panels.titles(sweep)
    bands = {f"critical batch, {words[n]}": f.b_crit for n, f in batch_panels.finite(sweep).items()}
    return {
        name: Band(b.value / length, b.low / length, b.high / length, b.level) for name, b in list(bands.items())[:3]
    }


def _said(band: Band) -> str:
    high = f"{band.high:.3g}" if math.isfinite(band.high) else "no upper end"
    value = f"{band.value:.3g}" if math.isfinite(band.value) else "not identified"
    return f"{value} ({band.low:.3g} to {high})".replace("-", "\u2212")
