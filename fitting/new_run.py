"""What one new run adds to the interval of a law's mean: its noise, its neighbours' residuals, and doubt about the law's form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.band import LEVEL, Array, Band, as_number, band_of
from fitting.law import LOSS, Law
from fitting.uncertainty.model_discrepancy import Doubt


@dataclass(frozen=True, eq=False)
class NewRun(Alike):
    """What is known of runs beside the law's mean of them, for `draws` of its parameters.

    `residuals` (n,) and `new_noise` (R,), the latter empty where residuals stand for it, are in log loss, as in a `Fit`. `largest` is
    the compute of the largest run, NaN where it is not known. A fit without draws has no `doubt`.
    """

    law: Law
    draws: int
    seed: int
    residuals: Array
    new_noise: Array
    doubt: Doubt | None
    largest: float
    accounting: Accounting

    def mean(self, inputs: Mapping[str, Array], best: Array, spread: Array, level: float) -> Band:
        """The law's band (k,) as `mean_and_run` has it: counting draws of a run beyond its ends is quicker than their quantiles.

        Where so few lie there that a run's interval could be the narrower, or a draw has no loss, it is asked in full.
        """
        law = band_of(best, spread, level, best.shape[1:])
        if self.doubt is None or len(spread) == 0:
            return law
        logs = self._in_logs(self.doubt, inputs, best, spread)[1]
        # The quantile lies no further in than this many draws from either end.
        enough = math.ceil(0.5 * (1.0 - level) * (len(spread) + 1)) + 1
        with np.errstate(all="ignore"):
            below = np.count_nonzero(logs <= np.log(law.low), axis=0)
            above = np.count_nonzero(logs >= np.log(law.high), axis=0)
        cut = (np.minimum(below, above) < enough) | ~np.all(np.isfinite(logs), axis=0)
        # All points at once where any is asked: the same sums in the same order as for a run, to the last digit.
        return self.mean_and_run(inputs, best, spread, level, best.shape[1:])[0] if cut.any() else law

    def mean_and_run(
        self,
        inputs: Mapping[str, Array],
        best: Array,
        spread: Array,
        level: float = LEVEL,
        shape: tuple[int, ...] | None = None,
    ) -> tuple[Band, Band]:
        """The interval of the law's mean and one new run's, from its losses at inputs (1, k): best (1, k), of draws (R, k).

        A run's ends are those of the law's draws with a run's noise and doubt about the form, and hold the law's own at the same
        level: no run is known better than the mean that it scatters around. Draws that hold a prior's doubt count for less in
        a forecast (`fitting.uncertainty.model_discrepancy`), as runs of public sweeps showed, so there the law's own ends are
        cut at a run's: a mean is no less well known than one run. The law's value and the middle of its draws stay inside, also
        where neighbours move a run's interval off them, as those of a low level are. Both lie wherever the formula leads.
        """
        law = band_of(best, spread, level, shape)
        if self.doubt is None or self.draws == 0:
            run = band_of(best, spread * np.exp(self.errors()), level, shape)
        else:
            middle, logs = self._in_logs(self.doubt, inputs, best, spread)
            with np.errstate(all="ignore"):  # a draw may have no loss there
                run = band_of(np.exp(middle), np.exp(logs), level, shape)
                centre = np.reshape(np.median(spread, axis=0), np.shape(law.value))
            low = np.fmax(law.low, np.fmin(run.low, np.fmin(law.value, centre)))
            high = np.fmin(law.high, np.fmax(run.high, np.fmax(law.value, centre)))
            law = Band(law.value, as_number(low), as_number(high), level)
        return law, run.holding(law)

    def beyond(self, inputs: Mapping[str, Array]) -> Array:
        """Compute at inputs of any shape over the largest run's; 1 where the law does not tell compute."""
        if "flops" in inputs:
            return np.asarray(inputs["flops"]) / self.largest
        if {"params", "tokens"} <= set(inputs) and np.isfinite(self.largest):
            return np.asarray(self.accounting.flops(inputs["params"], inputs["tokens"]) / self.largest)
        return np.ones_like(np.asarray(next(iter(inputs.values())), float))

    def errors(self) -> Array:
        """One new run's noise for each draw, (R, 1), in log loss with the sign of the residuals.

        A new run of a new group where groups share some of it; else a residual, inflated for the degrees of freedom spent.
        """
        if len(self.new_noise):
            return self.new_noise[:, None]
        rng, n = np.random.default_rng([self.seed, 1]), len(self.residuals)
        inflation = np.sqrt(n / max(1, n - self.law.p))
        return rng.choice(self.residuals, size=(self.draws, 1)) * inflation

    def _in_logs(self, doubt: Doubt, inputs: Mapping[str, Array], best: Array, spread: Array) -> tuple[Array, Array]:
        """From the law's losses at inputs (1, k), best (1, k) and of draws (R, k), the logs of those of one new run there."""
        at, beyond = {k: np.ravel(v) for k, v in inputs.items()}, self.beyond(inputs)
        with np.errstate(all="ignore"):  # a draw may have no loss there; it has no quantile either
            moved, variance = doubt.at({k: at[k] for k in doubt.inputs})
            log, share = np.log(spread), doubt.growth(beyond)
            own = share * (log - np.median(log, axis=0))
            near = share * np.sqrt(variance) * self._normal(2, len(spread))
            measured = self.law.output == LOSS  # how far a form may be off was
            form = (doubt.form(at, np.ravel(beyond)) if measured else 0.0) * self._normal(3, len(spread))
            middle = np.log(best) + moved
            return middle, middle + own + near + form + self.errors()

    def _normal(self, stream: int, count: int) -> Array:
        """A standard normal number for each draw (R, 1), the same wherever a stream is asked."""
        return np.random.default_rng([self.seed, stream]).standard_normal((count, 1))
