"""The forecast's own constants chosen anew for each source from the others, and scored on the one that had no say:
`python -m tests.benchmarks.forecast.chosen`.

Leaving a source out of the prior's centres alone would leave its mark on how much a run counts against the prior, how
large runs are weighted, and how wide doubt is and how it grows. Here these are chosen on the other sources, and while they
are chosen no centre has seen the source that is scored either. The choice is the least interval score among those that
cover 90 % at every distance on average, and no table of ten runs or more under 60 %.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import fitting.believing
import fitting.doubt
import fitting.prior
from fitting import Fit, FitError, fit
from tests.benchmarks.forecast.__main__ import taught, without
from tests.benchmarks.forecast.rules import RULES, believing, forecast
from tests.benchmarks.forecast.scores import TITLES, Score, scores, summary
from tests.benchmarks.forecast.tables import Cut, Sweep, cuts, sweeps

# What a refit depends on: what a run counts against the prior, and how large runs are weighted.
CAUTIONS = (1.4, 2.0, 2.8)
LARGER = (0.2, 0.35, 0.5, 0.7)
# What widths alone depend on: the law's own doubt at the largest run, and its growth.
SHARES = (0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
GROWTHS = (0.1, 0.25, 0.5)
REFITS = list(itertools.product(CAUTIONS, LARGER))
WIDTHS = list(itertools.product(SHARES, GROWTHS))
SHIPPED = (fitting.prior.CAUTION, fitting.prior.TOWARDS_LARGE, fitting.doubt.WITH_PRIOR, fitting.doubt.GROWTH)
ENOUGH, LEAST = 0.90, 0.60

Constants = tuple[float, ...]
# A table's scores under every choice, by what was left out of the centres: (table, left out) -> constants -> scores.
Found = dict[tuple[str, frozenset[str]], dict[Constants, list[Score | None]]]


@contextmanager
def constants(caution: float, larger: float) -> Iterator[None]:
    """The fit's constants set to these for as long as the block lasts."""
    held = fitting.prior.CAUTION, fitting.prior.TOWARDS_LARGE

    def put(caution: float, larger: float) -> None:
        fitting.prior.CAUTION = fitting.believing.CAUTION = caution
        fitting.prior.TOWARDS_LARGE = larger

    put(caution, larger)
    try:
        yield
    finally:
        put(*held)


def widths(f: Fit, sweep: Sweep, cut: Cut) -> dict[Constants, np.ndarray]:
    """The forecasts of one fit under every choice of what widths depend on."""
    assert f.doubt is not None
    shipped = fitting.doubt.GROWTH
    out: dict[Constants, np.ndarray] = {}
    try:
        for share, fitting.doubt.GROWTH in WIDTHS:
            out[share, fitting.doubt.GROWTH] = forecast(replace(f, doubt=replace(f.doubt, share=share)), sweep, cut)
    finally:
        fitting.doubt.GROWTH = shipped
    return out


def scored(
    sweep: Sweep, teachers: dict[str, dict[str, float]], gone: frozenset[str], resamples: int
) -> dict[Constants, list[Score | None]]:
    """One table's scores under every choice, its cuts together, with centres that no source in `gone` taught."""
    out: dict[Constants, list[Score | None]] = {}
    beliefs = without(gone, teachers)
    for caution, larger in REFITS:
        rows: dict[Constants, list[np.ndarray]] = {w: [np.empty((0, 5))] for w in WIDTHS}
        with believing(beliefs), constants(caution, larger):
            for cut in cuts(sweep):
                try:
                    f = fit(sweep.runs(cut.seen), "general", prior="published", resamples=resamples, seed=0)
                except FitError as refused:
                    print(f"{sweep.name} at {cut.percentile} %: {refused}", file=sys.stderr)
                    continue
                for w, found in widths(f, sweep, cut).items():
                    rows[w].append(found)
        out |= {(caution, larger, *w): scores(np.concatenate(r)) for w, r in rows.items()}
    return out


