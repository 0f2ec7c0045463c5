"""The forecast's own constants chosen anew for each source from the others, and scored on the one that had no say:
`python -m tests.benchmarks.forecast.chosen`.

Leaving a source out of the prior's centres alone would leave its mark on how much a run counts against the prior, how
large runs are weighted, how wide the belief of q is, and how wide doubt is and how it grows. Here these are chosen on the
other sources, and while they are chosen no centre has seen the source that is scored either. `RULES` are the ways to choose
that are compared: the first is the one reported, the others were written down before they were scored. With `--keep` a
folder the next report takes seconds.
"""

from __future__ import annotations

import argparse
import itertools
import os
import pickle
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import fitting.solver.prior
import fitting.uncertainty.model_discrepancy
from fitting import Fit, FitError, fit
from fitting.laws.general import JOIN
from tests.benchmarks.forecast.__main__ import taught, without
from tests.benchmarks.forecast.rules import RULES as WAYS
from tests.benchmarks.forecast.rules import constants, forecast, with_priors
from tests.benchmarks.forecast.scores import TITLES, Score, Summary, scores, summary
from tests.benchmarks.forecast.tables import Cut, Sweep, cuts, sweeps

# What a refit depends on: what a run counts against the prior, how large runs are weighted, and the factor of q's belief.
CAUTIONS = (1.4, 2.0, 2.8)
LARGER = (0.35, 0.5, 0.7)
JOINS = (1.5, 2.2)
# What widths alone depend on: the law's own doubt at the largest run, and its growth.
SHARES = (0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
GROWTHS = (0.1, 0.25, 0.5)
REFITS = list(itertools.product(CAUTIONS, LARGER, JOINS))
WIDTHS = list(itertools.product(SHARES, GROWTHS))
CHOICES = [(*r, *w) for r in REFITS for w in WIDTHS]
# What is shipped, scored beside them.
SHIPPED = (
    fitting.solver.prior.CAUTION,
    fitting.solver.prior.TOWARDS_LARGE,
    JOIN.factor,
    fitting.uncertainty.model_discrepancy.WITH_PRIOR,
    fitting.uncertainty.model_discrepancy.GROWTH,
)
SCORED = list(dict.fromkeys([*WIDTHS, SHIPPED[3:]]))
NAMES = "caution, weight, factor of q, share, growth"
# Refits of the plain rule that all are measured by: with 200 its own score was up to 8 % off.
REFERENCE = 2000
LEAST = 0.60

Constants = tuple[float, ...]
# A table's scores under every choice, by what was left out of the centres: (table, left out) -> constants -> scores.
Found = dict[tuple[str, frozenset[str]], dict[Constants, list[Score | None]]]


@dataclass(frozen=True)
class Choosing:
    """A way to choose: the least interval score among choices that cover `enough` at every distance and no table under 60 %.

    With `errors` the point error counts as much as the score; with `each` a choice must cover on whichever source is left
    out as well; with `near` the geometric mean of all within that share of the best is taken, moved to values tried.
    """

    title: str
    enough: float = 0.87
    errors: bool = False
    each: bool = False
    near: float = 0.0


RULES = (
    Choosing("covering 90 %", enough=0.90),
    Choosing("covering 87 %"),
    Choosing("covering 87 %, mean of all within 1 %", near=0.01),
    Choosing("covering 87 %, score and point error", errors=True),
    Choosing("covering 87 % without each one too", each=True),
)


def widths(f: Fit, sweep: Sweep, cut: Cut) -> dict[Constants, np.ndarray]:
    """The forecasts of one fit under every choice of what widths depend on."""
    assert f.doubt is not None
    shipped = fitting.uncertainty.model_discrepancy.GROWTH
    out: dict[Constants, np.ndarray] = {}
    try:
        for share, fitting.uncertainty.model_discrepancy.GROWTH in SCORED:
            out[share, fitting.uncertainty.model_discrepancy.GROWTH] = forecast(
                replace(f, doubt=replace(f.doubt, share=share)), sweep, cut
            )
    finally:
        fitting.uncertainty.model_discrepancy.GROWTH = shipped
    return out


def scored(
    sweep: Sweep, teachers: dict[str, dict[str, float]], gone: frozenset[str], resamples: int
) -> dict[Constants, list[Score | None]]:
    """One table's scores under every choice, its cuts together, with centres that no source in `gone` taught."""
    out: dict[Constants, list[Score | None]] = {}
    priors = without(gone, teachers)
    for caution, larger, join in REFITS:
        rows: dict[Constants, list[np.ndarray]] = {w: [np.empty((0, 5))] for w in SCORED}
        with with_priors(priors | {"q": replace(priors["q"], factor=join)}), constants(caution, larger):
            for cut in cuts(sweep):
                try:
                    f = fit(sweep.runs(cut.seen), "general", prior="published", resamples=resamples, seed=0)
                except FitError as refused:
                    print(f"{sweep.name} at {cut.percentile} %: {refused}", file=sys.stderr)
                    continue
                for w, found in widths(f, sweep, cut).items():
                    rows[w].append(found)
        out |= {(caution, larger, join, *w): scores(np.concatenate(r)) for w, r in rows.items()}
    return out


def plain(sweep: Sweep) -> list[Score | None]:
    """The scores of the rule that all are measured by: Chinchilla's law, runs resampled, noise alone."""
    parts = [forecast(WAYS[0].fitted(sweep, c, REFERENCE), sweep, c) for c in cuts(sweep)]
    return scores(np.concatenate(parts))


def _job(given: tuple[Any, ...]) -> Any:
    *asked, folder = given
    sweep, _, gone, resamples = asked
    kept = folder and folder / f"{sweep.name}, without {', '.join(sorted(gone))}, {resamples}.pickle".replace("/", " ")
    if kept and kept.exists():
        return pickle.loads(kept.read_bytes())
    found = scored(*asked)
    if kept:
        kept.write_bytes(pickle.dumps(found))
    return found


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--resamples", type=int, default=200)
    ask.add_argument("--cores", type=int, default=1)
    ask.add_argument(
        "--keep", type=Path, help="a folder that keeps every table's scores; empty it when the fit changes"
    )
    given = ask.parse_args()
    folder = os.environ.get("ISOFLOP_DATASETS")
    if not folder:
        print("Set ISOFLOP_DATASETS to the folder of public runs.", file=sys.stderr)
        return 2
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    found = [s for s in sweeps(Path(folder)) if s.main]
    teachers = taught(found)
    asked = [
        (s, teachers, frozenset({s.source, other}), given.resamples, given.keep) for s in found for other in teachers
    ]  # a table's own source is always left out, and with it nobody (itself) or one more
    with ProcessPoolExecutor(given.cores) as pool:
        everything: Found = {}
        for job, answer in zip(asked, pool.map(_job, asked), strict=True):
            everything[job[0].name, job[2]] = answer
            print(
                f"{time.perf_counter() - began:6.0f} s  {job[0].name} without {', '.join(sorted(job[2]))}", flush=True
            )
        reference = {s.name: plain(s) for s in found}
    report(Table(found, everything, reference))
    print(f"\n{time.perf_counter() - began:.0f} s, {given.resamples} refits, seed 0")
    return 0


@dataclass(frozen=True)
class Table:
    """All scores, and who chooses by them."""

    sweeps: list[Sweep]
    found: Found
    reference: dict[str, list[Score | None]]

    def at(self, sweeps: list[Sweep], gone: frozenset[str], choices: list[Constants]) -> list[Summary]:
        """The summary over sweeps at each distance, each sweep under its own choice."""
        rows = [self.found[s.name, gone | {s.source}][c] for s, c in zip(sweeps, choices, strict=True)]
        plain = [self.reference[s.name] for s in sweeps]
        return [summary([r[k] for r in rows], [p[k] for p in plain]) for k in range(len(TITLES))]

    def chosen(self, rule: Choosing, gone: frozenset[str]) -> Constants:
        """What the sources that are not `gone` choose by a rule; where none covers enough, the one that covers most."""
        on = [s for s in self.sweeps if s.source not in gone]
        tried = {c: self.at(on, gone, [c] * len(on)) for c in CHOICES}
        groups = [[s for s in on if s.source != left] for left in {s.source for s in on}] if rule.each else []

        def covers(c: Constants) -> bool:
            if not _covers(tried[c], rule.enough):
                return False
            return all(_covers(self.at(g, gone, [c] * len(g)), rule.enough) for g in groups)

        good = [c for c in CHOICES if covers(c)]
        if not good:
            return max(CHOICES, key=lambda c: min(s.covered for s in tried[c]))
        cost = {c: _cost(tried[c], rule.errors) for c in good}
        least = min(cost.values())
        near = [c for c in good if cost[c] <= least + rule.near]
        middle = np.mean(np.log(near), axis=0)
        each = zip((CAUTIONS, LARGER, JOINS, SHARES, GROWTHS), middle, strict=True)
        return tuple(min(values, key=lambda v: abs(float(np.log(v)) - m)) for values, m in each)


def _covers(at: list[Summary], enough: float) -> bool:
    return min(s.covered for s in at) >= enough and not any(s.worst < LEAST for s in at)


def _cost(at: list[Summary], errors: bool) -> float:
    """The plain rule's share of the score (and of the point error), in logarithms, averaged over the distances."""
    score = float(np.mean([np.log(s.score) for s in at]))
    return 0.5 * (score + float(np.mean([np.log(s.error) for s in at]))) if errors else score


def report(t: Table) -> None:
    """Print what each source's others choose by each rule, and the scores under that beside what all tables choose."""
    sources = list(dict.fromkeys(s.source for s in t.sweeps))
    lines = []
    for rule in RULES:
        picks = {source: t.chosen(rule, frozenset({source})) for source in sources}
        by_all = t.chosen(rule, frozenset())
        print(f"\n{rule.title}: {NAMES}")
        for source, choice in [*picks.items(), ("by all", by_all)]:
            print(f"  {source:14s} {choice}")
        lines.append((f"{rule.title}, chosen without the source scored", [picks[s.source] for s in t.sweeps]))
        lines.append((f"{rule.title}, chosen by all", [by_all] * len(t.sweeps)))
    if SHIPPED[:3] in REFITS:
        lines.append(("as shipped", [SHIPPED] * len(t.sweeps)))
    print(f"\n| constants | {' | '.join(TITLES)} |\n|---|{'---|' * len(TITLES)}")
    for title, choices in lines:
        cells = [
            f"{100 * s.covered:.0f}, {100 * s.worst:.0f} %; {s.score:.2f}; {s.error:.2f}"
            for s in t.at(t.sweeps, frozenset(), choices)
        ]
        print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
