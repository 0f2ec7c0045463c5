"""The law of a schedule against a sum over every step, against its published constants on their curves, and fitted anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.autodiff import Dual, partials_of, seed, stretches, value_of
from fitting.schedule.curves import logged_curves
from fitting.schedule.multi_power import Schedule, fit_curves, formula, histories, law, loss_curve

WARMUP, PEAK = 2160, 3e-4
SIZES = {"25M": 25e6, "100M": 100e6, "400M": 400e6}
PUBLISHED = {p.paper.split(", ")[1]: p.values for p in law.published}


def cosine(last: int, warmup: int = 50, peak: float = PEAK) -> Schedule:
    turn = np.pi * np.arange(1, last - warmup + 1) / (last - warmup)
    return Schedule.after(warmup, peak * (0.1 + 0.45 * (1 + np.cos(turn))))


def step_by_step(schedule: Schedule, t: int, p: dict[str, float]) -> float:
    """Luo et al. 2025 as it is written: a sum over every step up to t."""
    lr = schedule.lr
    gain = 0.0
    for k in range(t):
        g = 1 - (1 + p["C"] * lr[k] ** -p["gamma"] * lr[k:t].sum()) ** -p["beta"]
        gain += ((lr[k - 1] if k else 0.0) - lr[k]) * g
    return p["L0"] + p["A"] * lr[:t].sum() ** -p["alpha"] - p["B"] * gain


def test_stretches_are_sums_with_slopes():
    rows = np.array([0, 2, 3])
    assert stretches(np.arange(5.0), rows).tolist() == [1.0, 2.0, 7.0]
    x = Dual(np.ones((2, 5)), {0: np.arange(5.0), 3: 2.0})
    out = stretches(x, rows)
    assert value_of(out).tolist() == [[2.0, 1.0, 2.0]] * 2
    assert partials_of(out)[0].tolist() == [[1.0, 2.0, 7.0]] * 2
    assert partials_of(out)[3].tolist() == [[4.0, 2.0, 4.0]] * 2


@pytest.mark.parametrize("blocks", [10_000, 64])
def test_blocks_are_the_sum_over_every_step(blocks):
    """A cosine, a drop and a rate that rises again: within 1e-9 step by step, within 3e-4 in 64 blocks."""
    p = PUBLISHED["100M"]
    jump = Schedule.after(50, np.concatenate([np.full(150, PEAK), np.full(150, 3e-5)]))
    again = Schedule.after(
        50, np.concatenate([np.full(80, PEAK), np.linspace(PEAK, 1e-4, 60), np.linspace(1e-4, 2e-4, 90)])
    )
    for schedule in (cosine(350), jump, again):
        steps = np.array([50, 51, 100, 200, 201, 279])
        wanted = [step_by_step(schedule, t, p) for t in steps]
        assert loss_curve(schedule, steps, p, blocks) == pytest.approx(wanted, abs=1e-9 if blocks == 10_000 else 3e-4)


def test_without_a_change_of_rate_it_is_a_power_of_the_area():
    """At a constant rate what is left beside the power is the warm-up, whose share settles at B times the peak."""
    p = PUBLISHED["25M"]
    schedule = Schedule.after(100, np.full(200_000, PEAK))
    steps = np.array([150_000, 200_000])
    area = histories(schedule, steps)[0]
    assert area == pytest.approx(PEAK * (steps - 49.5))
    left = loss_curve(schedule, steps, p) - p["L0"] - p["A"] * area ** -p["alpha"]
    assert left == pytest.approx(p["B"] * PEAK, rel=0.01)


def test_slopes_are_exact():
    area, falls = histories(cosine(300), np.array([60, 150, 299]))
    at = [PUBLISHED["400M"][k] for k in law.names]
    slopes = partials_of(formula(area, falls, *seed(at)))
    for k, v in enumerate(at):
        h = 1e-4 * v
        up, down = (formula(area, falls, *(w + s * (j == k) for j, w in enumerate(at))) for s in (h, -h))
        assert np.broadcast_to(slopes[k], 3) == pytest.approx((up - down) / (2 * h), rel=1e-6)


@pytest.fixture(scope="module")
def curves(dataset):
    """The 27 logged curves: `curves(size)` is {schedule's name: (schedule, steps, losses)}."""
    logged = pd.read_csv(dataset("multipower_curves.csv"))

    def of(size: str) -> dict:
        out = {}
        for name, c in logged[logged["params"] == SIZES[size]].groupby("schedule"):
            between = "stair" if "wsdcon" in str(name) else "line"
            schedule = Schedule.through(WARMUP, c["step"].to_numpy(), c["lr"].to_numpy(), between)
            out[name] = (schedule, c["step"].to_numpy(), c["loss"].to_numpy())
        assert len(out) == 9
        return out

    return of


def scores(predict, found) -> tuple[float, float]:
    """Mean over curves of the variance explained, and of the mean absolute error in nats."""
    r2, mae = [], []
    for schedule, steps, loss in found:
        off = predict(schedule, steps) - loss
        r2.append(1 - np.sum(off**2) / np.sum((loss - loss.mean()) ** 2))
        mae.append(np.mean(np.abs(off)))
    return float(np.mean(r2)), float(np.mean(mae))


@pytest.mark.parametrize(
    ("size", "r2", "mae"), [("25M", 0.9988, 0.00376), ("100M", 0.9983, 0.00435), ("400M", 0.9978, 0.00484)]
)
def test_published_constants_on_their_curves(curves, size, r2, mae):
    """The repository's constants on its nine curves a size, as first measured with its own schedules.

    From the logged rates alone: .9988, .9986, .9980 and .0037, .0040, .0049 nats, the same within a tenth of the error.
    """
    got = scores(lambda schedule, steps: loss_curve(schedule, steps, PUBLISHED[size]), curves(size).values())
    assert got[0] == pytest.approx(r2, abs=4e-4)
    assert got[1] == pytest.approx(mae, rel=0.08)


@pytest.mark.parametrize("size", SIZES)
def test_three_curves_predict_the_others(curves, size):
    """Fitted to a cosine, a constant and one two-stage curve of 24,000 steps or fewer, as in the paper; six are forecast.

    Two of the six are three times as long.
    """
    known = ("cosine_24000", "constant_24000", "wsdcon_9")
    found = curves(size)
    f = fit_curves([found[k] for k in known])
    assert f.converged
    r2, mae = scores(lambda s, t: f.predict(s, t).value, [c for k, c in found.items() if k not in known])
    assert r2 > 0.995
    assert mae < 0.0065
    own = np.concatenate([np.log(y) - np.log(f.predict(s, t).value) for s, t, y in (found[k] for k in known)])
    assert f.residuals == pytest.approx(own, abs=1e-12)


def test_a_planted_law_comes_back():
    p = PUBLISHED["100M"]
    steps = np.arange(100, 4000, 60)
    stair = Schedule.after(50, np.concatenate([np.full(1500, PEAK), np.full(1500, 9e-5), np.full(1500, 2e-5)]))
    planted = [(s, steps, loss_curve(s, steps, p)) for s in (cosine(4000), stair)]
    f = fit_curves(planted)
    assert f.objective < 1e-14
    other = cosine(4000, peak=2e-4)
    assert f.predict(other, steps).value == pytest.approx(loss_curve(other, steps, p), rel=1e-5)


def test_refusals():
    with pytest.raises(FitError, match="one step or more"):
        histories(Schedule.after(10, np.full(100, PEAK)), np.array([], int))
    flat = Schedule.after(10, np.full(100, PEAK))
    steps = np.arange(20, 100, 4)
    with pytest.raises(FitError, match="none of these curves does the learning rate fall"):
        fit_curves([(flat, steps, np.linspace(4, 3, len(steps)))])
    with pytest.raises(FitError, match="there was none"):
        fit_curves([])
    with pytest.raises(FitError, match="needs 9 points"):
        fit_curves([(flat, steps[:3], np.array([3.0, 2.9, 2.8]))])
    with pytest.raises(FitError, match="to the schedule's last, 110; steps 5 to 111"):
        histories(flat, np.array([5, 111]))
    with pytest.raises(FitError, match="positive learning rate"):
        Schedule.after(10, np.array([1e-3, 0.0]))
    with pytest.raises(FitError, match="Logged steps rise"):
        Schedule.through(10, np.array([5, 20]), np.array([1e-3, 1e-3]))
    with pytest.raises(FitError, match='"line" or a "stair"'):
        Schedule.through(10, np.array([15, 20]), np.array([1e-3, 1e-3]), between="curve")


def test_a_column_under_another_name_is_said_to_be_renamed():
    frame = pd.DataFrame({"run": ["a"], "step": [1], "lr": [1e-3], "loss": [3.0]})
    with pytest.raises(FitError, match=r"there is no steps. It has 'run', 'step', 'lr', 'loss'. Rename") as found:
        logged_curves(frame)
    assert "Log the learning rate" not in str(found.value)
    with pytest.raises(FitError, match=r"no lr. It has .*Log the learning rate"):
        logged_curves(frame.rename(columns={"lr": "x", "step": "steps"}))
