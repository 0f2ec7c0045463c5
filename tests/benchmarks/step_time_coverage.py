"""How often the bands of step times hold the truth: planted costs, many simulated tables of measured steps.

    python tests/benchmarks/step_time_coverage.py --tables 300 --steps 24 --noise 0.05

The share of tables whose 95 % interval holds each planted cost, the time of a step inside the data, and of one twenty times
beyond the largest; and the widths of the last two.
"""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path

import numpy as np

from fitting.planning.step_time import step_time

PLANTED = runpy.run_path(str(Path(__file__).parents[1] / "fitting" / "planning" / "test_step_time.py"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=300)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--noise", type=float, default=0.05, help="standard deviation of log seconds")
    parser.add_argument("--resamples", type=int, default=400)
    asked = parser.parse_args()
    held, widths = [], []
    for seed in range(asked.tables):
        found = step_time(PLANTED["measured"](seed, asked.steps, asked.noise), resamples=asked.resamples)
        costs = [(found.coefficient(term), cost) for term, cost in PLANTED["COSTS"].items()]
        at = ((PLANTED["MIDDLE"], 2**14), (PLANTED["FAR"], 2**18))
        times = [(found.seconds(shape, batch), PLANTED["planted"](shape, batch)) for shape, batch in at]
        held.append([band.low <= truth <= band.high for band, truth in costs + times])
        widths.append([(band.high - band.low) / band.value for band, _ in times])
    names = (*PLANTED["COSTS"], "inside", "beyond")
    print(", ".join(f"{name} {share:.3f}" for name, share in zip(names, np.mean(held, axis=0), strict=True)))
    print("widths, inside and beyond: " + ", ".join(f"{w:.1%}" for w in np.median(widths, axis=0)))


if __name__ == "__main__":
    main()
