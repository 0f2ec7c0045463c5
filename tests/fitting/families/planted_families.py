"""Two families with a known multiplier and a known crossing, for tests and benchmarks of the comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data import Runs
from data.flops import six_nd

MULTIPLIER, AT, CROSS = 1.3, 1e20, 1e22

# Besiroglu et al. 2024 (arXiv 2404.10102).
A = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


def best_loss(p: dict[str, float], flops: float) -> float:
    """Chinchilla's loss at the best split of a budget, in closed form (Hoffmann et al. 2022, arXiv 2203.15556, eq. 4)."""
    alpha, beta = p["alpha"], p["beta"]
    g = (alpha * p["A"] / (beta * p["B"])) ** (1 / (alpha + beta))
    n = g * (flops / 6) ** (beta / (alpha + beta))
    return p["E"] + p["A"] * n**-alpha + p["B"] * (flops / 6 / n) ** -beta


def family_b() -> dict[str, float]:
    """Family B: A's exponents, another floor and other weights, so that it does at 1e20 what A does at 1.3e20, and crosses at 1e22.

    With both weights scaled by s the reducible loss scales by s at every budget, and two equations give s and the floor.
    """
    there, here = best_loss(A, MULTIPLIER * AT), best_loss(A, CROSS)
    scale = (there - here) / (best_loss(A, AT) - best_loss(A, CROSS))
    floor = here - scale * (best_loss(A, CROSS) - A["E"])
    return {**A, "E": floor, "A": scale * A["A"], "B": scale * A["B"]}


B = family_b()


def planted(
    noise: float = 0.0,
    seed: int = 0,
    sizes: int = 6,
    lengths: int = 5,
    shared: float = 0.0,
    **families: dict[str, float],
) -> Runs:
    """Runs of the families (A and B if none are given) on a grid of sizes by token counts, with noise in log loss.

    `shared` is the share of the noise's variance that a family's runs of one size have in common.
    """
    rng = np.random.default_rng(seed)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 5e9, sizes), np.geomspace(1e9, 1e11, lengths)))
    rows = []
    for name, p in (families or {"A": A, "B": B}).items():
        loss = p["E"] + p["A"] * n ** -p["alpha"] + p["B"] * d ** -p["beta"]
        common = np.tile(rng.standard_normal(sizes), lengths) if shared else 0.0
        loss = loss * np.exp(noise * (np.sqrt(1.0 - shared) * rng.standard_normal(n.size) + np.sqrt(shared) * common))
        rows.append(pd.DataFrame({"params": n, "tokens": d, "loss": loss, "arch": name}))
    frame = pd.concat(rows, ignore_index=True)
    frame.insert(0, "run", [f"run-{i}" for i in range(len(frame))])
    frame["flops"] = six_nd(frame["params"], frame["tokens"])
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="planted.csv")
