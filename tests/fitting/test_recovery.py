"""Planted Chinchilla laws come back to 1e-6 in every parameter, on three scales, from tables of several shapes."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import all_laws, fit, plan

CHINCHILLA = all_laws()["chinchilla"]
PLANTED = {
    "published": {"E": 1.6934, "A": 406.4, "B": 410.7, "alpha": 0.33917084, "beta": 0.2849083},
    "symmetric": {"E": 1.8, "A": 480.0, "B": 900.0, "alpha": 0.31, "beta": 0.31},
    "lopsided": {"E": 1.7, "A": 3000.0, "B": 40.0, "alpha": 0.465, "beta": 0.155},
}
SIZES = {"toy": (1e5, 1e7), "small": (1e8, 1e10), "huge": (1e11, 1e13)}
# On their own scale the published constants leave nothing to see at 1e5 or 1e13: each law is moved there with its
# terms' shares of the loss kept, which is what a change of the unit of N and D does.
HOME = {"params": 1e9, "tokens": 2e10}


def moved(law: dict[str, float], n0: float, d0: float) -> dict[str, float]:
    return {
        **law,
        "A": law["A"] * (n0 / HOME["params"]) ** law["alpha"],
        "B": law["B"] * (d0 / HOME["tokens"]) ** law["beta"],
    }


def ladder(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Seven sizes by five token counts: 4 to 320 tokens a parameter."""
    n, ratio = np.meshgrid(np.geomspace(low, high, 7), [4.0, 12.0, 36.0, 108.0, 320.0])
    return n.ravel(), (n * ratio).ravel()


def isoflops(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Six budgets with nine sizes each."""
    c, shift = np.meshgrid(np.geomspace(120 * low**2, 120 * high**2, 6), np.linspace(-1.2, 1.2, 9))
    n = np.sqrt(c / 120) * np.exp(shift)
    return n.ravel(), (c / (6 * n)).ravel()


@pytest.mark.parametrize("delta", [1e-3, 1e-5, 0.1, float("inf")])
@pytest.mark.parametrize("shape", [ladder, isoflops])
@pytest.mark.parametrize("scale", SIZES)
@pytest.mark.parametrize("planted", PLANTED)
def test_planted_law_comes_back(planted: str, scale: str, shape, delta: float, make_runs):
    n, d = shape(*SIZES[scale])
    truth = moved(PLANTED[planted], float(np.exp(np.log(n).mean())), float(np.exp(np.log(d).mean())))
    loss = CHINCHILLA({"params": n, "tokens": d}, truth)
    f = fit(make_runs(params=n, tokens=d, loss=loss), law="chinchilla", delta=delta, resamples=0)
    for k, v in truth.items():
        assert f.params[k] == pytest.approx(v, rel=1e-6), k
    assert f.objective < 1e-20
    assert {v.key: v.state for v in f.verdicts}["converged"] == "pass"


@pytest.mark.parametrize("planted", PLANTED)
def test_the_plan_of_a_planted_law_is_its_closed_form(planted: str, make_runs):
    """Hoffmann et al. 2022, eq. 4, from the fitted table: N* = G (C/6)^a with a = beta / (alpha + beta)."""
    n, d = ladder(1e8, 1e10)
    t = PLANTED[planted]
    f = fit(make_runs(params=n, tokens=d, loss=CHINCHILLA({"params": n, "tokens": d}, t)), "chinchilla", resamples=0)
    for c in (1e19, 1e22, 5.76e23):
        p = plan(f, flops=c)
        g = (t["alpha"] * t["A"] / (t["beta"] * t["B"])) ** (1 / (t["alpha"] + t["beta"]))
        assert p.params.value == pytest.approx(g * (c / 6) ** (t["beta"] / (t["alpha"] + t["beta"])), rel=1e-5)
        assert p.tokens.value == pytest.approx(c / 6 / p.params.value, rel=1e-9)


def test_outliers_of_a_planted_law_do_not_move_it(make_runs):
    """A tenth of the runs thrown far off: Huber at 1e-3 stays where least squares goes with them."""
    n, d = isoflops(1e8, 1e10)
    t = PLANTED["published"]
    loss = CHINCHILLA({"params": n, "tokens": d}, t)
    loss[::10] *= 1.2
    runs = make_runs(params=n, tokens=d, loss=loss)
    robust = fit(runs, "chinchilla", delta=1e-6, resamples=0)
    least = fit(runs, "chinchilla", delta=float("inf"), resamples=0)
    assert robust.params["alpha"] == pytest.approx(t["alpha"], rel=1e-3)
    assert abs(least.params["alpha"] / t["alpha"] - 1) > 0.01
