"""How often intervals of the whole run's law hold a planted truth: Kaplan's constants, curves with noise of the run and along it.

python tests/benchmarks/whole_run_coverage.py --tables 150
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from fitting.batch import KAPLAN, Curves, curves, fit_trajectory
from fitting.batch.trajectory import NAMES

SWEEPS = {
    "16 runs, 4 sizes": ((3e6, 1e7, 3e7, 1e8), (1e5, 4e5, 1.6e6, 6.4e6)),
    "9 runs, 3 sizes": ((3e6, 2e7, 1e8), (1e5, 8e5, 6.4e6)),
    "7 runs, 1 size": ((3e7,), (3e4, 1e5, 4e5, 1.6e6, 6.4e6, 2.5e7, 1e8)),
}
ROWS = 16


def table(sweep: str, noise: float, shared: float, seed: int) -> Curves:
    """Curves of 16 evaluations even in log step; log-loss noise of which `shared` is the run's and the rest AR(1) with .7."""
    rng = np.random.default_rng(seed)
    out = []
    sizes, batches = SWEEPS[sweep]
    for n in sizes:
        for b in batches:
            step = np.geomspace(90, 9000, ROWS) * (1 + 4e6 / b)
            drift = np.zeros(ROWS)
            held = rng.normal()
            for i in range(ROWS):
                held = 0.7 * held + np.sqrt(0.51) * rng.normal()
                drift[i] = held
            error = noise * (np.sqrt(1 - shared) * drift + np.sqrt(shared) * rng.normal())
            loss = KAPLAN.curve(n, b, step).value * np.exp(error)
            out.append(pd.DataFrame({"run": f"{n:g}-{b:g}", "params": n, "batch": b, "step": step, "loss": loss}))
    return curves(pd.concat(out), after=0)


def coverage(sweep: str, noise: float, shared: float, tables: int) -> dict[str, float]:
    """The share of 95 % intervals that hold the truth: each constant, B_crit at 3.5, the floor and the curve of a larger run."""
    at = np.geomspace(3e3, 1e5, 6)
    held: dict[str, list[float]] = {}
    for seed in range(tables):
        law = fit_trajectory(table(sweep, noise, shared, seed), resamples=200, seed=seed).law
        size = 3e7 if law.one_size else 1e9
        asked = {
            **{n: (law.constant(n), v) for n, v in zip(NAMES, KAPLAN.values, strict=True)},
            "B_crit(3.5)": (law.b_crit(3.5), KAPLAN.b_crit(3.5).value),
            f"floor {size:g}": (law.floor(size), KAPLAN.floor(size).value),
            f"curve {size:g}": (law.curve(size, 5e5, at), KAPLAN.curve(size, 5e5, at).value),
        }
        for name, (band, truth) in asked.items():
            if not (law.one_size and name in ("N_c", "alpha_N")):
                inside = (np.asarray(band.low) <= truth) & (truth <= np.asarray(band.high))
                held.setdefault(name, []).append(float(np.mean(inside)))
    return {name: 100 * float(np.mean(v)) for name, v in held.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=150)
    asked = parser.parse_args()
    for sweep, noise, shared in [*((s, 0.01, 0.5) for s in SWEEPS), ("16 runs, 4 sizes", 0.003, 0.8)]:
        said = ", ".join(f"{k} {v:.1f}" for k, v in coverage(sweep, noise, shared, asked.tables).items())
        print(f"{sweep}, noise {noise:g}, {shared:g} shared: {said}", flush=True)
