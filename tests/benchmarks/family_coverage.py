"""How often the intervals of a comparison of families hold the truth: two planted families, many simulated tables.

    python tests/benchmarks/family_coverage.py --tables 200 --shared 0.5 --intervals auto

One row a way to share: share of tables whose 95 % interval holds the multiplier 1.3 at 1e20 FLOP (inside the data), the
multiplier 1 at 1e22 and the crossing at 1e22 (3.3 times beyond the largest run); median widths in log budget; and how
often the test rejects that way at 5 %. The truth shares exponents and not the floor, so "exponents" and "nothing" are
right, "floor" and "floor and exponents" wrong, and "auto" has to find that out.
"""

from __future__ import annotations

import argparse
import runpy
import time
from pathlib import Path

import numpy as np

from fitting import compare_families

PLANTED = runpy.run_path(str(Path(__file__).parents[1] / "fitting" / "families" / "planted_families.py"))
WAYS = ("auto", "nothing", "exponents", "floor", "floor and exponents")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--noise", type=float, default=0.004, help="standard deviation of log loss")
    parser.add_argument("--delta", type=lambda text: text if text == "auto" else float(text), default="auto")
    parser.add_argument(
        "--shared", type=float, default=0.0, help="share of its variance that runs of one size have in common"
    )
    parser.add_argument("--intervals", default="auto", help="how data are drawn anew, as compare_families takes it")
    parser.add_argument("--ways", nargs="*", default=WAYS)
    asked = parser.parse_args()
    print(
        f"{asked.tables} tables of 2 x 30 runs, noise {asked.noise:g}, {asked.shared:.0%} shared, delta {asked.delta}, "
        f"intervals {asked.intervals}, {asked.resamples} refits, seeds 0.."
    )
    print(f"{'share':22}{'1e20':>7}{'1e22':>7}{'cross':>7}{'width 1e20':>12}{'width 1e22':>12}{'rejected':>10}{'s':>7}")
    for way in asked.ways:
        began = time.perf_counter()
        held, width, rejected = np.zeros((asked.tables, 3)), np.zeros((asked.tables, 2)), np.zeros(asked.tables)
        for seed in range(asked.tables):
            found = compare_families(
                PLANTED["planted"](asked.noise, seed=seed, shared=asked.shared), "arch", share=way, reference="A",
                delta=asked.delta, intervals=asked.intervals, resamples=asked.resamples,
            )  # fmt: skip
            bands = [
                found.multiplier("B", PLANTED["AT"]),
                found.multiplier("B", PLANTED["CROSS"]),
                found.crossing("B").flops,
            ]
            truths = [PLANTED["MULTIPLIER"], 1.0, PLANTED["CROSS"]]
            held[seed] = [b.low <= truth <= b.high for b, truth in zip(bands, truths, strict=True)]
            width[seed] = [np.log(b.high / b.low) for b in bands[:2]]
            rejected[seed] = any(t.share == way and t.rejected for t in found.tests)
        a, b, c = 100 * held.mean(axis=0)
        told = f"{100 * rejected.mean():9.0f}%" if way not in ("auto", "nothing") else f"{'':10}"
        wide = np.median(width, axis=0)
        print(
            f"{way:22}{a:6.1f}%{b:6.1f}%{c:6.1f}%{wide[0]:12.3f}{wide[1]:12.3f}{told}{time.perf_counter() - began:7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
