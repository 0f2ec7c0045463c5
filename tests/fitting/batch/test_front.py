"""The front between time and compute, and what goes with a plan: identities, bands from draws, limits, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fitting import FitError, plan
from fitting.batch import (
    Cluster,
    Limits,
    a_number,
    from_paper,
    from_runs,
    from_sweep,
    front,
    growth,
    line_of,
    rate_laws,
    whole_run,
)
from fitting.batch.front import BANDS
from fitting.batch.published import CRITICAL, OPTIMAL, RATE
from fitting.planning.hardware import Hardware

BESIROGLU = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
B_CRIT, HAD = 2e6, 5e5


@pytest.fixture(scope="module")
def paper(fit_of):
    rng = np.random.default_rng(0)
    middle = np.array([BESIROGLU[k] for k in ("E", "A", "B", "alpha", "beta")])
    draws = middle * np.exp(0.01 * rng.standard_normal((200, 5)))
    return fit_of("chinchilla", draws=draws, **BESIROGLU)


@pytest.fixture(scope="module")
def here(paper):
    return plan(paper, flops=5.76e23)


def cluster(devices=1024.0, tokens=16384.0, price=2.0, latency=0.0):
    return Cluster(Hardware(devices, 989e12, 0.4, price), tokens, latency)


def the_front(here, **changed):
    return front(here, a_number(B_CRIT, CRITICAL), a_number(HAD, OPTIMAL), cluster(**changed))


def test_every_point_lies_on_mccandlishs_hyperbola(here):
    """(S / S_min - 1)(E / E_min - 1) = 1 at each node, with E_min what the runs' own batch leaves of the plan's tokens."""
    f = the_front(here)
    e_min = here.tokens.value / (1.0 + HAD / B_CRIT)
    s_min = e_min / B_CRIT
    examples = f.batch.value * f.steps.value
    assert (f.steps.value / s_min - 1) * (examples / e_min - 1) == pytest.approx(np.ones(len(f.seconds)), rel=1e-9)
    assert f.excess.value == pytest.approx(examples / e_min - 1, rel=1e-9)
    assert f.flops.value == pytest.approx(here.flops.value * examples / here.tokens.value, rel=1e-9)
    step = 16384 * (here.flops.value / here.tokens.value) / (989e12 * 0.4)
    assert f.seconds == pytest.approx(f.steps.value * step, rel=1e-9)
    assert f.device_hours.value == pytest.approx(f.flops.value / (989e12 * 0.4 * 3600), rel=1e-9)
    assert f.money().value == pytest.approx(2.0 * f.device_hours.value)


def test_at_the_runs_own_batch_the_plan_is_as_it_was(here):
    """There, and only there, the run takes the plan's own tokens; E_min = D would overstate it by 1 + B_runs / B_crit."""
    f = the_front(here)
    at = f.at_devices(HAD / 16384)
    assert np.interp(at, f.seconds, f.flops.value) == pytest.approx(here.flops.value, rel=2e-3)


def test_latency_lengthens_each_step(here):
    """Half a second a step on top: as much longer as there are steps."""
    plain, slow = the_front(here), the_front(here, latency=0.5)
    s_min = here.tokens.value / (1.0 + HAD / B_CRIT) / B_CRIT
    assert slow.soonest - plain.soonest == pytest.approx(0.5 * s_min)


def test_bands_hold_each_draws_own_front(here):
    """The band at a node is the middle of what each draw takes to end then, with its own critical batch."""
    doubted = B_CRIT * np.exp(0.3 * np.random.default_rng(5).standard_normal((200, 1)))
    critical = replace(a_number(B_CRIT, CRITICAL), drawn=lambda run: doubted)
    f = front(here, critical, a_number(HAD, OPTIMAL), cluster())
    k = 30
    batches = []
    run = here.split.drawn
    for n, d, b_crit in zip(run["params"][:, 0], run["tokens"][:, 0], doubted[:, 0], strict=True):
        s_min = d / (1 + HAD / b_crit) / b_crit
        over = f.seconds[k] / (16384 * 6 * n / (989e12 * 0.4)) / s_min - 1
        batches.append(b_crit / over if over > 0 else np.inf)
    low, high = np.quantile(batches, (0.5 * (1.0 - 0.95), 0.975), method="inverted_cdf")
    assert (f.batch.low[k], f.batch.high[k]) == pytest.approx((low, high), rel=1e-9)
    assert f.batch.low[k] < f.batch.value[k] < f.batch.high[k]
    assert np.isinf(f.batch.high[0])  # some draws cannot end so soon at any batch


