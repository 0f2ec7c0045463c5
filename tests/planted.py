"""Tables whose losses follow a law that is known: designs of runs, noise, and a law of which runs tell too little."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fitting import Law
from fitting.law import Param, coefficient

Array = np.ndarray


def two_terms(params: Any, E: Any, A: Any, F: Any, a: Any, f: Any) -> Any:
    """A floor and two powers of the size."""
    return E + A * params**-a + F * params**-f


TWO = Law(
    "two-terms", "Two terms", two_terms, "L", ("params",),
    (
        Param("E", "E", "nats", "floor", (0.0, 10.0), log=False),
        Param("A", "A", "nats params^a", "a weight", (1e-12, 1e60), anchor=coefficient("params", "a")),
        Param("F", "F", "nats params^f", "another", (1e-12, 1e60), anchor=coefficient("params", "f")),
        Param("a", "a", "", "its exponent", (0.01, 3.0)),
        Param("f", "f", "", "its exponent", (0.01, 3.0)),
    ), "a test",
)  # fmt: skip


def grid(sizes: int = 6, data: int = 4) -> dict[str, Array]:
    """Every size with every number of tokens, (sizes * data,) each."""
    params, tokens = np.meshgrid(np.geomspace(1e7, 1e10, sizes), np.geomspace(1e9, 2e11, data))
    return {"params": params.ravel(), "tokens": tokens.ravel()}


def line(column: str, n: int) -> dict[str, Array]:
    """`n` values of one input, (n,), from 1e8 to 1e11."""
    return {column: np.geomspace(1e8, 1e11, n)}


def noisy(inputs: dict[str, Array], loss: Array, noise: float, rng: np.random.Generator) -> pd.DataFrame:
    """A table of runs with inputs (n,) each and losses (n,), to whose logarithms normal noise is added."""
    n = len(loss)
    return pd.DataFrame(
        {"run": [f"r{i}" for i in range(n)], **inputs, "loss": loss * np.exp(noise * rng.standard_normal(n))}
    )
