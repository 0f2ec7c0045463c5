"""The gradient noise scale along training, beside the critical batch measured."""

from __future__ import annotations

import json
import math

import streamlit as st

from dashboard import batch_panels, batch_state, fit_panels, takeaway, widgets
from dashboard.batch_state import Sweep
from dashboard.charts import batch_grid
from dashboard.fit_panels import PLOT
from dashboard.takeaway import File
from fitting.batch import NoiseScale
from fitting.export.text import finite
from fitting.result import Band

CAVEAT = (
    "Under Adam the noise scale can lie far below the batch from which more data a step saves no steps (Merrill et al. 2025, "
    "arXiv 2505.23971): a sign of the order and the direction, not a measurement of the critical batch."
)


def panel(sweep: Sweep | None) -> None:
    """The noise scale over stretches of training, critical batches beside it, and what it is not."""
    found = batch_state.norms()
    if found is None:
        return
    stretches = found.along()
    fit_panels.section("Gradient noise scale", "means of noise and of signal over stretches of the run, then divided")
    beside = _measured(sweep)
    st.plotly_chart(batch_grid.along(stretches, beside), config=PLOT, key="noise")
    said = "; ".join(f"steps {a + 1:,} to {b:,}: {_said(band)}" for a, b, band in stretches)
    widgets.quiet(f"In sequences, 95 % by Fieller: {said}.", CAVEAT)
    if sweep is not None and not beside:
        widgets.quiet(
            "The critical batch is not drawn beside it: these data do not say how many tokens a sequence has."
        )
    takeaway.downloads([File("JSON", "noise_scale.json", "application/json", lambda: _json(found))], "noise")


def answer(found: NoiseScale) -> tuple[str, str, dict[str, str]]:
    """The page's sentence where norms are all there is."""
    stretches = found.along()
    first, last = stretches[0][2], stretches[-1][2]
    return (
        "The gradient noise scale goes from {first} to {last} sequences along training.",
        f"95 % of the last stretch {last.low:.3g} to {last.high:.3g}. A sign of where larger batches stop paying, no measurement of it.",
        {"first": f"{first.value:.2g}", "last": f"{last.value:.2g}"},
    )


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
    return f"{band.value:.3g} ({band.low:.3g} to {high})"


def _json(found: NoiseScale) -> str:
    rows = [
        {"from_step": a + 1, "to_step": b, "value": band.value, "low": band.low, "high": band.high, "level": band.level}
        for a, b, band in found.along()
    ]
    return (
        json.dumps(finite({"unit": "sequences", "stretches": rows, "note": CAVEAT}), indent=2, allow_nan=False) + "\n"
    )
