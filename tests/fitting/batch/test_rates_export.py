"""Rules of learning rate and batch taken away: the Python runs alone and chooses the same, tables hold every cell."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from fitting.batch import rate_laws
from fitting.export.rate_laws import to_csv, to_json, to_latex, to_python


@pytest.fixture(scope="module")
def laws():
    rng = np.random.default_rng(3)
    rows = []
    for n in (1e8, 3e8, 1e9):
        for d in (1e9, 1e10, 1e11):
            for i in range(-2, 3):
                for j in range(-2, 3):
                    rate, batch = 2 * n**-0.5 * d**0.1 * 2.0**i, 0.3 * n**0.1 * d**0.5 * 2.0**j
                    loss = (1.8 + 400 * n**-0.34) * (1 + 0.002 * (i * i + j * j)) * np.exp(2e-4 * rng.standard_normal())
                    rows.append({"params": n, "tokens": d, "lr": rate, "batch": batch, "loss": loss})
    return rate_laws(pd.DataFrame(rows), resamples=200)


def test_python_runs_alone_and_chooses_the_same(laws):
    outside: dict = {}
    exec(to_python(laws), outside)  # our own text, which is what is tested
    for n, d in ((1e8, 1e9), (7e9, 2e12)):
        assert outside["learning_rate"](n, d) == pytest.approx(laws.lr.at(n, d).value, rel=1e-12)
        assert outside["batch"](n, d) == pytest.approx(laws.batch.at(n, d).value, rel=1e-12)


def test_json_csv_and_latex_hold_the_rules(laws):
    body = json.loads(to_json(laws, {"another": 2 * laws.held_out}))
    assert body["regret"] == {"refitted here": laws.held_out.mean(), "another": 2 * laws.held_out.mean()}
    power = laws.batch.exponent("tokens")
    assert body["batch"]["exponents"]["tokens"] == {
        "value": power.value,
        "low": power.low,
        "high": power.high,
        "level": 0.95,
    }
    at = body["lr"]["coefficient"] * 1e8 ** body["lr"]["exponents"]["params"]["value"]
    at *= 1e9 ** body["lr"]["exponents"]["tokens"]["value"]
    assert at == pytest.approx(laws.lr(1e8, 1e9), rel=1e-12)
    table = pd.read_csv(io.StringIO(to_csv(laws)))
    assert len(table) == len(laws.cells)
    assert table["rule_batch_tokens"].to_numpy() == pytest.approx([laws.batch(c.params, c.tokens) for c in laws.cells])
    assert table["regret_left_out"].to_numpy() == pytest.approx(laws.held_out)
    assert (table["near_lr_low"] <= table["best_lr"]).all()
    latex = to_latex(laws)
    assert f"% batch_tokens = {power.value!r}" in latex
    assert r"\eta &= " in latex


def test_a_batch_law_of_tokens_alone_writes_no_power_of_size(laws):
    rows = [
        {"params": c.params, "tokens": c.tokens, "lr": r, "batch": b, "loss": v}
        for c in laws.cells
        for r, b, v in zip(c.lr, c.batch, c.loss, strict=True)
    ]
    alone = rate_laws(pd.DataFrame(rows), batch_by_params=False, resamples=50)
    line = next(x for x in to_latex(alone).splitlines() if "B &=" in x)
    assert "N^" not in line
    assert "D^" in line
