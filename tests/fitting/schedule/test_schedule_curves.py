"""Logged rates as schedules: where warm-up ends, jumps told from decays, and schedules to come."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.schedule.curves import ahead, check, fit_logged, logged_curves

PEAK = 1e-3


def table(run: str, lr: np.ndarray, first: int = 10, every: int = 10, params: float = 1e8) -> pd.DataFrame:
    steps = first + every * np.arange(len(lr))
    return pd.DataFrame({"run": run, "params": params, "steps": steps, "lr": lr, "loss": 3.0 + 1.0 / np.sqrt(steps)})


def test_warmup_ends_where_the_rate_has_risen_and_jumps_are_no_decays():
    rise = PEAK * np.array([0.25, 0.5, 0.75, 1.0])
    jump = np.concatenate([rise, np.full(10, PEAK), np.full(10, 0.3 * PEAK)])
    decay = np.concatenate([rise, np.full(10, PEAK), np.linspace(0.9, 0.1, 10) * PEAK])
    stair, line = logged_curves(pd.concat([table("stair", jump), table("line", decay)]))
    assert (stair.schedule.warmup, line.schedule.warmup) == (40, 40)
    assert (stair.between, line.between) == ("stair", "line")
    assert stair.steps[0] == 40
    assert stair.notes == ()
    assert stair.schedule.lr[148] == PEAK  # step 149: the rate of step 140 until step 150
    assert stair.schedule.lr[149] == 0.3 * PEAK


def test_without_a_rise_warmup_is_taken_from_the_first_row_and_said():
    flat = table("flat", np.full(20, PEAK), first=50)
    (curve,) = logged_curves(flat)
    assert curve.schedule.warmup == 50
    assert "at step 50" in curve.notes[0]
    (curve,) = logged_curves(flat, warmup=30)
    assert (curve.schedule.warmup, curve.notes) == (30, ())


def test_refusals():
    flat = table("flat", np.full(20, PEAK))
    with pytest.raises(FitError, match="there is no lr"):
        logged_curves(flat.drop(columns="lr"))
    two = pd.concat([flat, table("large", np.full(20, PEAK), params=1e9)])
    with pytest.raises(FitError, match=r"these runs have 1e\+08, 1e\+09 parameters"):
        logged_curves(two)
    assert [c.run for c in logged_curves(two, params=1e9)] == ["large"]
    with pytest.raises(FitError, match=r"No run has 5e\+08 parameters"):
        logged_curves(two, params=5e8)
    with pytest.raises(FitError, match="No run has 10 rows"):
        logged_curves(flat[:9])
    with pytest.raises(FitError, match="after the warm-up of 150 steps"):
        logged_curves(flat, warmup=150)


@pytest.mark.parametrize(("shape", "end"), [("cosine", 0.1), ("linear", 0.1), ("wsd", 0.1), ("constant", 1.0)])
def test_schedules_to_come_rise_to_the_peak_and_end_as_asked(shape, end):
    schedule = ahead(shape, 1000, PEAK, 100)
    assert (len(schedule.lr), schedule.warmup) == (1000, 100)
    assert schedule.lr.max() == pytest.approx(PEAK, rel=2e-3)
    assert schedule.lr[-1] == pytest.approx(end * PEAK)
    assert np.all(np.diff(schedule.lr[:99]) > 0)
    assert np.all(np.diff(schedule.lr[100:]) <= 1e-18)
    if shape == "wsd":
        assert schedule.lr[799] == PEAK
        assert schedule.lr[800] < PEAK


def test_schedules_that_cannot_be():
    with pytest.raises(FitError, match="it was 'triangle'"):
        ahead("triangle", 1000, PEAK, 100)
    with pytest.raises(FitError, match="has none after it"):
        ahead("cosine", 100, PEAK, 100)


def test_runs_not_named_are_forecast_as_the_check(dataset):
    """25M: a two-stage curve from cosine, constant and one of another second rate, all of 24,000 steps or fewer."""
    logged = pd.read_csv(dataset("multipower_curves.csv")).rename(columns={"run_id": "run", "step": "steps"})
    curves = {c.run.removeprefix("mpl-25M-"): c for c in logged_curves(logged, 25e6, 2160)}
    assert len(curves) == 9
    assert {name for name, c in curves.items() if c.between == "stair"} == {"wsdcon_3", "wsdcon_9", "wsdcon_18"}
    known = [curves[k] for k in ("cosine_24000", "constant_24000", "wsdcon_9")]
    fit = fit_logged(known, 40)
    (unseen,) = check([*known, curves["wsdcon_18"]], known, fit)
    assert unseen.error < 0.002
    assert unseen.holds
    assert abs(unseen.last) < 0.003
