"""Plans against brute force: the best split, a chosen size, a wanted loss, the valley, hardware and FLOP accounting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.flops import six_nd
from fitting import FitError, all_laws, fit, plan
from fitting.accounting import Accounting
from fitting.band import quantiles
from fitting.batch import from_paper, whole_run
from fitting.planning.allocation import optimum, valley
from fitting.planning.hardware import Hardware
from fitting.solver.fit_data import accounting

LAW = all_laws()["chinchilla"]
BESIROGLU = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


@pytest.fixture(scope="module")
def fitted(noisy):
    return fit(noisy, "chinchilla", resamples=400)


@pytest.fixture(scope="module")
def paper(fit_of):
    return fit_of("chinchilla", **BESIROGLU)


def brute(law, values, flops, count=Accounting()) -> tuple[float, float]:  # noqa: B008
    """(params, loss) of the lowest loss on two nested grids over size."""
    low, high = 0.0, np.log(flops / 6) - count.offset
    for _ in range(5):
        x = np.linspace(low, high, 1001)
        n = np.exp(x)
        loss = law({"params": n, "tokens": count.tokens(flops, n)}, values)
        k = int(np.nanargmin(loss))
        low, high = x[max(k - 2, 0)], x[min(k + 2, len(x) - 1)]
    return float(np.exp(x[k])), float(loss[k])


@settings(deadline=None, max_examples=60)
@given(
    e=st.floats(0, 3),
    share=st.tuples(st.floats(0.01, 3), st.floats(0.01, 3)),
    alpha=st.floats(0.05, 1.5),
    beta=st.floats(0.05, 1.5),
    log_c=st.floats(15, 30),
    slope=st.floats(-0.3, 0.3),
)
def test_the_split_is_the_lowest_there_is(e, share, alpha, beta, log_c, slope, fit_of):
    """Against a dense grid over size, for any exponents, any weights and any FLOP count that is a power of size."""
    constants = {"E": e, "A": share[0] * 1e9**alpha, "B": share[1] * 2e10**beta, "alpha": alpha, "beta": beta}
    count = Accounting(offset=0.2, slope=slope, centre=np.log(1e8))
    f = fit_of("chinchilla", accounting=count, **constants)
    p = plan(f, flops=10.0**log_c)
    _n, loss = brute(LAW, constants, 10.0**log_c, count)
    assert p.loss.value == pytest.approx(loss, rel=1e-9)
    assert count.flops(p.params.value, p.tokens.value) == pytest.approx(10.0**log_c, rel=1e-9)


def test_every_draw_gets_its_own_optimum(fitted):
    """The batch over draws and budgets equals one at a time, by brute force."""
    budgets = np.array([1e19, 1e22, 1e25])
    found = optimum(valley(LAW, fitted.draws, budgets, fitted.accounting))
    for r in range(0, 400, 57):
        values = dict(zip(LAW.names, fitted.draws[r], strict=True))
        for k, c in enumerate(budgets):
            n, loss = brute(LAW, values, c)
            assert found.loss[r, k] == pytest.approx(loss, rel=1e-10)
            assert found.params[r, k] == pytest.approx(n, rel=1e-3)


def test_draws_without_a_balance(fit_of):
    """A draw whose optimum the secant cannot find is scanned for, and its neighbours keep theirs."""
    good = [BESIROGLU[k] for k in LAW.names]
    draws = np.array([good, [1.8, 1e-9, 2085.0, 0.35, 0.37], [1.8, 482.0, 1e-9, 0.35, 0.37], good])
    f = fit_of("chinchilla", draws=draws, **BESIROGLU)
    budgets = np.array([1e16, 1e22])
    found = optimum(valley(LAW, draws, budgets, f.accounting))
    for r, row in enumerate(draws):
        for k, c in enumerate(budgets):
            assert found.loss[r, k] == pytest.approx(brute(LAW, dict(zip(LAW.names, row, strict=True)), c)[1], rel=1e-9)
    for budget in ({"flops": 1e22}, {"flops": budgets}, {"loss": 2.2}, {"flops": 1e22, "params": 1e9}):
        p = plan(f, **budget)
        assert np.all(np.isfinite(p.loss.value))


def test_bands_come_from_the_draws(fitted):
    p = plan(fitted, flops=1e22, level=0.9)
    sizes = np.array([plan_one(fitted, r, 1e22) for r in range(400)])
    low, high = quantiles(sizes[:, None], (0.05, 0.95))
    assert p.params.low == pytest.approx(low[0], rel=1e-6)
    assert p.params.high == pytest.approx(high[0], rel=1e-6)
    assert p.params.level == 0.9
    assert p.params.low < p.params.value < p.params.high
    assert p.loss_run.low < p.loss.low < p.loss.high < p.loss_run.high, "a new run is less certain than the law"


def plan_one(f, r: int, c: float) -> float:
    _e, a, b, alpha, beta = f.draws[r]
    return float((alpha * a / (beta * b)) ** (1 / (alpha + beta)) * (c / 6) ** (beta / (alpha + beta)))


def test_many_budgets_are_each_budget(fitted):
    budgets = np.geomspace(1e18, 1e26, 7)
    many = plan(fitted, flops=budgets)
    for k, c in enumerate(budgets):
        one = plan(fitted, flops=float(c))
        for name in ("params", "tokens", "tokens_per_param", "loss", "loss_run"):
            for side in ("value", "low", "high"):
                assert getattr(getattr(many, name), side)[k] == pytest.approx(
                    getattr(getattr(one, name), side), rel=1e-8
                )
        assert many.valley[0][k] == pytest.approx(one.valley[0], rel=1e-6)
        assert many.beyond[k] == pytest.approx(one.beyond)


@settings(deadline=None, max_examples=12)
@given(log_c=st.floats(17, 27))
def test_wanted_loss_inverts_the_budget(fitted, log_c):
    """The budget planned for the loss that a budget gives is that budget, with its size and tokens."""
    there = plan(fitted, flops=10.0**log_c)
    back = plan(fitted, loss=there.loss.value)
    assert back.flops.value == pytest.approx(10.0**log_c, rel=1e-6)
    assert back.params.value == pytest.approx(there.params.value, rel=1e-6)
    assert back.tokens.value == pytest.approx(there.tokens.value, rel=1e-6)
    assert back.flops.low <= back.flops.value <= back.flops.high
    assert back.loss.value == pytest.approx(there.loss.value, rel=1e-10)


def test_wanted_loss_at_a_chosen_size(fitted, paper):
    there = plan(paper, flops=1e22, params=3e9)
    back = plan(paper, loss=there.loss.value, params=3e9)
    assert back.flops.value == pytest.approx(1e22, rel=1e-6)
    assert back.params.value == pytest.approx(3e9)
    at_best = plan(paper, loss=there.loss.value)
    assert at_best.flops.value < back.flops.value


def test_unreachable_losses(fitted, paper):
    """Below the floor, and below what a chosen size can reach: a sentence with the lowest loss there is."""
    with pytest.raises(FitError, match="No budget"):
        plan(paper, loss=1.81)
    with pytest.raises(FitError, match="No budget"):
        plan(paper, loss=1.9, params=1e8)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(FitError):
            plan(paper, loss=bad)


def test_some_draws_never_reach_the_loss(fitted):
    """Then the upper end of the budget is infinite, and says so, and the lower end is a number."""
    floor = fitted.interval("E", 0.95)
    wanted = fitted.params["E"] + 0.5 * (floor.high - fitted.params["E"])
    p = plan(fitted, loss=wanted)
    assert np.isfinite(p.flops.value)
    assert np.isfinite(p.flops.low)
    assert p.flops.high == np.inf
    assert p.params.high == np.inf
    assert not np.isnan([p.loss.low, p.loss.high, p.tokens.high, p.tokens_per_param.low]).any()


def test_penalty_of_a_chosen_size(fitted, paper):
    best = plan(paper, flops=1e22)
    assert best.penalty is None
    same = plan(paper, flops=1e22, params=best.params.value)
    assert same.penalty.value == pytest.approx(0.0, abs=1e-12)
    small = plan(fitted, flops=1e22, params=5e8)
    _, lowest = brute(LAW, fitted.params, 1e22)
    loss = LAW({"params": 5e8, "tokens": 1e22 / 3e9}, fitted.params)
    assert small.loss.value == pytest.approx(loss, rel=1e-12)
    assert small.penalty.value == pytest.approx(loss / lowest - 1, rel=1e-6)
    assert small.penalty.low >= 0, "no draw does better than its own best"
    assert small.valley is None


def test_a_size_that_goes_often_over_its_text_is_held_against_the_best_of_new_text(fitted):
    """The law takes each of many passes for new text at the chosen size; the best beside it is that of new text too."""
    seen = plan(fitted, flops=1e24, params=3e10, unique_tokens=1e11)
    assert seen.tokens.value > 50 * 1e11
    assert seen.penalty.low >= 0
    assert seen.penalty.value == pytest.approx(plan(fitted, flops=1e24, params=3e10).penalty.value)
    within = plan(fitted, flops=1e24, params=6e11, unique_tokens=1e11)  # fewer passes than the best may have
    assert within.penalty.value == pytest.approx(
        within.loss.value / plan(fitted, flops=1e24, unique_tokens=1e11).loss.value - 1
    )
    both = plan(fitted, flops=1e24, params=[3e10, 6e11], unique_tokens=1e11).penalty
    assert both.value == pytest.approx([seen.penalty.value, within.penalty.value])


def test_a_budget_below_any_run_is_said_to_be_one(fit_of):
    small = plan(fit_of("chinchilla", accounting=Accounting(offset=8.0), **BESIROGLU), flops=1e3)
    assert small.tokens.value < 1
    assert "less than one token" in " ".join(small.notes)


def test_valley_is_a_thousandth(paper):
    """Its ends are the two sizes at which the loss is .1 % above the best."""
    p = plan(paper, flops=1e22)
    for n, side in zip(p.valley, (-1, 1), strict=True):
        assert LAW({"params": n, "tokens": 1e22 / 6 / n}, BESIROGLU) == pytest.approx(1.001 * p.loss.value, rel=1e-9)
        assert side * (n - p.params.value) > 0


def test_hardware_and_money(paper):
    """H100s at 40 % of 989 TFLOP/s: 1.424e18 FLOP a device-hour, there and back."""
    h = Hardware(devices=256, peak=989e12, utilisation=0.4, price=2.0)
    assert h.flops_per_device_hour == pytest.approx(989e12 * 0.4 * 3600)
    by_hours = plan(paper, devices=256, hours=100, peak=989e12, utilisation=0.4)
    assert by_hours.flops.value == pytest.approx(256 * 100 * 3600 * 989e12 * 0.4)
    by_money = plan(paper, money=51200, price=2.0, devices=256, peak=989e12, utilisation=0.4)
    assert by_money.flops.value == pytest.approx(by_hours.flops.value)
    assert by_money.hardware.money(by_money.flops.value) == pytest.approx(51200)
    assert by_money.hardware.hours(by_money.flops.value) == pytest.approx(100)
    assert by_money.params.value == pytest.approx(plan(paper, flops=by_hours.flops.value).params.value)


@pytest.mark.parametrize(
    "budget",
    [{}, {"flops": 1e21, "loss": 2.2}, {"money": 100.0}, {"flops": 1e21, "money": 100.0, "price": 1.0}, {"devices": 8}],
)
def test_a_budget_is_given_once(paper, budget):
    with pytest.raises(TypeError):
        plan(paper, **budget)


@pytest.mark.parametrize(
    "budget",
    [
        {"flops": 0.0},
        {"flops": -1e20},
        {"flops": float("nan")},
        {"flops": float("inf")},
        {"flops": 1e80},
        {"hours": -5.0, "devices": 8},
        {"hours": 5.0, "devices": 0},
        {"hours": 5.0, "devices": 8, "utilisation": 1.5},
        {"hours": 5.0, "devices": 8, "peak": -1.0},
        {"money": 10.0, "price": 0.0},
        {"flops": 1e21, "params": 0.0},
        {"flops": 1e21, "params": float("nan")},
    ],
)
def test_budgets_that_are_none(paper, budget):
    with pytest.raises(FitError):
        plan(paper, **budget)


def test_a_table_that_counts_flops_its_own_way(make_runs):
    """C / 6ND that levels off with N is found from the rows, kept in the fit, and the plan spends the budget by it."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 8), np.geomspace(1e9, 3e11, 5)))
    count = Accounting(offset=-1.2, slope=-0.4, centre=float(np.log(n).mean()), least=1.4)
    loss = LAW({"params": n, "tokens": d}, BESIROGLU)
    f = fit(make_runs(params=n, tokens=d, loss=loss, flops=count.flops(n, d)), "chinchilla", resamples=0)
    assert f.accounting.least == pytest.approx(1.4, abs=1e-5)
    assert f.accounting.slope == pytest.approx(-0.4, abs=1e-5)
    assert f.accounting.spread == pytest.approx(0.0, abs=1e-6)
    p = plan(f, flops=1e23)
    assert count.flops(p.params.value, p.tokens.value) == pytest.approx(1e23, rel=1e-6)
    assert p.params.value == pytest.approx(brute(LAW, BESIROGLU, 1e23, count)[0], rel=1e-4)
    plain = plan(fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=0), flops=1e23)
    assert abs(plain.params.value / p.params.value - 1) > 0.05


