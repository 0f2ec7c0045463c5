"""The rules that are compared: each fits the runs below a cut and forecasts those beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

import fitting.solver.prior
import fitting.uncertainty.map_fit
from fitting import Fit, all_laws, fit
from fitting.law import Prior
from tests.benchmarks.forecast.tables import Cut, Sweep

LEVEL = 0.90


@dataclass(frozen=True)
class Rule:
    """A way to fit, and whether its intervals hold what `Fit.doubt` says or the noise alone."""

    title: str
    law: str
    prior: str = "none"
    intervals: str = "auto"
    doubting: bool = True

    def fitted(self, sweep: Sweep, cut: Cut, resamples: int) -> Fit:
        """The fit to the runs below the cut."""
        f = fit(sweep.runs(cut.seen), self.law, prior=self.prior, intervals=self.intervals, resamples=resamples, seed=0)
        return f if self.doubting else replace(f, doubt=None)


RULES = (
    Rule("Chinchilla, runs resampled, noise alone", "chinchilla", intervals="runs", doubting=False),
    Rule("Chinchilla, as Isoflop widens it", "chinchilla"),
    Rule("General law, no prior", "general"),
    Rule("General law with the prior (the default)", "general", prior="published"),
)


def forecast(f: Fit, sweep: Sweep, cut: Cut) -> np.ndarray:
    """What came of each run asked about, (m, 5): times beyond, the loss's log, and the forecast's middle, low and high."""
    n, d = sweep.params[cut.asked], sweep.tokens[cut.asked]
    band = f.predict(params=n, tokens=d, of="run", level=LEVEL)
    logs = [np.log(np.asarray(x, float)) for x in (sweep.loss[cut.asked], *band)]
    return np.column_stack([cut.beyond[cut.asked], *logs])


@contextmanager
def with_priors(priors: Mapping[str, Prior]) -> Iterator[None]:
    """The general law with other priors, for as long as the block lasts."""
    laws = all_laws()
    shipped = laws["general"]
    laws["general"] = replace(shipped, params=tuple(replace(p, prior=priors.get(p.name)) for p in shipped.params))
    try:
        yield
    finally:
        laws["general"] = shipped


@contextmanager
def constants(caution: float, larger: float) -> Iterator[None]:
    """The fit's constants set to these for as long as the block lasts."""
    held = fitting.solver.prior.CAUTION, fitting.solver.prior.TOWARDS_LARGE

    def put(caution: float, larger: float) -> None:
        fitting.solver.prior.CAUTION = fitting.uncertainty.map_fit.CAUTION = caution
        fitting.solver.prior.TOWARDS_LARGE = larger

    put(caution, larger)
    try:
        yield
    finally:
        put(*held)
