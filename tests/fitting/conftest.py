"""Tables and published numbers that the tests of `fitting` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data import Runs, read_runs
from data.flops import six_nd
from fitting import Fit, Law, all_laws
from fitting.accounting import Accounting
from fitting.settings import Settings

# Three worlds: toy models, today's small models, and beyond today's largest. Most runs repeat their unique tokens.
SCALES = {
    "toy": {"params": (1e5, 1e7), "tokens": (1e6, 1e8), "unique_tokens": (5e5, 5e7), "flops": (1e12, 1e15)},
    "small": {"params": (1e8, 1e10), "tokens": (1e9, 1e11), "unique_tokens": (5e8, 5e10), "flops": (1e18, 1e21)},
    "huge": {"params": (1e11, 1e13), "tokens": (1e12, 1e14), "unique_tokens": (5e11, 5e13), "flops": (1e24, 1e27)},
}
# Of an input that the runs table has no column for: a law's numbers do not depend on its unit (`check_units`), so any three do.
ELSEWHERE = {"toy": (1.0, 1e2), "small": (1e2, 1e4), "huge": (1e6, 1e9)}


def _runs(name: str = "test.csv", **columns: Any) -> Runs:
    frame = pd.DataFrame(columns)
    if "run" not in frame:
        frame.insert(0, "run", [f"run-{i}" for i in range(len(frame))])
    if {"params", "tokens"} <= set(frame) and "flops" not in frame:
        frame["flops"] = six_nd(frame["params"], frame["tokens"])
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name=name)


@pytest.fixture(scope="session")
def make_runs() -> Callable[..., Runs]:
    """A `Runs` of the given columns, with names and 6ND filled in."""
    return _runs


@pytest.fixture(scope="session")
def scattered() -> Callable[..., dict[str, np.ndarray]]:
    """Inputs of a law scattered log-uniformly over one of `SCALES`: `scattered(law, scale, n, seed)`."""

    def draw(law: Law, scale: str, n: int = 60, seed: int = 0) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        out = {}
        for k in law.inputs:
            low, high = SCALES[scale].get(k, ELSEWHERE[scale])
            out[k] = np.exp(rng.uniform(np.log(low), np.log(high), n))
        return out

    return draw


@pytest.fixture(scope="session")
def noisy(make_runs: Callable[..., Runs]) -> Runs:
    """Forty-eight simulated runs on Besiroglu's law with .5 % noise, eight sizes by six token counts."""
    rng = np.random.default_rng(7)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 8), np.geomspace(1e9, 3e11, 6)))
    loss = (1.8172 + 482.01 * n**-0.3478 + 2085.43 * d**-0.3658) * np.exp(0.005 * rng.standard_normal(n.size))
    size = [f"size-{i % 8}" for i in range(n.size)]
    return make_runs(params=n, tokens=d, loss=loss, size=size)


@pytest.fixture(scope="session")
def epoch(dataset: Callable[[str], Path]) -> Runs:
    """The 245 digitised Chinchilla runs (Besiroglu et al. 2024, arXiv 2404.10102)."""
    return read_runs(dataset("epoch_chinchilla.csv"))


@pytest.fixture(scope="session")
def highest_five(epoch: Runs) -> list[str]:
    """The names of the five highest losses, which the replication leaves out."""
    return [str(r) for r in epoch.kept.sort_values("loss")["run"].tail(5)]


class Grid:
    """Approach 3 as published: L-BFGS-B from a grid of starts on log-sum-exp, exact gradient, scipy's default tolerances.

    Hoffmann et al. 2022, arXiv 2203.15556, section D.3. `reduce` is "sum" or "mean" over the runs.
    """

    def __init__(self, runs: Runs, delta: float = 1e-3, reduce: str = "sum") -> None:
        k = runs.kept
        self.log_n, self.log_d, self.log_l = (np.log(k[c].to_numpy(float)) for c in ("params", "tokens", "loss"))
        self.delta, self.share = delta, 1.0 if reduce == "sum" else 1.0 / len(k)

    @staticmethod
    def starts() -> np.ndarray:
        """(4500, 5) starts of (a, b, e, alpha, beta)."""
        axes = (
            np.arange(0, 30, 5.0),
            np.arange(0, 30, 5.0),
            np.arange(-1, 1.5, 0.5),
            np.arange(0, 2.5, 0.5),
            np.arange(0, 2.5, 0.5),
        )
        return np.stack([m.ravel() for m in np.meshgrid(*axes, indexing="ij")], axis=1)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The objective and its gradient at (a, b, e, alpha, beta)."""
        a, b, e, alpha, beta = x
        terms = np.stack([a - alpha * self.log_n, b - beta * self.log_d, np.full_like(self.log_n, e)])
        top = terms.max(axis=0)
        weights = np.exp(terms - top)
        total = weights.sum(axis=0)
        r = top + np.log(total) - self.log_l
        weights /= total
        size = np.abs(r)
        inside = np.minimum(size, self.delta)
        value = np.sum(inside * (size - 0.5 * inside))
        g = np.clip(r, -self.delta, self.delta)
        to_n, to_d, to_e = weights @ g
        grad = np.array([to_n, to_d, to_e, -(weights[0] * g) @ self.log_n, -(weights[1] * g) @ self.log_d])
        return self.share * value, self.share * grad

    def solve(self, starts: np.ndarray) -> Any:
        """The best of scipy's results from these starts."""
        from scipy.optimize import minimize

        found = [minimize(self, x, jac=True, method="L-BFGS-B") for x in starts]
        return min(found, key=lambda s: s.fun)


@pytest.fixture(scope="session")
def grid() -> type[Grid]:
    """The reference fit: `grid(runs, delta, reduce).solve(grid.starts())`."""
    return Grid


@pytest.fixture(scope="session")
def fit_of() -> Callable[..., Fit]:
    """A `Fit` of given constants without runs: `fit_of("chinchilla", E=..., A=..., ...)`, to plan with a paper's law."""

    def make(key: str, accounting: Accounting | None = None, draws: Any = None, **constants: float) -> Fit:
        law = all_laws()[key]
        values = np.array([constants[k] for k in law.names])
        return Fit(
            law=law,
            values=values,
            draws=np.empty((0, law.p)) if draws is None else np.asarray(draws, float),
            objective=0.0,
            residuals=np.zeros(law.p + 2),
            runs=tuple(f"run-{i}" for i in range(law.p + 2)),
            settings=Settings(resamples=0),
            verdicts=(),
            digest="0" * 64,
            ranges={
                "params": (1e8, 1e10),
                "tokens": (1e9, 1e11),
                "unique_tokens": (5e8, 5e10),
                "flops": (1e18, 1e21),
                "loss": (2.0, 4.0),
            },
            accounting=accounting or Accounting(),
            table="constants",
        )

    return make