def test_accounting_of_tables(make_runs):
    n, d = np.geomspace(1e8, 1e10, 12), np.geomspace(1e9, 1e11, 12)
    assert accounting(make_runs(params=n, tokens=d, loss=n * 0 + 2).kept) == Accounting(
        centre=accounting(make_runs(params=n, tokens=d, loss=n * 0 + 2).kept).centre
    )
    assert accounting(make_runs(params=n, loss=n * 0 + 2).kept) == Accounting()
    scattered = six_nd(n, d) * np.exp(0.1 * np.random.default_rng(0).standard_normal(12))
    found = accounting(make_runs(params=n, tokens=d, loss=n * 0 + 2, flops=scattered).kept)
    assert 0.03 < found.spread < 0.2
    two_sizes = np.where(np.arange(12) < 6, 1e8, 1e9)
    found = accounting(make_runs(params=two_sizes, tokens=d, loss=n * 0 + 2, flops=8 * two_sizes * d).kept)
    assert found.slope == 0.0
    assert found.ratio(1e12) == pytest.approx(8 / 6)


def test_laws_of_compute_alone(fit_of):
    """A loss for a budget and a budget for a loss, and no word about size."""
    f = fit_of("compute-floor", E=1.7, A=1e3, gamma=0.15)
    p = plan(f, flops=1e22)
    assert p.loss.value == pytest.approx(1.7 + 1e3 * 1e22**-0.15, rel=1e-12)
    assert p.params is None
    assert p.tokens is None
    assert p.tokens_per_param is None
    assert p.valley is None
    assert plan(f, loss=p.loss.value).flops.value == pytest.approx(1e22, rel=1e-6)
    with pytest.raises(FitError, match="No budget"):
        plan(f, loss=1.69)
    with pytest.raises(FitError, match="size"):
        plan(f, flops=1e22, params=1e9)


