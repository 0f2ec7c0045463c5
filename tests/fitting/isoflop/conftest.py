"""Planted iso-FLOP sweeps and training curves that the tests of the approaches share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data import Runs


@dataclass(frozen=True)
class Surface:
    """E + A N^-alpha + B D^-beta with FLOPs 6ND: the truth, and its closed-form optimum (Hoffmann et al. 2022, eq. 4)."""

    A: float = 406.4
    B: float = 410.7
    alpha: float = 0.34
    beta: float = 0.28
    E: float = 1.69

    @property
    def a(self) -> float:
        return self.beta / (self.alpha + self.beta)

    def loss(self, n: Any, d: Any) -> Any:
        return self.E + self.A * n**-self.alpha + self.B * d**-self.beta

    def params(self, flops: Any) -> Any:
        g = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        return g * (flops / 6) ** self.a

    def tokens(self, flops: Any) -> Any:
        return flops / 6 / self.params(flops)


def table(frame: pd.DataFrame, name: str = "sweep.csv", history: pd.DataFrame | None = None) -> Runs:
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name=name, history=history)


@pytest.fixture(scope="session")
def surface() -> type[Surface]:
    return Surface


@pytest.fixture(scope="session")
def sweep() -> Callable[..., Runs]:
    """Sizes over a factor `reach` either way of each budget's optimum, on a surface, with noise in log loss."""

    def make(
        truth: Surface | None = None, sizes: int = 7, reach: float = 8.0, budgets: Any = (1e18, 1e21, 7), noise: float = 0.0,
        seed: int = 0, shift: float = 1.0,
    ) -> Runs:  # fmt: skip
        truth = truth or Surface()
        rng = np.random.default_rng(seed)
        c = np.repeat(np.geomspace(*budgets), sizes)
        n = truth.params(c) * np.tile(np.geomspace(1 / reach, reach, sizes), len(c) // sizes) * shift
        d = c / 6 / n
        loss = truth.loss(n, d) * np.exp(noise * rng.standard_normal(len(c)))
        return table(
            pd.DataFrame({"run": [f"r{i}" for i in range(len(c))], "params": n, "tokens": d, "flops": c, "loss": loss})
        )

    return make


@pytest.fixture(scope="session")
def curves() -> Callable[..., Runs]:
    """Whole training curves, a checkpoint every `every` steps, of many sizes on a surface: the runs with their history."""

    def make(
        truth: Surface | None = None, sizes: int = 25, checkpoints: int = 400, every: int = 10, noise: float = 0.0, seed: int = 0
    ) -> Runs:  # fmt: skip
        truth = truth or Surface()
        rng = np.random.default_rng(seed)
        parts = []
        for i, n in enumerate(np.geomspace(1e7, 1e10, sizes)):
            steps = every * np.arange(1, checkpoints + 1)
            tokens = 100.0 * n * steps / steps[-1]  # to a hundred tokens per parameter
            loss = truth.loss(n, tokens) * np.exp(noise * rng.standard_normal(checkpoints))
            columns = {"params": n, "tokens": tokens, "flops": 6 * n * tokens, "loss": loss, "steps": steps}
            parts.append(pd.DataFrame({"run": f"size-{i:02d}", **columns}))
        history = pd.concat(parts, ignore_index=True)
        return table(history.groupby("run").tail(1).reset_index(drop=True), "curves.csv", history)

    return make
