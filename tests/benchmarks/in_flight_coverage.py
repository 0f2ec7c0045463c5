"""How often what is said of runs in flight comes true: on curves drawn from a law with a decay, and on the probes of a folder.

`python -m tests.benchmarks.in_flight_coverage --tables 200` draws tables; `--folder SWEEP` leaves each finished run of a sweep out in
turn, cut at several shares of it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from data import read_runs
from data.probe.found import probes, run_folders
from fitting import Fit, fit
from fitting.in_flight import Curve, in_flight
from fitting.probe_curves import curve

SHARES = np.geomspace(0.01, 1.0, 20)
CUTS = (0.1, 0.25, 0.5, 0.7)
DECAY = 0.3
LR = 0.25  # nats that the decay brings at width 16, in its part that grows as models shrink


def drawn(rng: np.random.Generator, runs: int, noise: float = 0.004, worse: float = 1.0) -> list[Curve]:
    """Curves of runs whose rate falls over the last part, with noise of a run (the seed's) and of each evaluation."""
    out = []
    for k in range(runs):
        n, d = (np.round(np.exp(rng.uniform(*np.log(ends)))) for ends in ([5e3, 3e5], [2.5e5, 8e6]))
        rate = np.minimum(1.0, np.minimum(SHARES / 0.05, (1.0 - SHARES) / DECAY))
        loss = 1.08 + 9.0 * n**-0.5 + 140.0 * (SHARES * d) ** -0.5 + rate * LR * (n / 5e3) ** -0.3
        loss *= worse * np.exp(noise * rng.standard_normal() + 0.5 * noise * rng.standard_normal(len(SHARES)))
        out.append(Curve(f"run {k}", {"params": n, "tokens": d, "flops": 6 * n * d}, SHARES, loss))
    return out


def law_of(curves: list[Curve]) -> Fit:
    """The law of their final losses."""
    return fit(
        read_runs(pd.DataFrame([{"run": c.name, **c.inputs, "loss": c.loss[-1]} for c in curves])), resamples=200
    )


def cut(one: Curve, share: float) -> Curve:
    """The curve up to the evaluation nearest to a share of the run, not its end."""
    end = int(np.argmin(np.abs(one.shares[:-1] - share))) + 1
    return replace(one, shares=one.shares[:end], loss=one.loss[:end])


@dataclass
class Tally:
    """Forecasts made and those that held, by share; statuses; sizes of errors."""

    made: Counter[float] = field(default_factory=Counter)
    held: Counter[float] = field(default_factory=Counter)
    status: Counter[str] = field(default_factory=Counter)
    errors: dict[float, list[float]] = field(default_factory=dict)

    def count(self, one: Curve, others: list[Curve], law: Fit | None) -> None:
        """Forecast a run cut at each share."""
        for share in CUTS:
            said = in_flight(cut(one, share), others, law)
            if said.status:
                self.status[said.status.split()[0]] += 1
            if said.projected is not None:
                value, low, high = (float(x) for x in (said.projected.value, said.projected.low, said.projected.high))
                self.made[share] += 1
                self.held[share] += low <= one.loss[-1] <= high
                self.errors.setdefault(share, []).append(abs(np.log(value / one.loss[-1])))

    def print(self, title: str) -> None:
        """What came out, a line a share."""
        print(title)
        for share in self.made:
            print(
                f"  at {100 * share:3.0f} %: {self.held[share]} of {self.made[share]} finals in their 90 % interval, "
                f"median error {100 * np.median(self.errors[share]):.2f} %"
            )
        print(" ", dict(self.status))


def main() -> None:
    """Draw or read, and count."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tables", type=int, default=200)
    asked.add_argument("--runs", type=int, default=16)
    asked.add_argument("--folder", type=Path)
    told = asked.parse_args()
    if told.folder:
        done = [one for one in probes(run_folders(told.folder)) if one.status.state == "done"]
        curves = [curve(one) for one in done]
        tally = Tally()
        for one in curves:
            tally.count(one, [other for other in curves if other is not one], None)
        tally.print(f"{len(curves)} finished runs of {told.folder}, each left out in turn")
        return
    rng = np.random.default_rng(0)
    for worse in (1.0, 1.03, 1.06):
        tally = Tally()
        for _ in range(told.tables):
            known = drawn(rng, told.runs)
            (one,) = drawn(rng, 1, worse=worse)
            tally.count(replace(one, name="new"), known, law_of(known))
        tally.print(f"{told.tables} tables of {told.runs} runs, one run more that is {worse:g} times as high")


if __name__ == "__main__":
    main()
