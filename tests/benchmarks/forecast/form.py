"""The two constants of the form's own error, chosen anew for each source from the others: `python -m tests.benchmarks.forecast.form`.

Two kinds of cut: the largest runs left out, and the runs of the oddest mixtures of size and data, most of them within the
compute of those seen. Each pair of constants is judged by the mean logarithm of the interval score beside no error of the
form, sources alike. The prior's centres are found without the source that is scored; a made language is left aside.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import numpy as np

import fitting.uncertainty.model_discrepancy
from fitting import Fit, FitError
from tests.benchmarks.forecast.__main__ import taught, without
from tests.benchmarks.forecast.rules import LEVEL, RULES, forecast, with_priors
from tests.benchmarks.forecast.tables import Cut, Sweep, cuts, odd_cuts, sweeps

BEYOND = (0.0, 0.001, 0.002, 0.0025, 0.003, 0.004)
MIXED = (0.0, 0.004, 0.006, 0.008, 0.012, 0.016, 0.024)
SHIPPED = (fitting.uncertainty.model_discrepancy.FORM_BEYOND, fitting.uncertainty.model_discrepancy.FORM_MIXED)
PAIRS = list(dict.fromkeys([*itertools.product(BEYOND, MIXED), SHIPPED]))
# How far runs lie beyond those seen: in times their compute, and in e-folds of mixture.
DISTANCES = {"largest runs": (1.5, 5.0, 20.0, np.inf), "odd mixtures": (-1.0, 0.0, 0.3, 0.7, 1.5, np.inf)}
RESAMPLES = 400

Pair = tuple[float, float]
# Rows (m, 3) of distance, interval score and whether it held, by kind of cut and source, of each of its tables.
Found = dict[tuple[str, str], list[np.ndarray]]


def judged(f: Fit, sweep: Sweep, cut: Cut, kind: str) -> dict[Pair, np.ndarray]:
    """Rows (m, 3) of one fit's forecasts under every pair of constants."""
    assert f.doubt is not None
    assert f.doubt.mixture is not None
    where = {"params": sweep.params[cut.asked], "tokens": sweep.tokens[cut.asked]}
    distance = cut.beyond[cut.asked] if kind == "largest runs" else f.doubt.mixture.outside(where)
    out = {}
    for pair in PAIRS:
        fitting.uncertainty.model_discrepancy.FORM_BEYOND, fitting.uncertainty.model_discrepancy.FORM_MIXED = pair
        _, y, _, low, high = forecast(f, sweep, cut).T
        miss = np.maximum(0.0, np.maximum(low - y, y - high))
        out[pair] = np.column_stack([distance, high - low + 2.0 / (1.0 - LEVEL) * miss, miss == 0])
    fitting.uncertainty.model_discrepancy.FORM_BEYOND, fitting.uncertainty.model_discrepancy.FORM_MIXED = SHIPPED
    return out


def everything(found: list[Sweep]) -> dict[Pair, Found]:
    """Every table's rows under every pair."""
    teachers = taught([s for s in found if s.main])
    out: dict[Pair, Found] = {pair: defaultdict(list) for pair in PAIRS}
    for sweep, (kind, cutting) in itertools.product(found, (("largest runs", cuts), ("odd mixtures", odd_cuts))):
        parts: dict[Pair, list[np.ndarray]] = defaultdict(list)
        with with_priors(without({sweep.source}, teachers)):
            for cut in cutting(sweep):
                try:
                    f = RULES[-1].fitted(sweep, cut, RESAMPLES)
                except FitError as refused:
                    print(f"{sweep.name}: {refused}", file=sys.stderr)
                    continue
                for pair, rows in judged(f, sweep, cut, kind).items():
                    parts[pair].append(rows)
        for pair, rows_of in parts.items():
            out[pair][kind, sweep.source].append(np.concatenate(rows_of))
    return out


def cost(found: dict[Pair, Found], pair: Pair, gone: Collection[str] = ()) -> float:
    """The mean logarithm of the score beside no error of the form: over tables, then sources, then kinds of cut."""
    kinds = defaultdict(list)
    for key, tables in found[pair].items():
        if key[1] not in gone:
            kinds[key[0]].append(
                np.mean(
                    [np.log(a[:, 1].mean() / b[:, 1].mean()) for a, b in zip(tables, found[0.0, 0.0][key], strict=True)]
                )
            )
    return float(np.mean([np.mean(v) for v in kinds.values()]))


def held(found: dict[Pair, Found], kind: str, picks: dict[str, Pair]) -> str:
    """Share held at each distance, mean over sources (over their tables), and the worst source's, each under its own pair."""
    cells = []
    for low, high in itertools.pairwise(DISTANCES[kind]):
        shares = []
        for source, pair in picks.items():
            tables = [t[(t[:, 0] > low) & (t[:, 0] <= high)] for t in found[pair].get((kind, source), [])]
            enough = [t[:, 2].mean() for t in tables if len(t) >= 5]
            shares += [float(np.mean(enough))] if enough else []
        cells.append(f"{100 * np.mean(shares):.0f}, {100 * min(shares):.0f} %")
    return " | ".join(cells)


def main() -> int:
    folder = os.environ.get("ISOFLOP_DATASETS")
    if not folder:
        print("Set ISOFLOP_DATASETS to the folder of public runs.", file=sys.stderr)
        return 2
    tables = [s for s in sweeps(Path(folder)) if s.source != "Probe grid"]
    sources = list(dict.fromkeys(s.source for s in tables))
    found = everything(tables)
    picks = {s: min(PAIRS, key=lambda pair, s=s: cost(found, pair, (s,))) for s in sources}
    print("least score: beyond, mixed, and its logarithm beside no error of the form (shipped in brackets)")
    for source, pair in picks.items():
        print(
            f"  without {source:14s} {pair}  {cost(found, pair, (source,)):.3f} ({cost(found, SHIPPED, (source,)):.3f})"
        )
    by_all = min(PAIRS, key=lambda pair: cost(found, pair))
    print(f"  by all {'':15s} {by_all}  {cost(found, by_all):.3f} ({cost(found, SHIPPED):.3f})")
    ways = {"no error of the form": dict.fromkeys(sources, (0.0, 0.0)), "least score, without the source": picks,
            "as shipped": dict.fromkeys(sources, SHIPPED)}  # fmt: skip
    for kind in DISTANCES:
        print(f"\n{kind}, held at {DISTANCES[kind]}: mean over sources, worst")
        for title, pairs in ways.items():
            print(f"  {title:34s} {held(found, kind, pairs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
