"""How often parameters that runs cannot tell are named, and how often ones that they can are: simulated and public tables.

    python -m tests.benchmarks.identification --tables 12        # simulated: a row for each law, design and noise
    ISOFLOP_DATASETS=folder python -m tests.benchmarks.identification --public

What is true of a simulated table comes from its losses without noise: an end of a parameter's range is degenerate where
everything else refitted makes up for it (a chi-squared of less than .1 of the noise's), excluded where it is more than five
deviations off (25), and neither in between. A row says on how many tables every degenerate end was named, on how many any
was, and on how many an excluded one was; the share of parameters with one open end whose other end holds the truth; and
what finding all this costs, as a share of the processor time of the fit with its refits.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fitting.diagnostics.checks.evidence as evidence
from data import Runs
from data.errors import DataError
from data.flops import six_nd
from data.library import bundled
from fitting import FitError, Law, all_laws, fit, offered
from fitting.diagnostics.identification import natural_ends
from fitting.diagnostics.open_ends import open_ends
from fitting.result import Fit
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import problem
from tests.benchmarks.forecast.tables import sweeps
from tests.planted import TWO, grid, line, noisy

Array = np.ndarray
CHINCHILLA = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
POWER = {"E": 1.7, "B": 410.0, "c0": 0.28, "c1": 1e-12, "x1": 1e9, "f1": 0.3}
NOISES = (0.002, 0.004, 0.01, 0.03)
DEGENERATE, EXCLUDED = 0.1, 25.0


def isoflop(rng: np.random.Generator) -> dict[str, Array]:
    """Five budgets with six sizes each."""
    flops = np.repeat(np.geomspace(1e18, 1e21, 5), 6)
    params = 0.09 * np.sqrt(flops) * np.tile(np.geomspace(0.25, 4, 6), 5)
    return {"params": params, "tokens": flops / (6 * params)}


def ray(rng: np.random.Generator) -> dict[str, Array]:
    """About twenty tokens a parameter: within a tenth, since runs on one line are refused."""
    params = np.geomspace(2e7, 5e9, 10)
    return {"params": params, "tokens": 20 * params * np.exp(0.1 * rng.standard_normal(10))}


def ladder(rng: np.random.Generator) -> dict[str, Array]:
    """Four sizes, each trained on 20, 60 and 180 tokens a parameter."""
    params = np.repeat(np.geomspace(2e7, 2e9, 4), 3)
    return {"params": params, "tokens": params * np.tile([20, 60, 180], 4)}


def on(column: str, n: int) -> Callable[[np.random.Generator], dict[str, Array]]:
    """`n` values of one input over three decades."""
    return lambda rng: line(column, n)


def repeated(rng: np.random.Generator) -> dict[str, Array]:
    """A grid of which half is trained on the same tokens again, up to 30 times."""
    x = grid(6, 6)
    return {**x, "unique_tokens": x["tokens"] / np.tile([1, 1, 1, 3, 10, 30], 6)}


def once(rng: np.random.Generator) -> dict[str, Array]:
    """The same grid without a repeat."""
    x = grid(6, 6)
    return {**x, "unique_tokens": x["tokens"]}


@dataclass(frozen=True)
class Case:
    """A law fitted to tables of a design whose losses follow the law with these constants."""

    law: Law
    design: Callable[[np.random.Generator], dict[str, Array]]
    truth: dict[str, float]


def cases() -> dict[str, Case]:
    """What is simulated, by name."""
    laws = all_laws()
    of = {k: dict(law.published[0].values) for k, law in laws.items() if law.published}
    nothing = 1e-12
    out = {}
    for name, design in (("grid", lambda r: grid()), ("isoflop", isoflop), ("ladder", ladder), ("ray", ray)):
        out[f"chinchilla {name}"] = Case(laws["chinchilla"], design, CHINCHILLA)
        out[f"chinchilla, data alone {name}"] = Case(laws["chinchilla"], design, {**CHINCHILLA, "A": nothing})
        out[f"chinchilla, size alone {name}"] = Case(laws["chinchilla"], design, {**CHINCHILLA, "B": nothing})
        out[f"over-training {name}"] = Case(laws["overtraining"], design, of["overtraining"])
        out[f"kaplan {name}"] = Case(laws["kaplan"], design, of["kaplan"])
    out["chinchilla grid of 48"] = Case(laws["chinchilla"], lambda r: grid(8, 6), CHINCHILLA)
    out["general grid of 48"] = Case(laws["general"], lambda r: grid(8, 6), {**CHINCHILLA, "q": 0.6})
    out["general, data alone"] = Case(laws["general"], lambda r: grid(8, 6), {**CHINCHILLA, "A": nothing, "q": 1.0})
    out["repeated data"] = Case(laws["data-constrained"], repeated, of["data-constrained"])
    out["repeated data, none"] = Case(laws["data-constrained"], once, of["data-constrained"])
    for key, column in (("tokens", "tokens"), ("params", "params"), ("compute", "flops")):
        law = laws[f"broken-{key}"]
        for n in (15, 40):
            out[f"broken {key} {n}"] = Case(law, on(column, n), {**POWER, "c0": 0.1, "c1": 0.5, "x1": 3e9, "B": 30.0})
            out[f"broken {key} {n}, no break"] = Case(law, on(column, n), POWER)
    out["two terms in one"] = Case(TWO, on("params", 25), {"E": 1.7, "A": 410.0, "F": nothing, "a": 0.3, "f": 1.0})
    out["loss of compute"] = Case(laws["compute-floor"], on("flops", 15), {"E": 1.7, "A": 410.0, "gamma": 0.28})
    out["kaplan size"] = Case(laws["kaplan-params"], on("params", 10), of["kaplan-params"])
    out["kaplan data"] = Case(laws["kaplan-tokens"], on("tokens", 10), of["kaplan-tokens"])
    return out


def table(case: Case, noise: float, seed: int) -> tuple[Runs, dict[str, Array]]:
    """One simulated table, and its inputs."""
    rng = np.random.default_rng([seed, 7])
    x = case.design(rng)
    loss = np.asarray(case.law(x, case.truth))
    frame = noisy(x, loss, noise, rng)
    if {"params", "tokens"} <= set(x):
        frame["flops"] = six_nd(frame["params"], frame["tokens"])
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="simulated"), x


def ends(case: Case, x: dict[str, Array], noise: float, most: float) -> set[tuple[str, str]]:
    """The ends of parameters' ranges that losses without noise exclude by less than a chi-squared of `most`."""
    law = case.law
    x = {k: x[k] for k in law.inputs}
    loss = np.asarray(law(x, case.truth))
    where = coordinates(law, x, loss)
    prob = problem(where, x, loss, np.inf)
    theta = np.clip(where.internal(np.array([case.truth[k] for k in law.names])), *where.bounds)
    below, above = natural_ends(where, *open_ends(prob, theta, 0.5 * most * noise**2))
    return {(k, "low") for k, o in zip(law.names, below, strict=True) if o} | {
        (k, "high") for k, o in zip(law.names, above, strict=True) if o
    }


