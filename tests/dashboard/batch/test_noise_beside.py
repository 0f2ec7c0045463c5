"""The noise scale beside the critical batch: the picture's bands and the sentences that compare them."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from dashboard.batch import noise_beside
from dashboard.charts import batch_noise
from fitting import FitError
from fitting.band import Band
from fitting.batch.noise_by_loss import NoiseByLoss

LOSSES = np.array([1.4, 1.3, 1.2])


def band(*values, spread=1.5, high=None):
    value = np.array(values)
    return Band(value, value / spread, value * spread if high is None else np.array(high), 0.95)


BOTH = NoiseByLoss(
    LOSSES, band(900.0, 1500.0, np.nan, high=[1400.0, np.inf, np.nan]), np.array([9, 9, 0]), band(1000.0, 2000.0, 4000.0), None, 64.0,
    measured={"Adam update": band(50.0, 90.0, 200.0)},
)  # fmt: skip


def test_bands_are_told_apart_and_an_open_end_is_at_least_so_much():
    drawn = batch_noise.figure(LOSSES, noise_beside.named(BOTH), "tokens")
    lines = [trace for trace in drawn.data if trace.mode == "lines+markers"]
    assert [trace.name for trace in lines] == [
        "critical batch, from steps to the loss",
        "noise scale, Euclidean, from parts of batches",
        "noise scale, Adam update, from single sequences",
    ]
    assert len({trace.line.color for trace in lines}) == 3
    assert list(lines[1].x) == [1.4, 1.3]  # where it is known
    assert lines[1].text[1] == "at least 1\u202fk tokens"
    top = 10 ** drawn.layout.yaxis.range[1]
    assert lines[1].y[1] + lines[1].error_y.array[1] <= 1.01 * top
    assert drawn.layout.xaxis.type == drawn.layout.yaxis.type == "log"


def test_sentences_say_whether_each_is_of_the_same_order():
    assert noise_beside.sentences(BOTH) == [
        "Noise scale (Euclidean, from parts of batches): 0.75 to 0.9 times the critical batch at the 2 losses where both are known, "
        "of the same order.",
        "Noise scale (Adam update, from single sequences): 0.045 to 0.05 times the critical batch at the 3 losses where both are known, "
        "not of the same order.",
    ]


def test_the_panel_counts_in_the_unit_of_the_page_and_says_why_there_is_nothing(monkeypatch):
    def script():
        from dashboard.batch import noise_beside

        noise_beside.panel(None)

    for found, unit, shown in (
        (BOTH, "sequences", 1),
        (BOTH, "tokens", 1),
        (FitError("No norms."), "tokens", 0),
        (None, "tokens", 0),
    ):
        monkeypatch.setattr(noise_beside, "found", lambda found=found: found)
        monkeypatch.setattr(noise_beside.batch_state, "unit", lambda unit=unit: unit)
        at = AppTest.from_function(script).run()
        assert not at.exception
        charts = at.get("plotly_chart")
        assert len(charts) == shown
        if shown:
            assert f"Batch, {unit}" in charts[0].proto.spec
        assert ("No norms." in " ".join(one.proto.body for one in at.get("html"))) == isinstance(found, FitError)