@pytest.mark.parametrize("key", ["kaplan-params", "kaplan-tokens"])
def test_laws_of_one_input_cannot_split(key, fit_of):
    law = all_laws()[key]
    f = fit_of(key, **law.published[0].values)
    with pytest.raises(FitError, match="cannot split"):
        plan(f, flops=1e22)


def test_beyond_the_runs_is_said(fitted):
    p = plan(fitted, flops=1e25)
    largest = fitted.ranges["flops"][1]
    assert p.beyond == pytest.approx(1e25 / largest)
    assert any("beyond" in n for n in p.notes)
    inside = plan(fitted, flops=0.05 * largest)
    assert inside.beyond < 1
    assert not any("beyond" in n for n in inside.notes)


def test_more_compute_is_never_worse(fitted):
    budgets = np.geomspace(1e17, 1e28, 40)
    loss = plan(fitted, flops=budgets).loss
    assert np.all(np.diff(loss.value) < 0)
    assert np.all(loss.low <= loss.value)
    assert np.all(loss.value <= loss.high)


MUENNIGHOFF = {"E": 1.87, "A": 521.0, "B": 1488.0, "alpha": 0.353, "beta": 0.353, "R_N": 5.31, "R_D": 15.4}


@pytest.mark.parametrize("unique", [1e9, 3e10, 1e12])
def test_a_law_of_repeats_is_planned_with_the_text_there_is(fit_of, unique):
    """Against a dense grid over size, the law told how many of the tokens are new."""
    law = all_laws()["data-constrained"]
    p = plan(fit_of("data-constrained", **MUENNIGHOFF), flops=1e22, unique_tokens=unique)
    n = np.exp(np.linspace(np.log(1e6), np.log(1e14), 400_001))
    loss = law({"params": n, "tokens": 1e22 / (6 * n), "unique_tokens": np.float64(unique)}, MUENNIGHOFF)
    assert p.loss.value == pytest.approx(loss.min(), rel=1e-9)
    assert p.params.value == pytest.approx(n[np.argmin(loss)], rel=1e-3)
    assert "epochs of" in p.notes[0]