def test_limits_bound_the_time_from_either_side(here):
    """A deadline and memory from above, devices and money from below; none holds where they cross."""
    f = the_front(here)
    on = {g: f.at_devices(g) for g in (64, 512)}
    assert on[64] > on[512]
    first, last = f.ends(Limits(deadline=on[64], devices=512, least=8))
    assert first["devices"] == pytest.approx(on[512], rel=1e-9)
    assert last == {"deadline": on[64], "memory": pytest.approx(f.at_devices(8), rel=1e-9)}
    assert f.window(Limits(deadline=on[64], devices=512)) == pytest.approx((on[512], on[64]), rel=1e-9)
    soonest, latest = f.window(Limits(deadline=on[512], devices=64))
    assert soonest > latest
    least = f.money().value.min()
    assert f.ends(Limits(money=least * 0.5))[0]["money"] == np.inf
    assert f.ends(Limits(money=1e30))[0]["money"] == 0.0
    assert f.ends(Limits(devices=1e12))[0]["devices"] == 0.0


@pytest.mark.parametrize("bad", [{"tokens": 0.0}, {"tokens": np.inf}, {"latency": -1.0}])
def test_a_cluster_that_cannot_be(bad):
    with pytest.raises(FitError, match=r"number of (tokens|seconds)|positive number"):
        cluster(**bad)


def test_what_has_no_front(paper, here):
    with pytest.raises(FitError, match="one plan"):
        the_front(plan(paper, flops=np.array([1e22, 1e23])))
    small = plan(paper, flops=1e12)  # ten thousand parameters: Zhang's law has no critical batch left there
    with pytest.raises(FitError, match="no critical batch"):
        front(small, from_paper("zhang_coupled"), a_number(1.0, OPTIMAL), cluster())
    with pytest.raises(FitError, match="positive"):
        a_number(0.0, CRITICAL)
    with pytest.raises(FitError, match="powerlines_timescale"):
        from_paper("powerlines_timescale")


@pytest.mark.parametrize("b_crit", [2e2, 3e3, 1e5, 2e6, 1e9, 1e14])
@pytest.mark.parametrize("devices", [1.0, 2.0, 13.0, 1024.0, 131072.0])
def test_a_front_spans_a_few_devices_and_none_below_one(here, b_crit, devices):
    """However near the fewest steps the plan's batch comes: from one device to several times as many, its own among them."""
    on = Cluster(Hardware(devices, 989e12, 0.4, 2.0), HAD / devices)
    f = front(here, a_number(b_crit, CRITICAL), a_number(HAD, OPTIMAL), on)
    many = f.devices.value
    assert np.all(np.diff(np.log10(f.seconds)) > 0)
    assert np.all(np.isfinite(many))
    assert many.min() >= 1.0 - 1e-6
    assert many.max() >= 3.99 * many.min()
    nearest = int(np.argmin(np.abs(many / devices - 1.0)))
    assert many[nearest] == pytest.approx(devices, rel=1e-8)
    assert f.batch.value[nearest] == pytest.approx(HAD, rel=1e-8)
    assert f.flops.value[nearest] == pytest.approx(here.flops.value, rel=1e-8)


@pytest.mark.parametrize("b_crit", [1e-40, 1e-9, 1.0])
def test_a_batch_that_leaves_no_time_to_save_has_no_front(here, b_crit):
    """At 5e5 tokens a step, 500,000 times a critical batch of one, more devices save two millionths of the time."""
    with pytest.raises(FitError, match=r"would save less than 0\.01 % of the time"):
        front(here, a_number(b_crit, CRITICAL), a_number(HAD, OPTIMAL), cluster(devices=1.0, tokens=HAD))


def test_a_plan_of_less_than_a_step_has_no_front(here):
    with pytest.raises(FitError, match="less than one step"):
        front(here, a_number(B_CRIT, CRITICAL), a_number(2.0 * here.tokens.value, OPTIMAL), cluster())


