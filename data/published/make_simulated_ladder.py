"""Writes simulated_ladder.csv: runs that nobody trained, drawn from a stated law at the scale of today's models.

Run `python data/published/make_simulated_ladder.py` to write the table and its sidecar again, byte for byte.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SEED = 20240415
#: Besiroglu et al. 2024 (arXiv 2404.10102), their refit of the runs of Hoffmann et al. 2022.
TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
NOISE = 0.004  # standard deviation of the logarithm of the loss, independent from run to run
PROFILES = (5e18, 1.5e19, 5e19, 1.5e20, 5e20, 1.2e21, 3e21)  # FLOP of each IsoFLOP profile
FACTORS = (0.25, 0.4, 0.65, 1.0, 1.5, 2.3, 3.5, 5.5)  # sizes of a profile, as multiples of the best one
OVERTRAINED = (  # (parameters, tokens per parameter): small models trained far beyond the best ratio
    (6.0e7, 300), (6.0e7, 1200), (1.25e8, 150), (1.25e8, 600), (3.5e8, 100), (3.5e8, 400),
    (7.6e8, 80), (7.6e8, 250), (1.3e9, 60), (1.3e9, 200), (2.7e9, 50),
)  # fmt: skip
SMALLEST, LARGEST = 5e7, 8e9


def loss(params: float, tokens: float) -> float:
    """The true loss in nats per token."""
    return TRUTH["E"] + TRUTH["A"] * params ** -TRUTH["alpha"] + TRUTH["B"] * tokens ** -TRUTH["beta"]


def best_size(flops: float) -> float:
    """The size of least true loss at this compute, found on a fine grid."""
    sizes = np.geomspace(1e6, 1e12, 60_001)
    return float(sizes[np.argmin([loss(n, flops / (6 * n)) for n in sizes])])


def rows() -> list[dict[str, str]]:
    """The runs, each with its noise."""
    rng = np.random.default_rng(SEED)
    plan = []
    for flops in PROFILES:
        for factor in FACTORS:
            params = float(f"{best_size(flops) * factor:.3g}")
            if SMALLEST <= params <= LARGEST:
                plan.append((f"isoflop {flops:.1e}", params, flops / (6 * params)))
    plan += [("over-trained", params, params * ratio) for params, ratio in OVERTRAINED]
    out = []
    for k, (group, params, tokens) in enumerate(plan, start=1):
        tokens = float(f"{tokens:.4g}")
        value = loss(params, tokens) * float(np.exp(NOISE * rng.standard_normal()))
        out.append(
            {
                "run": f"sim-{k:02d}",
                "group": group,
                "params": f"{params:.0f}",
                "tokens": f"{tokens:.0f}",
                "flops": f"{6 * params * tokens:.6e}",
                "loss": f"{value:.5f}",
            }
        )
    return out


def main() -> None:
    """Write the table next to this file."""
    table = rows()
    path = Path(__file__).with_name("simulated_ladder.csv")
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, fieldnames=list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print(f"{len(table)} runs in {path.name}")


if __name__ == "__main__":
    main()