def test_a_law_of_new_tokens_is_held_to_four_passes(paper):
    """The best that is left uses the budget up on just so many tokens; with text enough nothing changes."""
    free = plan(paper, flops=1e22)
    held = plan(paper, flops=1e22, unique_tokens=free.tokens.value / 10)
    assert held.tokens.value == pytest.approx(0.4 * free.tokens.value, rel=1e-9)
    assert 6 * held.params.value * held.tokens.value == pytest.approx(1e22, rel=1e-9)
    assert held.loss.value > free.loss.value
    assert held.valley[0] == pytest.approx(held.params.value, rel=1e-6)  # no smaller model is allowed
    assert any("Limited to 4 epochs" in note for note in held.notes)
    ample = plan(paper, flops=1e22, unique_tokens=free.tokens.value)
    assert (ample.params.value, ample.loss.value) == (free.params.value, free.loss.value)
    needs = plan(paper, loss=held.loss.value, unique_tokens=free.tokens.value / 10)
    assert needs.flops.value == pytest.approx(1e22, rel=1e-6)
    chosen = plan(paper, flops=1e22, params=free.params.value, unique_tokens=free.tokens.value / 10)
    assert any("counts repeated tokens as new" in note for note in chosen.notes)


def test_text_that_is_none(paper, fit_of):
    with pytest.raises(FitError, match="at least 1"):
        plan(paper, flops=1e22, unique_tokens=0.0)
    with pytest.raises(FitError, match="give unique_tokens"):
        plan(fit_of("data-constrained", **MUENNIGHOFF), flops=1e22)


