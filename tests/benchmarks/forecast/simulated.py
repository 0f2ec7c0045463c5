"""Forecasts where the truth is exactly Chinchilla's: what the default's prior costs on a law that needs none."""

from __future__ import annotations

import numpy as np

from data.flops import six_nd
from fitting.laws import all_laws
from tests.benchmarks.forecast.rules import RULES, Rule, forecast
from tests.benchmarks.forecast.scores import TITLES, scores
from tests.benchmarks.forecast.tables import Cut, Sweep

# Besiroglu et al. 2024, arXiv 2404.10102, and the spread of its runs around the law.
TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
NOISE = 0.0076
SEEN, ASKED, LARGEST = 84, 30, 3e20


def sweep(seed: int) -> tuple[Sweep, Cut]:
    """84 runs of up to 3e20 FLOP at 3 to 300 tokens per parameter, and 30 runs 1.5 to 100 times beyond."""
    rng = np.random.default_rng(seed)
    flops = np.exp(
        np.concatenate(
            [
                rng.uniform(np.log(LARGEST / 300), np.log(LARGEST), SEEN),
                np.log(LARGEST) + rng.uniform(np.log(1.5), np.log(100), ASKED),
            ]
        )
    )
    ratio = np.exp(rng.uniform(np.log(3), np.log(300), len(flops)))
    n = np.sqrt(flops / 6 / ratio)
    d = ratio * n
    loss = all_laws()["chinchilla"]({"params": n, "tokens": d}, TRUTH) * np.exp(NOISE * rng.standard_normal(len(n)))
    seen = np.arange(len(n)) < SEEN
    beyond = six_nd(n, d) / six_nd(n, d)[seen].max()
    return Sweep(f"simulated {seed}", "simulated", n, d, loss), Cut(0, seen, ~seen, beyond)


def table(count: int, resamples: int, rules: tuple[Rule, ...] = RULES) -> str:
    """Coverage, mean signed error and mean width of each rule over `count` simulated sweeps, as Markdown."""
    lines = [f"| Chinchilla's own law, {count} sweeps | {' | '.join(TITLES)} |", f"|---|{'---|' * len(TITLES)}"]
    for rule in rules:
        rows = []
        for seed in range(count):
            simulated, cut = sweep(seed)
            rows.append(forecast(rule.fitted(simulated, cut, resamples), simulated, cut))
        cells = [
            f"{100 * s.covered:.0f} %; {100 * s.bias:+.1f} %; {100 * s.width:.1f} %"
            for s in scores(np.concatenate(rows))
            if s
        ]
        lines.append(f"| {rule.title} | {' | '.join(cells)} |")
    return "\n".join(lines)
