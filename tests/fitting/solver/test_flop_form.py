"""FLOPs beyond 6ND: plans against a one-dimensional minimisation with the true count, over kinds of table and budgets."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from data.flops import CONVENTIONS, Shape, params_by_group, six_nd
from fitting import fit, load_fit, plan
from fitting.accounting import Accounting
from fitting.solver.flop_form import flop_form

TRUE = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
BUDGETS = np.geomspace(1e10, 1e40, 11)


def width(n):
    return (n / 0.1875) ** (1 / 3)


def mixture(experts: int, active: int, vocab: int = 50304):
    """Active over all parameters of models with embedding and head, depth a 64th of the width; sizes count all parameters."""
    d = np.geomspace(1e-6, 1e14, 200_001)
    total, works = (2 * vocab * d + d**3 / 64 * (4 + 8 * k) for k in (experts, active))
    x, y = np.log(total), np.log(works / total)
    return lambda n: np.exp(np.interp(np.log(n), x, y))


IDLE = Accounting(-1.9, -0.3, 18.0, 0.0, 1.0, 1.0, 0.0, 0.2, 0.4)
# C / 6ND by size; each is positive at every size that a plan may have.
EXACT = {
    "6ND": lambda n: 1 + 0 * n,
    "9ND": lambda n: 1.5 + 0 * n,
    "two of sixteen experts": lambda n: 0.2 + 0 * n,
    "a vocabulary": lambda n: 1 + 50304 * width(n) / n,
    "attention": lambda n: 1 + 4096 / 6 / width(n),
    "attention and a vocabulary": lambda n: 1 + 50304 * width(n) / n + 2048 / 6 / width(n),
    "a vocabulary at one depth": lambda n: 1 + 50304 * (n / 192) ** 0.5 / n,
    "a vocabulary at one width": lambda n: 1 + 50304 * 512 / n,
    "recomputation and a vocabulary": lambda n: 4 / 3 + 50304 * width(n) / n,
    "recomputation and attention": lambda n: 4 / 3 + 2048 / 6 / width(n),
    "a small vocabulary": lambda n: 1 + 256 * width(n) / n,
    "a vocabulary counted that does no work": lambda n: IDLE.ratio(n),
    "8 of 64 experts": mixture(64, 8),
    "2 of 8 experts": mixture(8, 2),
    "1 of 256 experts": mixture(256, 1),
    "without a lower bound": lambda n: 1.5 * (n / 1e8) ** -0.05,
    "wide attention": lambda n: 1 + 512 / 6 / (n / 1e3) ** 0.4,
}


def loss(n, d):
    return TRUE["E"] + TRUE["A"] * n ** -TRUE["alpha"] + TRUE["B"] * d ** -TRUE["beta"]


def lowest(ratio, budget) -> tuple[float, float]:
    """(params, loss) that the budget buys at best when FLOPs are counted truly."""

    def along(x):
        n = np.exp(x)
        return loss(n, budget / (6 * n * ratio(n)))

    x = np.linspace(0, np.log(budget / 6), 2001)
    k = int(np.argmin(along(x)))
    ends = x[max(k - 1, 0)], x[min(k + 1, 2000)]
    found = minimize_scalar(along, bounds=ends, method="bounded", options={"xatol": 1e-10})
    return float(np.exp(found.x)), float(found.fun)


def table(make_runs, ratio, scatter=0.0, noise=0.0, seed=0, sizes=8):
    rng = np.random.default_rng(seed)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, sizes), np.geomspace(2e8, 2e10, 6)))
    flops = six_nd(n, d) * ratio(n) * np.exp(scatter * rng.standard_normal(n.shape))
    return make_runs(params=n, tokens=d, flops=flops, loss=loss(n, d) * np.exp(noise * rng.standard_normal(n.shape)))


@pytest.mark.parametrize("kind", EXACT)
def test_plans_spend_flops_as_they_are_truly_counted(kind, make_runs):
    f = fit(table(make_runs, EXACT[kind]), "chinchilla", resamples=0)
    made = plan(f, flops=BUDGETS)
    for k, budget in enumerate(BUDGETS):
        size, value = lowest(EXACT[kind], budget)
        assert made.params.value[k] == pytest.approx(size, rel=0.02)
        assert made.loss.value[k] == pytest.approx(value, rel=1e-4)


def test_a_vocabulary_far_out(make_runs):
    """The ratio never goes below what forward and backward cost, and the plan is that of the true count."""
    ratio = EXACT["a vocabulary"]
    f = fit(table(make_runs, ratio), "chinchilla", resamples=50)
    size, value = lowest(ratio, 1e24)
    assert size == pytest.approx(9.4e10, rel=0.05)
    p = plan(f, flops=1e24)
    assert p.params.value == pytest.approx(size, rel=1e-3)
    assert p.loss.value == pytest.approx(value, rel=1e-6)
    for n in np.geomspace(1, 1e20, 41):
        assert f.accounting.ratio(n) == pytest.approx(ratio(n), rel=1e-4)
        assert f.accounting.ratio(n) >= 1.0


@pytest.mark.parametrize(
    "kind",
    [
        "a vocabulary", "attention", "attention and a vocabulary", "9ND", "8 of 64 experts", "2 of 8 experts",
        "without a lower bound",
    ],
)  # fmt: skip
def test_what_scatter_leaves_open_is_in_the_bands(kind, make_runs):
    """Over tables whose FLOPs scatter by 2 %, the true best size lies within the interval in nine of ten or more."""
    held = []
    best = [lowest(EXACT[kind], budget)[0] for budget in (1e19, 1e24)]
    for seed in range(12):
        f = fit(table(make_runs, EXACT[kind], 0.02, 0.002, seed), "chinchilla", resamples=100)
        made = plan(f, flops=np.array([1e19, 1e24]))
        for k, size in enumerate(best):
            held.append(made.params.low[k] <= size <= made.params.high[k])
    assert np.mean(held) >= 0.9


@pytest.mark.parametrize(("experts", "active"), [(64, 8), (8, 2), (128, 1), (16, 4)])
@pytest.mark.parametrize("seed", [0, 1])
def test_what_stays_of_a_mixture_is_below_the_last_ratio_seen(experts, active, seed):
    """Ratios inside the runs and 100 times beyond the largest; where FLOPs scatter by 1 %, within the drawn forms."""
    ratio, sizes = mixture(experts, active), np.geomspace(1e7, 1e9, 8)
    asked = np.array([1e7, 1e8, 1e9, 1e10, 1e11])
    found = flop_form(np.log(sizes), np.log(ratio(sizes)))
    np.testing.assert_allclose(found.ratio(asked), ratio(asked), rtol=2e-3)
    scatter = 0.01 * np.random.default_rng(seed).standard_normal(8)
    low, high = np.quantile(
        flop_form(np.log(sizes), np.log(ratio(sizes)) + scatter).drawn(200).ratio(asked[:, None].T),
        [0.025, 0.975],
        axis=0,
    )
    assert np.all((low <= ratio(asked)) & (ratio(asked) <= high))


@pytest.mark.parametrize("seed", range(6))
def test_scatter_alone_makes_no_mixture(seed):
    """Ratios of a dense table that dip below one by their scatter level off at one or little less."""
    n = np.geomspace(1e7, 1e9, 8)
    scatter = 0.03 * np.random.default_rng(seed).standard_normal(8)
    found = flop_form(np.log(n), np.log(EXACT["a vocabulary"](n)) + scatter)
    assert found.ratio(1e14) > 0.85


def test_a_ratio_that_rises_levels_off():
    """Sizes that count a vocabulary which does no work: at most as much above what was seen as is allowed, and never below zero."""
    n = np.geomspace(1.6e8, 2.5e10, 20)
    true = 1.06 - 0.32 * (n / 1.6e8) ** -0.8
    found = flop_form(np.log(n), np.log(true))
    assert found.ratio(1e12) == pytest.approx(1.06, abs=0.01)
    assert np.all(found.ratio(np.geomspace(1, 1e8, 30)) > 0)


@pytest.mark.parametrize(
    "convention", ["kaplan", "chinchilla", "porian", "porian_attention", "deepseek", "step_law", "megatron"]
)
@pytest.mark.parametrize("counted", ["total", "nonembed"])
def test_every_convention_of_counting_is_followed_far_out(convention, counted):
    """FLOPs of shapes whose depth grows with width, sizes with and without embeddings, to models 1,000 times the largest."""

    def at(width: int) -> tuple[float, float]:
        shape = Shape(layers=width // 64, width=width, heads=width // 64, vocab=50304, seq_len=2048)
        n = getattr(params_by_group(shape), counted)
        return n, CONVENTIONS[convention](shape) / (6 * n)

    n, ratio = np.array([at(w) for w in (256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280)]).T
    found = flop_form(np.log(n), np.log(ratio))
    for width in (128, 2048, 4096, 16384):
        size, true = at(width)
        assert found.ratio(size) == pytest.approx(true, rel=2e-3)
        assert found.params(found.flops(size, 1e9), 1e9) == pytest.approx(size, rel=1e-9)


@pytest.mark.parametrize("counted", ["total", "nonembed"])
def test_depths_that_are_whole_numbers_leave_their_doubt(counted):
    """Depths rounded as people round them: the true ratio of larger models lies in the interval nine times of ten."""
    held = []
    for each in range(20):
        rng = np.random.default_rng(each)

        def at(width: int, per: float = rng.uniform(40, 90), rng=rng) -> tuple[float, float]:
            layers = max(1, round(width / per + rng.uniform(-1, 1)))
            shape = Shape(layers=layers, width=width, heads=width // 64, vocab=32000, seq_len=2048)
            n = getattr(params_by_group(shape), counted)
            return n, CONVENTIONS["porian_attention"](shape) / (6 * n)

        n, ratio = np.array([at(w) for w in range(256, 1536, 128)]).T
        drawn = flop_form(np.log(n), np.log(ratio)).drawn(200)
        for width in (2048, 4096, 12288):
            size, true = at(width)
            low, high = np.quantile(drawn.ratio(size), [0.025, 0.975])
            held.append(low * 0.999 <= true <= high * 1.001)
    assert np.mean(held) >= 0.9


@pytest.mark.parametrize("kind", ["attention", "a vocabulary", "9ND", "8 of 64 experts", "without a lower bound"])
@pytest.mark.parametrize("scatter", [0.0, 0.01])
def test_every_value_lies_within_its_interval(kind, scatter, make_runs):
    """At any budget, size and amount of text: draws of a form that may go no lower lie on one side of it."""
    f = fit(table(make_runs, EXACT[kind], scatter, 0.002), "chinchilla", resamples=60)
    budgets = np.geomspace(1e12, 1e36, 9)
    for asked in ({}, {"unique_tokens": 1e9}, {"params": 1e9}, {"params": 1e12}):
        p = plan(f, flops=budgets[2:], **asked)
        for band in (p.params, p.tokens, p.tokens_per_param, p.loss, p.loss_run, *([p.penalty] if p.penalty else [])):
            assert np.all((band.low <= band.value) & (band.value <= band.high))
        per = p.band(lambda x: x["tokens"] / x["params"])
        assert np.all((per.low <= per.value) & (per.value <= per.high))


@pytest.mark.parametrize(("sign", "idle"), [(1.0, 0.0), (-1.0, 0.0), (1.0, 0.4), (1.0, 30.0)])
def test_sizes_and_tokens_spend_the_same_budget(sign, idle):
    """`params` undoes `flops`, and the elasticity is the slope of the ratio."""
    count = Accounting(-1.0, -0.3, 18.0, 0.0, 1.1, sign, 0.05, 0.2 if sign > 0 else 0.0, idle)
    n = np.geomspace(1e6, 1e14, 33)
    np.testing.assert_allclose(count.params(count.flops(n, 1e9), 1e9), n, rtol=1e-9)
    step = 1e-5
    rise = (np.log(count.ratio(n * np.exp(step))) - np.log(count.ratio(n * np.exp(-step)))) / (2 * step)
    np.testing.assert_allclose(count.elasticity(n), rise, atol=1e-7)


def test_a_fit_saved_before_the_ratio_levelled_off(make_runs):
    """Its four numbers are a power of size, as they were."""
    f = fit(table(make_runs, EXACT["attention"]), "chinchilla", resamples=20)
    assert load_fit(f.to_json()).accounting == f.accounting
    idle = fit(table(make_runs, IDLE.ratio), "chinchilla", resamples=20)
    assert idle.accounting.idle > 0
    assert load_fit(idle.to_json()).accounting == idle.accounting
    body = json.loads(f.to_json())
    del body["checksum"]
    body["accounting"] = {"offset": 0.3, "slope": -0.08, "centre": 20.0, "spread": 0.01}
    assert load_fit(json.dumps(body)).accounting.ratio(np.exp(21.0)) == pytest.approx(np.exp(0.22))


@pytest.mark.parametrize("ratio", [EXACT["attention and a vocabulary"], IDLE.ratio])
def test_python_counts_as_the_plan_does(ratio, make_runs):
    f = fit(table(make_runs, ratio), "chinchilla", resamples=20)
    scope: dict = {}
    exec(f.to_python(), scope)
    p = plan(f, flops=1e24)
    n, d, value = scope["best"](1e24)
    assert (n, d) == pytest.approx((p.params.value, p.tokens.value), rel=1e-5)
    assert value == pytest.approx(p.loss.value, rel=1e-9)


def contradicting(make_runs, factor):
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 8), np.geomspace(2e8, 2e10, 6)))
    rng = np.random.default_rng(0)
    flops = six_nd(n, d) * factor(n, d, rng.standard_normal(n.shape))
    runs = make_runs(params=n, tokens=d, flops=flops, loss=loss(n, d) * np.exp(0.002 * rng.standard_normal(n.shape)))
    return fit(runs, "chinchilla", resamples=20)


@pytest.mark.parametrize(
    ("factor", "state", "words"),
    [
        (lambda n, d, z: np.exp(3 * z), "fail", "scatter by a factor of"),
        (lambda n, d, z: np.exp(0.3 * z), "caution", "scatter by a factor of"),
        (lambda n, d, z: (d / 1e9) ** 0.2, "caution", "tokens to the power of 1.2"),
        (lambda n, d, z: EXACT["attention"](n) * (d / 1e9) ** -1.0, "fail", "tokens to the power of 0;"),
    ],
)
def test_flops_that_contradict_size_and_tokens_are_said(factor, state, words, make_runs):
    f = contradicting(make_runs, factor)
    (found,) = (v for v in f.verdicts if v.key == "flops")
    assert found.state == state
    assert words in found.sentence
    assert any("FLOPs" in w for w in plan(f, flops=1e20).notes) or state == "caution"


@pytest.mark.parametrize("kind", EXACT)
def test_flops_that_follow_from_size_say_nothing(kind, make_runs):
    f = contradicting(make_runs, lambda n, d, z: EXACT[kind](n) * np.exp(0.02 * z))
    assert not [v for v in f.verdicts if v.key == "flops"]


def test_active_parameters_say_what_flops_say_in_short(make_runs):
    """FLOPs written with two digits: the ratio is that of the columns of parameters, to the last digit."""
    ratio = mixture(64, 8)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 8), np.geomspace(2e8, 2e10, 6)))
    flops = np.array([float(f"{x:.2g}") for x in six_nd(n * ratio(n), d)])
    columns = {"params": n, "tokens": d, "flops": flops, "loss": loss(n, d)}
    f = fit(make_runs(**columns, params_active=n * ratio(n)), "chinchilla", resamples=0)
    at = np.geomspace(1e7, 1e11, 9)
    np.testing.assert_allclose(f.accounting.ratio(at), ratio(at), rtol=1e-4)
    other = fit(make_runs(**columns, params_active=n / 2), "chinchilla", resamples=0)  # which FLOPs do not bear out
    np.testing.assert_allclose(other.accounting.ratio(at[:5]), ratio(at[:5]), rtol=0.05)