def test_draws_without_a_best_size_leave_its_interval_open(fit_of):
    """Where only tokens lower the loss the search ends at one parameter, which is no answer of the law."""
    law = {"E": 1.8, "A": 480.0, "B": 2000.0, "alpha": 0.35, "beta": 0.36}
    draws = np.tile(list(law.values()), (100, 1)) * np.exp(0.01 * np.random.default_rng(0).standard_normal((100, 5)))
    closed = plan(fit_of("chinchilla", draws=draws, **law), flops=1e20)
    draws[:10, 1] = 1e-12
    found = plan(fit_of("chinchilla", draws=draws, **law), flops=1e20)
    assert found.params.low == -np.inf
    assert found.params.high == pytest.approx(closed.params.high, rel=0.05)
    assert found.tokens.high == found.tokens_per_param.high == np.inf
    assert found.tokens.low == pytest.approx(closed.tokens.low, rel=0.05)
    assert np.isfinite([found.loss.low, found.loss.high, found.flops.low]).all()
    assert any(note.startswith("In 10 % of the draws no size is best for this budget") for note in found.notes)
    assert not any("no size is best" in note for note in closed.notes)
    run = whole_run(found, from_paper("steplaw_batch"), from_paper("steplaw_lr"))
    assert np.isinf([run.batch.high, run.steps.high, run.lr.high]).all()
    chosen = plan(fit_of("chinchilla", draws=draws, **law), flops=1e20, params=1e9)
    assert chosen.params.low == chosen.params.high
