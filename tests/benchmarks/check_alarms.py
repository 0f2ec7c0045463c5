"""How often the checks of a fit alarm on runs that follow their law, and how often they see that runs follow another.

    python tests/benchmarks/check_alarms.py --tables 400

Chinchilla is fitted to simulated tables: a grid of sizes and tokens (n = 24, 48, 240), noise normal, Student t with four
degrees of freedom, or half shared within model size. One row a cell: share of tables on which the checks of shape,
order, repeats and influence say anything (1 in 20 is the aim), on which any check does, each check's own share, and
milliseconds of processor a fit with its checks. The truth is Chinchilla's law (Besiroglu et al. 2024) or Kaplan's
(2020, Table 2), on which the checks of shape ought to alarm. Seeds 0 onwards.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
import pandas as pd

from data import Runs
from data.flops import six_nd
from fitting import all_laws, fit

TRUTHS = {
    "chinchilla": {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658},
    "kaplan": {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103},
}
GRIDS = {24: (6, 4), 48: (8, 6), 240: (16, 15)}
FORM = {"shape", "order", "repeats", "influence"}


def table(truth: str, n: int, noise: str, sd: float, seed: int) -> Runs:
    """One simulated table of `n` runs with log-loss noise of standard deviation `sd`."""
    rng = np.random.default_rng([seed, n])
    sizes, data = GRIDS[n]
    params, tokens = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, sizes), np.geomspace(1e9, 2e11, data)))
    own = rng.standard_t(4, n) / np.sqrt(2) if noise == "t4" else rng.standard_normal(n)
    if noise == "shared":
        own = np.sqrt(0.5) * (own + rng.standard_normal(sizes)[np.arange(n) % sizes])
    loss = all_laws()[truth]({"params": params, "tokens": tokens}, TRUTHS[truth]) * np.exp(sd * own)
    frame = pd.DataFrame({"run": [f"r{i}" for i in range(n)], "params": params, "tokens": tokens, "loss": loss})
    frame["flops"] = six_nd(frame["params"], frame["tokens"])
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="simulated")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=400)
    parser.add_argument("--sd", type=float, default=0.004, help="standard deviation of log loss")
    parser.add_argument("--resamples", type=int, default=0)
    parser.add_argument("--delta", default="auto")
    asked = parser.parse_args()
    delta = asked.delta if asked.delta == "auto" else float(asked.delta)
    cells = [("chinchilla", n, noise) for noise in ("normal", "t4", "shared") for n in GRIDS]
    cells += [("kaplan", n, "normal") for n in GRIDS]
    print(f"{asked.tables} tables a cell, noise {asked.sd:g}, delta {delta}, {asked.resamples} refits")
    print(f"{'truth':12}{'n':>5}  {'noise':8}{'form':>7}{'any':>7}{'ms':>6}  each")
    for truth, n, noise in cells:
        began, alarms, each = time.process_time(), Counter[str](), Counter[str]()
        for seed in range(asked.tables):
            f = fit(table(truth, n, noise, asked.sd, seed), "chinchilla", delta=delta, resamples=asked.resamples)
            said = {v.key for v in f.verdicts if v.state != "pass"}
            each.update(said)
            alarms["form"] += bool(said & FORM)
            alarms["any"] += bool(said)
        cost = 1e3 * (time.process_time() - began) / asked.tables
        shares = ", ".join(f"{k} {100 * c / asked.tables:.1f}" for k, c in each.most_common())
        form, some = (100 * alarms[k] / asked.tables for k in ("form", "any"))
        print(f"{truth:12}{n:>5}  {noise:8}{form:>6.1f}%{some:>6.1f}%{cost:>6.0f}  {shares}", flush=True)


if __name__ == "__main__":
    main()
