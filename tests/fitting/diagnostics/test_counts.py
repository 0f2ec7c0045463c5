"""What a law of N and D does not see: which parameters are counted, and how deep and wide models are built."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.schema import Runs
from fitting import all_laws, fit
from fitting.diagnostics.checks.counts import _as_counted

TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


def runs(vocab: float, *, used: str = "total", shapes: tuple[float, ...] = (), noise: float = 1e-3) -> Runs:
    """Runs whose loss follows the count without embeddings, of models of width d with 12 d^2 a layer and d / 64 layers."""
    width = np.repeat(np.array([128, 192, 256, 384, 512, 768, 1024]), 5).astype(float)
    body = 12 * width**3 / 64
    d = body * np.tile([5, 10, 20, 40, 80], 7)
    total = body + vocab * width
    loss = all_laws()["chinchilla"]({"params": body, "tokens": d}, TRUTH)
    loss = loss * np.exp(noise * np.random.default_rng(0).standard_normal(len(d)))
    params = total if used == "total" else body
    frame = pd.DataFrame(
        {
            "run": [f"run-{k}" for k in range(len(d))], "params": params, "params_total": total, "params_nonembed": body,
            "tokens": d, "flops": 6 * params * d, "loss": loss,
        }
    )  # fmt: skip
    if shapes:
        frame["width"], frame["layers"] = width, width / np.resize(shapes, len(d))
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="planted")


def check(f, key: str):
    return next((v for v in f.verdicts if v.key == key), None)


def test_counts_that_forecast_differently_are_said():
    """A vocabulary of 250,000 is nine tenths of the smallest model: counted with it, the same runs bend another way."""
    found = check(fit(runs(250_000), "chinchilla", resamples=300), "counts")
    assert found.state == "caution"
    assert "With non-embedding parameters the forecast" in found.sentence
    assert "of a run with the tokens per parameter of the largest" in found.sentence
    assert "which count" in found.todo


def test_counts_that_hardly_differ_are_no_matter():
    found = check(fit(runs(500), "chinchilla", resamples=300), "counts")
    assert found.state == "pass"


def test_the_forecast_by_the_other_count_is_that_of_a_fit_to_it():
    """The truth is known: ten times the largest run, counted without embeddings, which the planted law is of."""
    found = check(fit(runs(250_000, noise=1e-6), "chinchilla", resamples=100), "counts")
    body = 12 * 1024.0**3 / 64
    # sqrt(10) times as many parameters in all, of which vocabulary times width
    width = np.geomspace(1024, 4096, 100001)
    more = np.interp(np.sqrt(10) * (body + 250_000 * 1024), 12 * width**3 / 64 + 250_000 * width, 12 * width**3 / 64)
    truth = all_laws()["chinchilla"]({"params": more, "tokens": np.sqrt(10) * 80 * body}, TRUTH)
    said = float(found.sentence.split(" is ")[1].split(";")[0])
    assert said == pytest.approx(float(truth), rel=2e-3)


@pytest.mark.parametrize("used", ["total", "body"])
def test_the_other_count_of_a_larger_model(used):
    width = np.array([128, 256, 512, 1024.0])
    body, total = 12 * width**3 / 64, 12 * width**3 / 64 + 50_000 * width
    n, other = (total, body) if used == "total" else (body, total)
    large = 12 * 8192.0**3 / 64, 12 * 8192.0**3 / 64 + 50_000 * 8192.0
    asked, right = (large[1], large[0]) if used == "total" else large
    assert _as_counted(n, other, np.array([asked]))[0] == pytest.approx(right, rel=1e-3)


def test_one_count_alone_says_nothing():
    table = runs(500)
    kept = table.kept.drop(columns=["params_total", "params_nonembed"])
    assert check(fit(kept, "chinchilla", resamples=100), "counts") is None


def test_models_built_far_from_the_others_are_named():
    f = fit(runs(500, shapes=(64, 64, 70, 50, 64, 64, 64, 64, 64, 640, 8)), "chinchilla", resamples=100)
    found = check(f, "proportions")
    assert found.state == "caution"
    assert found.sentence.startswith("6 of 35 models")
    assert "run-9" in found.sentence
    assert "run-10" in found.sentence


def test_models_built_alike_are_no_matter():
    assert check(fit(runs(500, shapes=(64, 80, 100)), "chinchilla", resamples=100), "proportions").state == "pass"
    assert check(fit(runs(500), "chinchilla", resamples=100), "proportions") is None
