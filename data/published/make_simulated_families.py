"""Writes simulated_families.csv: two made-up architectures whose frontiers cross, at the scale of today's models.

Run `python data/published/make_simulated_families.py` to write the table again, byte for byte.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SEED = 20240416
NOISE = 0.003  # standard deviation of the logarithm of the loss, independent from run to run
#: The baseline is Besiroglu et al. 2024 (arXiv 2404.10102). The candidate has its exponents, and weights and floor such
#: that at 1e20 FLOP the baseline needs 1.3 times its compute, and that the two cross at 1e22 FLOP.
BASELINE = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
CANDIDATE = {**BASELINE, "E": 1.84363157, "A": 442.677342, "B": 1915.25614}
FAMILIES = {"baseline": BASELINE, "candidate": CANDIDATE}
SIZES = (6e7, 1.4e8, 3.3e8, 7.6e8, 1.8e9, 4.1e9)
RATIOS = (8, 20, 50, 125, 300)  # tokens per parameter
LARGEST = 5e21  # FLOP


def loss(family: str, params: float, tokens: float) -> float:
    """The family's true loss in nats per token."""
    p = FAMILIES[family]
    return p["E"] + p["A"] * params ** -p["alpha"] + p["B"] * tokens ** -p["beta"]


def rows() -> list[dict[str, str]]:
    """The runs, each with its noise."""
    rng = np.random.default_rng(SEED)
    out = []
    for family in FAMILIES:
        plan = [(n, float(f"{n * ratio:.4g}")) for n in SIZES for ratio in RATIOS if 6 * n * n * ratio <= LARGEST]
        for k, (params, tokens) in enumerate(plan, start=1):
            value = loss(family, params, tokens) * float(np.exp(NOISE * rng.standard_normal()))
            out.append(
                {
                    "run": f"{family}-{k:02d}",
                    "architecture": family,
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
    path = Path(__file__).with_name("simulated_families.csv")
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, fieldnames=list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print(f"{len(table)} runs in {path.name}")


if __name__ == "__main__":
    main()