def test_step_law_along_a_plan(paper):
    """Li et al. 2025: lr = 1.79 N^-.713 D^.307, B = .58 D^.571 tokens, at each budget's own size and tokens and draw."""
    p = plan(paper, flops=np.array([1e21, 1e23]))
    w = whole_run(p, from_paper("steplaw_batch"), from_paper("steplaw_lr"), from_paper("kaplan_critical"))
    n, d = p.params.value, p.tokens.value
    assert w.batch.value == pytest.approx(0.58 * d**0.571)
    assert w.lr.value == pytest.approx(1.79 * n**-0.713 * d**0.307)
    assert w.steps.value == pytest.approx(d / (0.58 * d**0.571))
    assert w.critical.value == pytest.approx(2e8 * p.loss.value ** (-1 / 0.21))
    assert w.batch.low == pytest.approx(0.58 * p.tokens.low**0.571)  # the law is taken as exact: only the plan's doubt
    assert np.all(w.lr.low < w.lr.value)
    assert np.all(w.lr.value < w.lr.high)


def test_what_published_laws_disagree_by_goes_with_the_plan(paper):
    """By hand at 1e21 FLOP and the law's own size and tokens; Kaplan's rate, which ends at 1.2e10 parameters, leaves it to others."""
    p = plan(paper, flops=np.array([1e21, 1e26]))
    w = whole_run(p, from_paper("porian_batch"))
    n, d = p.params.value, p.tokens.value
    batches = np.array([0.58 * d**0.571, 0.7576 * n**0.703, 0.292 * np.array([1e21, 1e26]) ** 0.3271])
    assert n[0] < np.exp(3.239 / 0.1395) < n[1]
    kaplan = np.array([3.239e-3 - 1.395e-4 * np.log(n[0]), np.nan])
    bjorck = 1.55e-3 * (n / 1e9) ** -0.23 * (d / 1e9) ** -0.32
    rates = np.array(
        [1.79 * n**-0.713 * d**0.307, 3.7 * n**-0.36, 0.3118 * np.array([1e21, 1e26]) ** -0.125, kaplan, bjorck]
    )
    for gives, by_hand in ((OPTIMAL, batches), (RATE, rates)):
        low, high = w.papers[gives]
        assert low == pytest.approx(np.nanmin(by_hand, axis=0), rel=1e-9)
        assert high == pytest.approx(np.nanmax(by_hand, axis=0), rel=1e-9)
    one = whole_run(plan(paper, flops=1e21), from_paper("porian_batch"))
    assert one.papers[OPTIMAL] == pytest.approx((batches[:, 0].min(), batches[:, 0].max()))


def test_zhangs_critical_batch_becomes_mccandlishs():
    """0.2 B_crit + 1.2 x 256 = 93.20 N^.47 sequences of 512 (Zhang et al. 2024): solved for B_crit, in tokens."""
    run = {
        "params": np.array([[302e6]]),
        "tokens": np.array([[6e9]]),
        "flops": np.array([[1e19]]),
        "loss": np.array([[3.0]]),
    }
    got = from_paper("zhang_coupled").value(run)
    assert got[0, 0] == pytest.approx((93.20 * 302**0.47 - 307.2) / 0.2 * 512)
    assert from_paper("zhang_coupled").outside(run) == ""
    assert from_paper("zhang_coupled").outside({**run, "params": np.array([[7e10]])}) == "8.5e7 to 1.2e9 parameters"