def named(f: Fit) -> set[tuple[str, str]]:
    """The ends that a fit calls open."""
    return {(k, side) for k in f.unidentified for side in ("low", "high") if f.closed_ends.get(k) != side}


def holds(f: Fit, truth: dict[str, float]) -> list[bool]:
    """For each parameter with one open end whether its interval holds the truth."""
    bands = {k: f.interval(k) for k in f.closed_ends}
    return [bool(b.low <= truth[k] <= b.high) for k, b in bands.items()]


class Clock:
    """Processor time spent in finding what is not identified."""

    def __init__(self) -> None:
        self.spent, self._found = 0.0, vars(evidence)["unidentified"]
        vars(evidence)["unidentified"] = self

    def __call__(self, *given: Any) -> Any:
        began = time.process_time()
        out = self._found(*given)
        self.spent += time.process_time() - began
        return out


def simulated(asked: argparse.Namespace) -> None:
    """A row for each case and noise, and all of them together."""
    clock = Clock()
    print(f"{asked.tables} tables a row, {asked.resamples} refits")
    print(
        f"{'law and design':34}{'noise':>6}{'every':>7}{'any':>5}{'of':>4}{'false':>6}{'of':>4}{'held':>9}{'cost':>6}"
    )
    total: Counter[str] = Counter()
    for name, case in cases().items():
        for noise in NOISES:
            if not asked.only or asked.only in name:
                total += _row(name, case, noise, asked, clock)
    print(
        f"degenerate: every one named on {total['every']} of {total['degenerate']} tables, any on {total['any']}; excluded "
        f"ones named on {total['false']} of {total['excluded']}; other ends hold the truth {total['held']} of {total['ends']}"
    )


