"""`python -m tests.benchmarks.coverage`: the coverage table of tests/benchmarks/README.md, as Markdown, a cell at a time."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.benchmarks.coverage.cells import NOISES, QUANTITIES, SD, SIZES, Cell
from tests.benchmarks.coverage.measure import Measured, Method, measured, part

# Tables that one process takes at a time.
CHUNK = 100


def main(words: list[str] | None = None) -> None:
    """Measure the cells asked for and print a row for each."""
    ask = argparse.ArgumentParser(prog="python -m tests.benchmarks.coverage", description=__doc__)
    everything = [f"{n}-{noise}" for n in SIZES for noise in NOISES]
    ask.add_argument("--cells", nargs="+", default=everything, metavar="N-NOISE", help=", ".join(everything))
    ask.add_argument("--datasets", type=int, default=2000, help="tables in each cell")
    ask.add_argument("--refits", type=int, default=200, help="refits to each table")
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--intervals", nargs="+", default=["auto"], help="ways to make intervals, as `fit` takes them")
    ask.add_argument("--delta", default="auto", help='"auto", or a number')
    ask.add_argument(
        "--calibrated", type=int, default=0, metavar="N", help="calibrate intervals by N tables, each refitted N times"
    )
    ask.add_argument("--jobs", type=int, default=1, help="processes")
    given = ask.parse_args(words)
    cells = [Cell(int(n), noise) for n, _, noise in (name.partition("-") for name in given.cells)]
    delta = given.delta if given.delta == "auto" else float(given.delta)
    asked = [(cell, Method(way, delta, given.calibrated)) for cell in cells for way in given.intervals]
    ranges = [range(k, min(k + CHUNK, given.datasets)) for k in range(0, given.datasets, CHUNK)]
    print(heading(), flush=True)
    total = 0.0
    with ProcessPoolExecutor(given.jobs) as pool:
        waiting = [
            [pool.submit(part, cell, method, tables, given.refits, given.seed) for tables in ranges]
            for cell, method in asked
        ]
        for (cell, method), parts in zip(asked, waiting, strict=True):
            found = measured(cell, method, [p.result() for p in parts])
            print(row(found), flush=True)
            total += found.seconds
    print(
        f"\n{given.datasets:,} tables a cell, {given.refits} refits each, seed {given.seed}, noise sd {SD} in log loss; "
        f"{total / 60:.0f} minutes of one core."
    )


def heading() -> str:
    """The table's head."""
    named = ["cell", "intervals", *QUANTITIES, "coverage", "error", "width over range", "E = 0", "open", "seconds"]
    return f"| {' | '.join(named)} |\n|{'---|' * len(named)}"


def row(m: Measured) -> str:
    """Coverage and, in brackets, width over the estimator's own range for each quantity, then what is worst."""
    each = [f"{100 * c:.1f} ({r:.2f})" for c, r in zip(m.coverage, m.ratio, strict=True)]
    cells = [
        f"{m.cell.n} {m.cell.noise}, {SIZES[m.cell.n]} sizes",
        m.method.words,
        *each,
        f"{100 * m.coverage.min():.1f}-{100 * m.coverage.max():.1f}",
        f"{100 * m.error.max():.1f}",
        f"{m.ratio.min():.2f}-{m.ratio.max():.2f}",
        f"{100 * m.at_zero:.1f} %",
        f"{100 * m.open.max():.1f} %",
        f"{m.seconds:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
