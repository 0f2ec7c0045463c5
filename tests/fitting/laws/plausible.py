"""Parameters under which any law, of whatever columns, gives outputs that its declaration allows: what tests of all laws begin with."""

from __future__ import annotations

import numpy as np

from fitting import Law
from fitting.solver.parametrization import coordinates


def plausible(law: Law, inputs: dict[str, np.ndarray], rng: np.random.Generator, size: int = 1) -> np.ndarray:
    """Parameter sets (size, p) under which every term of the law matters at the middle of the inputs.

    They give outputs within the bounds that the law declares, at all of the inputs.
    """
    low, high = law.output.bounds
    values = drawn(law, inputs, rng, size)
    for _ in range(100):
        with np.errstate(all="ignore"):
            out = np.asarray(law({k: v[None, :] for k, v in inputs.items()}, named(law, values)))
        beyond = ~np.all((out >= low) & (out <= high), axis=1)
        if not beyond.any():
            return values
        values[beyond] = drawn(law, inputs, rng, int(beyond.sum()))
    raise AssertionError(f"{law.key}: plausible parameters give outputs beyond {low:g} to {high:g}")


def drawn(law: Law, inputs: dict[str, np.ndarray], rng: np.random.Generator, size: int) -> np.ndarray:
    low, high = law.output.bounds
    where = coordinates(law, inputs, np.full(1, 3.0 if low < 3.0 < 0.3 * high else low + 0.3 * (high - low)))
    theta = np.empty((size, law.p))
    low, high = where.bounds
    for i, p in enumerate(law.params):
        if p.is_floor:
            theta[:, i] = rng.uniform(0.3, 0.7, size) * where.loss
        elif p.anchor is not None and p.anchor.kind == "location":
            theta[:, i] = rng.uniform(-1, 1, size)
        elif p.anchor is not None:
            theta[:, i] = np.log(rng.uniform(0.2, 0.6, size) * where.loss)
        else:
            middle = np.clip(np.log(0.3) if p.log else 0.3, low[i] + 0.05, high[i] - 0.05)
            theta[:, i] = np.clip(middle + 0.3 * rng.standard_normal(size), low[i] + 0.02, high[i] - 0.02)
    return where.natural(theta)


def named(law: Law, values: np.ndarray) -> dict[str, np.ndarray]:
    return {k: values[..., i, None] for i, k in enumerate(law.names)}