def _row(name: str, case: Case, noise: float, asked: argparse.Namespace, clock: Clock) -> Counter[str]:
    count: Counter[str] = Counter()
    clock.spent, whole = 0.0, 0.0
    for seed in range(asked.tables):
        runs, x = table(case, noise, seed)
        open_, possible = (ends(case, x, noise, most) for most in (DEGENERATE, EXCLUDED))
        names = {(k, s) for k in case.law.names for s in ("low", "high")}
        began = time.process_time()
        try:
            f = fit(runs, case.law, prior="none", resamples=asked.resamples)
        except FitError:
            continue
        whole += time.process_time() - began
        said = named(f)
        count["degenerate"] += bool(open_)
        count["every"] += bool(open_) and open_ <= said
        count["any"] += bool(open_ & said)
        count["excluded"] += bool(names - possible)
        count["false"] += bool(said - possible)
        kept = holds(f, case.truth) if asked.resamples else []
        count["held"] += sum(kept)
        count["ends"] += len(kept)
    held = f"{count['held']}/{count['ends']}" if count["ends"] else ""
    print(
        f"{name:34}{noise:>6}{count['every']:>7}{count['any']:>5}{count['degenerate']:>4}{count['false']:>6}"
        f"{count['excluded']:>4}{held:>9}{clock.spent / max(whole, 1e-9):>6.0%}",
        flush=True,
    )
    return count


def public(asked: argparse.Namespace) -> None:
    """Every law that each bundled and public table allows: how many fits have a flag, and how many of these are sound."""
    count: Counter[str] = Counter()
    for name, runs in _tables():
        for key in offered(runs.kept.columns):
            if offered(runs.kept.columns)[key]:
                continue
            try:
                f = fit(runs, key, resamples=asked.resamples)
            except (FitError, DataError, TypeError):
                count["refused"] += 1
                continue
            count["fits"] += 1
            count["flagged"] += bool(f.unidentified)
            count["sound"] += bool(f.unidentified) and all(
                v.state == "pass" for v in f.verdicts if v.key != "identified"
            )
            if f.unidentified:
                worst = ", ".join(v.key for v in f.verdicts if v.state == "fail")
                said = " ".join({"low": ">", "high": "<"}.get(f.closed_ends.get(k, ""), "") + k for k in f.unidentified)
                print(f"{name:42}{key:18}{said}  [{worst}]", flush=True)
    print(dict(count))


def _tables() -> Iterator[tuple[str, Runs]]:
    for entry in bundled():
        yield entry.title[:40], entry.load()
    for sweep in sweeps(Path(os.environ["ISOFLOP_DATASETS"])):
        yield sweep.name, sweep.runs(np.ones(len(sweep.loss), bool))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=12)
    parser.add_argument("--resamples", type=int, default=0)
    parser.add_argument("--only", default="", help="cases whose name has this")
    parser.add_argument("--public", action="store_true")
    asked = parser.parse_args()
    public(asked) if asked.public else simulated(asked)


if __name__ == "__main__":
    main()