def plain(sweep: Sweep, resamples: int) -> list[Score | None]:
    """The scores of the rule that all are measured by: Chinchilla's law, runs resampled, noise alone."""
    parts = [forecast(RULES[0].fitted(sweep, c, resamples), sweep, c) for c in cuts(sweep)]
    return scores(np.concatenate(parts))


def _job(given: tuple[Any, ...]) -> Any:
    return scored(*given)


def judged(tables: list[list[Score | None]], reference: list[list[Score | None]]) -> tuple[bool, float]:
    """What choices are ranked by, least first: whether one covers too little, and its interval score or what it lacks.

    The score is the plain rule's share of it, in logarithms, averaged over the distances.
    """
    at = [summary([t[k] for t in tables], [r[k] for r in reference]) for k in range(len(TITLES))]
    covered, worst = min(s.covered for s in at), min(s.worst for s in at)
    if covered < ENOUGH or worst < LEAST:
        return True, -covered
    return False, float(np.mean([np.log(s.score) for s in at]))


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--resamples", type=int, default=200)
    ask.add_argument("--cores", type=int, default=1)
    given = ask.parse_args()
    folder = os.environ.get("ISOFLOP_DATASETS")
    if not folder:
        print("Set ISOFLOP_DATASETS to the folder of public runs.", file=sys.stderr)
        return 2
    began = time.perf_counter()
    found = [s for s in sweeps(Path(folder)) if s.main]
    teachers = taught(found)
    asked = [
        (s, teachers, frozenset({s.source, other}), given.resamples) for s in found for other in teachers
    ]  # a table's own source is always left out, and with it nobody (itself) or one more
    with ProcessPoolExecutor(given.cores) as pool:
        everything: Found = {}
        for job, answer in zip(asked, pool.map(_job, asked), strict=True):
            everything[job[0].name, job[2]] = answer
            print(
                f"{time.perf_counter() - began:6.0f} s  {job[0].name} without {', '.join(sorted(job[2]))}", flush=True
            )
        reference = {s.name: plain(s, given.resamples) for s in found}
    report(found, everything, reference)
    print(f"\n{time.perf_counter() - began:.0f} s, {given.resamples} refits, seed 0")
    return 0


def report(found: list[Sweep], everything: Found, reference: dict[str, list[Score | None]]) -> None:
    """Print what each source's others choose, and the scores under that beside the shipped constants' and all tables' choice."""
    sources = list(dict.fromkeys(s.source for s in found))
    choices = [(*r, *w) for r in REFITS for w in WIDTHS]

    def of(sweep: Sweep, gone: frozenset[str], choice: Constants) -> list[Score | None]:
        return everything[sweep.name, gone | {sweep.source}][choice]

    def best(on: list[Sweep], gone: frozenset[str]) -> Constants:
        against = [reference[s.name] for s in on]
        return min(choices, key=lambda c: judged([of(s, gone, c) for s in on], against))

    chosen = {source: best([s for s in found if s.source != source], frozenset({source})) for source in sources}
    by_all = best(found, frozenset())
    print("\nchosen by the others: caution, weight, share, growth")
    for source, choice in [*chosen.items(), ("by all", by_all), ("shipped", SHIPPED)]:
        print(f"{source:14s} {choice}")
    print(f"\n| constants | {' | '.join(TITLES)} |\n|---|{'---|' * len(TITLES)}")
    for title, pick in (
        ("chosen without the source scored", chosen.get),
        ("as shipped", lambda _: SHIPPED),
        ("chosen by all, for comparison", lambda _: by_all),
    ):
        rows = [of(s, frozenset(), pick(s.source)) for s in found]
        cells = []
        for k in range(len(TITLES)):
            s = summary([r[k] for r in rows], [reference[s.name][k] for s in found])
            cells.append(f"{100 * s.covered:.0f}, {100 * s.worst:.0f} %; {s.score:.2f}; {s.error:.2f}")
        print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
