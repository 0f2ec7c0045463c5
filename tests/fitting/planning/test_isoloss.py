"""The size with the least compute at a loss: a secant's answer beside a scan's, at a fraction of its time, and where no secant lands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
import pytest

from fitting import Fit, plan
from fitting.accounting import Accounting
from fitting.planning import hour_classes as hours
from fitting.planning import isoloss
from fitting.planning.falling import falls_to_zero, halved
from fitting.planning.isoloss import Isoloss

GENERAL = {"E": 1.8, "A": 480.0, "B": 2000.0, "alpha": 0.35, "beta": 0.36, "q": 0.8}
OPEN = Accounting(least=1.1, second=0.2, slope=-0.3, draws=((1.0, 0.2, -0.3, 0.1, 0.0), (1.2, 0.1, -0.4, 0.2, 0.0)))


@pytest.fixture(scope="module")
def drawn(fit_of) -> Fit:
    """The general law with draws around it, under a count of FLOPs that is open."""
    rng = np.random.default_rng(0)
    spread = np.array([0.01, 0.2, 0.2, 0.02, 0.02, 0.1])
    draws = np.array(list(GENERAL.values())) * np.exp(spread * rng.standard_normal((60, 6)))
    return fit_of("general", accounting=OPEN, draws=draws, **GENERAL)


def along(fit: Fit, loss: float, served: float) -> Isoloss:
    named = {k: fit.draws[:, i, None] for i, k in enumerate(fit.law.names)}
    return Isoloss(fit.law, named, fit.accounting.drawn(len(fit.draws)), loss, served)


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


@pytest.mark.benchmark
def test_the_secant_finds_what_a_scan_does_in_a_fraction_of_its_time(drawn, capsys):
    """The compute of every draw to twelve digits; the size itself as far as a scan can tell it where compute is flat."""
    best = plan(drawn, loss=2.2).split.drawn
    top, start = np.log(best["params"]), np.log(best["tokens"])
    here = along(drawn, 2.2, 1e13)
    taken, (log_n, tokens) = min((seconds(lambda: here.secant(top, start)) for _ in range(3)), key=itemgetter(0))
    assert np.all(np.isfinite(log_n))
    slowly, (scanned, needed) = seconds(lambda: here.scan(top))
    np.testing.assert_allclose(
        sum(here.flops(np.exp(log_n), tokens)), sum(here.flops(np.exp(scanned), needed)), rtol=1e-12
    )
    np.testing.assert_allclose(log_n, scanned, atol=1e-6)
    reached = drawn.law({"params": np.exp(log_n), "tokens": tokens}, here.values)
    np.testing.assert_allclose(reached, 2.2, rtol=1e-10)
    with capsys.disabled():
        print(f"\nleast compute at a loss: {slowly / taken:.0f} times as fast as by a scan")
    assert slowly / taken > 5


def test_without_use_the_size_is_the_one_best_to_train(drawn):
    best = plan(drawn, loss=2.2).split.drawn
    log_n, tokens = along(drawn, 2.2, 0.0).secant(np.log(best["params"]), np.log(best["tokens"]))
    np.testing.assert_allclose(np.exp(log_n), best["params"], rtol=1e-9)
    np.testing.assert_allclose(tokens, best["tokens"], rtol=1e-9)


def test_a_draw_whose_secant_leads_nowhere_is_scanned(drawn, monkeypatch):
    best = plan(drawn, loss=2.2).split.drawn
    here = along(drawn, 2.2, 1e13).rows(np.arange(3))
    n, d = best["params"][:3].copy(), best["tokens"][:3]
    n[1] = np.inf  # a draw that no budget brings to the loss
    wanted, _ = here.least(n, d)
    whole = Isoloss.secant

    def lost(self, top, start):
        found = whole(self, top, start)
        found[0][0] = np.nan
        return found

    monkeypatch.setattr(Isoloss, "secant", lost)
    monkeypatch.setattr(isoloss, "ROUNDS", 16)
    log_n, tokens = here.least(n, d)
    np.testing.assert_allclose(log_n, wanted, atol=1e-3)
    assert np.isnan(log_n[:, 0]).tolist() == np.isnan(tokens[:, 0]).tolist() == [False, True, False]


@pytest.mark.benchmark
def test_hours_of_many_draws_are_those_of_every_size_looked_at_in_less_time(drawn, monkeypatch, capsys):
    many = replace(drawn, draws=np.tile(drawn.draws, (40, 1)))
    speed = hours.PeakSpeed(4e14, many.accounting)
    taken, quick = min((seconds(lambda: hours.hour_classes(many, speed)) for _ in range(2)), key=itemgetter(0))
    monkeypatch.setattr(hours, "STRIDES", (1,))
    slowly, whole = seconds(lambda: hours.hour_classes(many, speed))
    assert quick == whole
    with capsys.disabled():
        print(f"\nhours on one device: {slowly / taken:.1f} times as fast as by every size")
    assert slowly / taken > 2


def test_a_fall_to_zero_is_where_halving_finds_it():
    """Losses above a floor: one that is reached, one that begins far off, and one that is never reached."""
    asked = np.array([[3.0], [1.1], [0.9]])

    def over(x):
        return 1.0 + 100.0 * np.exp(-0.2 * x) - asked

    found = falls_to_zero(over, np.array([[20.0], [25.0], [20.0]]), (0.0, 100.0))
    np.testing.assert_allclose(found[:2], np.log(100.0 / (asked[:2] - 1.0)) / 0.2, rtol=1e-12)
    assert np.isnan(found[2, 0])
    by_halves = halved(over, asked.shape, (0.0, 100.0))
    np.testing.assert_allclose(by_halves[:2], found[:2], rtol=1e-12)
    assert np.isinf(by_halves[2, 0])
