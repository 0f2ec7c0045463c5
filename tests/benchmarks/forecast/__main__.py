"""Leave out the largest runs of public sweeps and forecast them: `python -m tests.benchmarks.forecast`.

The prior's centres are found anew for each source from the others, so that no table is scored with what it taught.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from fitting import FitError, all_laws, fit
from fitting.law import Prior
from tests.benchmarks.forecast import simulated
from tests.benchmarks.forecast.rules import RULES, constants, forecast, with_priors
from tests.benchmarks.forecast.scores import TITLES, Score, scores, summary
from tests.benchmarks.forecast.tables import Sweep, cuts, sweeps

# What a source teaches is found with priors this wide and this weight of larger runs, whatever constants are shipped or
# tried: a choice of those moves no centre.
WIDE = {"E": 1.2**3, "alpha": 1.6**3, "beta": 1.6**3, "q": 1.5**3}
CAUTION, LARGER = 2.0, 0.35


def taught(found: list[Sweep]) -> dict[str, dict[str, float]]:
    """For each source, the logarithms of what its own whole tables say of the general law."""
    law = all_laws()["general"]
    wide = {p.name: Prior(p.prior.centre, WIDE[p.name]) for p in law.params if p.prior}
    by_source: dict[str, list[dict[str, float]]] = defaultdict(list)
    for sweep in found:
        everything = np.ones(len(sweep.loss), bool)
        with with_priors(wide), constants(CAUTION, LARGER):
            values = fit(sweep.runs(everything), "general", resamples=0).params
        lowest = [np.log(sweep.loss[c.seen].min()) for c in cuts(sweep)]
        own = {k: float(np.log(values[k])) for k in wide}
        own["E"] -= float(np.mean(lowest))  # as a forecast from the smaller runs meets it
        by_source[sweep.source].append(own)
    return {s: {k: float(np.mean([o[k] for o in rows])) for k in wide} for s, rows in by_source.items()}


def without(gone: Collection[str], teachers: dict[str, dict[str, float]]) -> dict[str, Prior]:
    """The priors that all sources but these teach; how wide they are is shipped."""
    law = all_laws()["general"]
    others = [v for s, v in teachers.items() if s not in gone]
    centre = {k: float(np.exp(np.mean([o[k] for o in others]))) for k in others[0]}
    both = float(np.sqrt(centre["alpha"] * centre["beta"]))  # one belief for both exponents, as shipped
    centre |= {"alpha": both, "beta": both}
    return {p.name: replace(p.prior, centre=centre[p.name]) for p in law.params if p.prior}


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--resamples", type=int, default=400)
    ask.add_argument("--shipped", action="store_true", help="score with the prior as shipped, not left one out")
    ask.add_argument("--main", action="store_true", help="the eight main tables only")
    ask.add_argument("--tables", action="store_true", help="print each table too")
    ask.add_argument("--simulated", type=int, metavar="SWEEPS", help="instead: sweeps simulated from Chinchilla's law")
    given = ask.parse_args()
    if given.simulated:
        print(simulated.table(given.simulated, given.resamples))
        return 0
    folder = os.environ.get("ISOFLOP_DATASETS")
    if not folder:
        print("Set ISOFLOP_DATASETS to the folder of public runs.", file=sys.stderr)
        return 2
    began = time.process_time()
    found = [s for s in sweeps(Path(folder)) if s.main or not given.main]
    teachers = taught([s for s in found if s.main])
    for source, own in teachers.items():
        print(f"{source:14s} " + "  ".join(f"{k} {np.exp(v):.3f}" for k, v in own.items()))
    table: dict[str, list[list[Score | None]]] = {}
    for rule in RULES:
        rows = []
        for sweep in found:
            priors = without({sweep.source}, teachers)
            left_out = with_priors(priors) if rule.prior == "published" and not given.shipped else nullcontext()
            parts = [np.empty((0, 5))]
            with left_out:
                for cut in cuts(sweep):
                    try:
                        parts.append(forecast(rule.fitted(sweep, cut, given.resamples), sweep, cut))
                    except FitError as refused:
                        print(f"{rule.title}: {sweep.name} at {cut.percentile} %: {refused}", file=sys.stderr)
            rows.append(scores(np.concatenate(parts)))
        table[rule.title] = rows
    reference = table[RULES[0].title]
    groups = {"the eight": [s.main for s in found], "further tables": [not s.main for s in found]}
    for group, which in groups.items():
        if not any(which):
            continue
        print(f"\n| on {group} | {' | '.join(TITLES)} |\n|---|{'---|' * len(TITLES)}")
        for title, rows in table.items():
            cells = []
            for k in range(len(TITLES)):
                one, other = ([r[k] for r, w in zip(x, which, strict=True) if w] for x in (rows, reference))
                s = summary(one, other)
                cells.append(f"{100 * s.covered:.0f}, {100 * s.worst:.0f} %; {s.score:.2f}; {s.error:.2f}")
            print(f"| {title} | {' | '.join(cells)} |")
    if given.tables:
        for title, rows in table.items():
            print(f"\n{title}")
            for sweep, row in zip(found, rows, strict=True):
                cells = [
                    f"{100 * s.covered:4.0f} % of {s.runs:3d}, width {100 * s.width:5.1f}, off {100 * s.error:4.1f} ({100 * s.bias:+.1f})"
                    if s
                    else ""
                    for s in row
                ]
                print(f"  {sweep.name:36s}" + " | ".join(f"{c:44s}" for c in cells))
    print(f"\n{time.process_time() - began:.0f} s of the processor, seed 0")
    return 0


if __name__ == "__main__":
    sys.exit(main())
