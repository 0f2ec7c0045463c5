"""Approach 1 on simulated training curves: the exponent comes back, and what cannot be said is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitting import FitError
from fitting.isoflop import envelope


def test_training_curves_give_the_exponent_back(surface, curves):
    truth = surface()
    found = envelope(curves(truth, sizes=50, noise=0.002), resamples=200)
    assert found.from_history
    assert found.a().value == pytest.approx(truth.a, abs=0.01)
    assert found.b().value == pytest.approx(1 - truth.a, abs=0.01)
    at = float(np.sqrt(found.flops[found.inside].min() * found.flops[found.inside].max()))
    assert found.params_law.at(at).value == pytest.approx(truth.params(at), rel=0.1)
    assert found.tokens_per_param(at).value == pytest.approx(truth.tokens(at) / truth.params(at), rel=0.2)
    assert any("in the middle of a long learning-rate decay" in note for note in found.notes)
    assert len(found.winners) >= 40
    # Between sizes a third apart the best one is a coarse choice, which resampling the runs tells.
    coarse = envelope(curves(truth, sizes=25, noise=0.002), resamples=200).a()
    assert coarse.low < truth.a < coarse.high
    assert coarse.high - coarse.low > 0.02


def test_the_envelope_is_below_every_curve(surface, curves):
    runs = curves(sizes=9)
    found = envelope(runs, resamples=0, smooth=0)
    for _, g in runs.history.groupby("run"):
        inside = (found.flops >= g["flops"].min()) & (found.flops <= g["flops"].max())
        curve = np.exp(np.interp(np.log(found.flops[inside]), np.log(g["flops"]), np.log(g["loss"])))
        assert (found.loss[inside] <= curve * (1 + 1e-4)).all()
    # The smallest and the largest size have no rival on one side: where they win is not used.
    sizes = np.unique(found.params[found.inside])
    assert sizes.min() > 1.01e7
    assert sizes.max() < 0.99e10


def test_smoothing_takes_the_lucky_steps_out(surface, curves):
    truth = surface()
    runs = curves(truth, noise=0.01, seed=2)
    at = 1e19
    rough, smooth = (envelope(runs, smooth=s, resamples=0) for s in (0.0, 100.0))
    best = truth.loss(truth.params(at), truth.tokens(at))
    off = [abs(np.interp(np.log(at), np.log(f.flops), f.loss) / best - 1) for f in (rough, smooth)]
    assert off[0] > 2 * off[1]
    assert abs(smooth.a().value - truth.a) < 0.02


def test_final_losses_alone_are_coarser_and_say_so(surface, sweep):
    truth = surface()
    found = envelope(sweep(truth, 15, budgets=(1e18, 1e21, 12)), resamples=200)
    assert not found.from_history
    assert "no checkpoints along training" in found.notes[0]
    assert found.a().value == pytest.approx(truth.a, abs=0.06)


def test_checkpoints_of_runs_left_out_do_not_count(curves):
    runs = curves(sizes=9)
    without = envelope(runs.exclude(["size-04"]), resamples=0)
    assert "size-04" not in without.winners
    held = replace(runs, kept=runs.kept[runs.kept["run"] != "size-04"].reset_index(drop=True))
    assert envelope(held, resamples=0).winners == without.winners


def test_resamples_in_which_one_size_wins_alone_have_no_exponent(curves):
    found = envelope(curves(sizes=8, noise=0.002), resamples=400)
    assert np.abs(found.params_law.draws[:, 1]).min() > 1e-6
    lost = 400 - len(found.params_law.draws)
    assert lost > 20
    assert f"{lost} of 400 resamples have no power law: few runs carry it." in found.notes


def test_the_order_of_the_rows_changes_nothing(curves):
    runs = curves(sizes=9, noise=0.003)
    mixed = replace(runs, history=runs.history.sample(frac=1.0, random_state=1), kept=runs.kept.iloc[::-1])
    one, two = envelope(runs, resamples=50), envelope(mixed, resamples=50)
    assert one.a() == two.a()
    assert one.winners == two.winners


def test_units_move_the_numbers_and_not_the_exponent(curves):
    runs = curves(sizes=9, noise=0.003)

    def scaled(frame):
        return frame.assign(params=frame["params"] * 7, tokens=frame["tokens"] / 3, flops=frame["flops"] * 7 / 3)

    one = envelope(runs, resamples=0)
    two = envelope(replace(runs, kept=scaled(runs.kept), history=scaled(runs.history)), resamples=0)
    assert two.a().value == pytest.approx(one.a().value, abs=1e-9)
    assert two.params_law.at(7e20).value == pytest.approx(7 * one.params_law.at(3e20).value, rel=1e-9)


def test_refusals(curves, sweep):
    with pytest.raises(FitError, match="at least 3 runs of 2 or more sizes"):
        envelope(curves(sizes=3))
    runs = sweep(sizes=5)
    with pytest.raises(FitError, match="has no tokens"):
        envelope(replace(runs, kept=runs.kept.drop(columns="tokens")))
    with pytest.raises(FitError, match="smooth is a number of steps"):
        envelope(runs, smooth=-1)
    with pytest.raises(FitError, match="points are 2 to 100,000"):
        envelope(runs, points=1)
    history = curves(sizes=5).history
    history["loss"] = np.nan
    with pytest.raises(FitError):
        envelope(replace(curves(sizes=5), history=history))