def test_rules_from_ones_own_runs_bring_their_own_doubt(paper):
    """With the plan known exactly, what is left is the refitted law's own interval."""
    rng = np.random.default_rng(1)
    rows = []
    for n in (1e8, 3e8, 1e9):
        for d in (2e9, 8e9, 3e10):
            best = np.log([1.79 * n**-0.713 * d**0.307, 0.58 * d**0.571]) + 0.1 * rng.standard_normal(2)
            for a in np.linspace(-1, 1, 5):
                for b in np.linspace(-1, 1, 5):
                    lr, batch = np.exp(best[0] + a), np.exp(best[1] + b)
                    rows.append((n, d, lr, batch, 3.0 + 0.1 * (a**2 + b**2)))
    laws = rate_laws(pd.DataFrame(rows, columns=["params", "tokens", "lr", "batch", "loss"]), resamples=400)
    certain = plan(fit_like(paper), flops=1e21)
    advice = from_runs(laws.lr, RATE, {"params": (1e8, 1e9), "tokens": (2e9, 3e10)})
    w = whole_run(certain, from_runs(laws.batch, OPTIMAL, {}), advice)
    own = laws.lr.at(certain.params.value, certain.tokens.value)
    assert (w.lr.value, w.lr.low, w.lr.high) == pytest.approx((own.value, own.low, own.high), rel=1e-6)
    assert w.notes == (
        "Laws used outside the range they were fitted on: learning rate (Your runs: 1e8 to 1e9 parameters and 2e9 to 3e10 tokens).",
    )


def fit_like(f):
    """The same law with every draw at its best values: a plan without doubt."""
    return replace(f, draws=np.tile(f.values, (400, 1)))


def test_a_measured_critical_batch_keeps_students_interval(paper):
    """Five places: three degrees of freedom, so the band over many draws is that of the growth law itself."""
    rng = np.random.default_rng(2)
    sizes = np.array([1e8, 2e8, 4e8, 8e8, 1.6e9])
    law = growth(sizes, 1000 * (sizes / 1e8) ** 0.5 * np.exp(0.1 * rng.standard_normal(5)))
    certain = fit_like(paper)
    certain = plan(replace(certain, draws=np.tile(certain.values, (40_000, 1))), flops=1e20)
    w = whole_run(
        certain, a_number(1e6, OPTIMAL), critical=from_sweep(line_of(law, 40_000), "params", 512, (1e8, 1.6e9))
    )
    own = law.at(certain.params.value)
    assert w.critical.value == pytest.approx(512 * own.value)
    assert np.log([w.critical.low / 512, w.critical.high / 512]) == pytest.approx(np.log([own.low, own.high]), abs=0.03)


def test_a_law_of_compute_has_no_whole_run(fit_of):
    """It does not tell sizes, which laws of batch and learning rate speak of."""
    p = plan(fit_of("compute-floor", E=1.7, A=200.0, gamma=0.1), flops=1e21)
    with pytest.raises(FitError, match="size and tokens"):
        whole_run(p, from_paper("steplaw_batch"))
    assert p.band(lambda run: run["loss"] - 1.7).value == pytest.approx(p.loss.value - 1.7)


@pytest.mark.parametrize("latency", [0.005, 0.2])
def test_bands_on_another_device_are_those_of_all_draws(fit_of, latency):
    """Carried over by a few draws where steps have a latency: beside the front worked out anew, and nearer than those few."""
    rng = np.random.default_rng(1)
    middle = np.array([BESIROGLU[k] for k in ("E", "A", "B", "alpha", "beta")])
    many = plan(
        fit_of("chinchilla", draws=middle * np.exp(0.03 * rng.standard_normal((3000, 5))), **BESIROGLU), flops=1e23
    )
    faster = replace(cluster(latency=latency), hardware=Hardware(1024.0, 2250e12, 0.4, 2.0))
    there = the_front(many, latency=latency).on(faster)
    anew = front(many, a_number(B_CRIT, CRITICAL), a_number(HAD, OPTIMAL), faster)
    few = anew._few
    assert there.seconds == pytest.approx(anew.seconds)
    off = []
    for name in BANDS:
        ours, its, rough = (getattr(f, name) for f in (there, anew, few))
        assert ours.value == pytest.approx(its.value)
        wide = np.log(its.high / its.low)
        for end in ("low", "high"):
            a, b, c = (getattr(band, end) for band in (ours, its, rough))
            ends = np.isfinite(b) & np.isfinite(a) & np.isfinite(c)
            assert ends.mean() > 0.9
            assert (np.abs(np.log(a / b)) <= 0.01 + 0.03 * wide)[ends].all(), (name, end)
            off += [np.abs(np.log([a[ends] / b[ends], c[ends] / b[ends]])).mean(axis=1)]
    ours, rough = np.sum(off, axis=0)
    assert ours < 0.7 * rough
