"""What a fit is: plain values that cache, pickle and round-trip to JSON, and that answer in numbers with intervals."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.arguments import MOST_RESAMPLES, a_count, a_level, in_line, in_short, is_one_of, shared_index
from fitting.band import LEVEL, Array, Band, band_of
from fitting.errors import FitError
from fitting.law import Law
from fitting.law_inputs import beside_frame, contradictions, inputs_of, outside
from fitting.new_run import NewRun
from fitting.open_interval import how_open, open_interval
from fitting.parameter_table import covariance, parameter_table
from fitting.same_runs import Columns, RunsLike, Units, fitted_arrays, of_fit
from fitting.settings import Settings
from fitting.status import Status, Verdict, said_everywhere
from fitting.term_contributions import terms
from fitting.uncertainty.calibrated import Calibration
from fitting.uncertainty.extrapolation import beyond_runs, mixed_as_none
from fitting.uncertainty.model_discrepancy import Doubt

if TYPE_CHECKING:
    import pandas as pd

PLAIN = "This interval is the draws' own: calibrating could not move its ends."
# Draws times points held at once: 3 MB an array, which stays in a cache (measured: several times as fast as 300 MB).
MOST_AT_ONCE = 400_000


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Alike):
    """A fitted law: best values (p,), bootstrap draws (R, p), and what is needed to judge and repeat it.

    `draws` is the source of every interval; `new_noise` (R,) is for each the noise of one new run, in log loss, where
    the intervals' method says (else residuals stand for it). `residuals` (n,) are log observed less log fitted, in the order
    of `runs`, as in `to_frame`. `ranges` maps each input, the output and `flops` to the lowest and highest
    value among the runs fitted. `doubt` widens forecasts of runs; a fit without draws has none. `calibration` holds the
    parameters' 95 % intervals where they were calibrated. Those of the `unidentified` are open, but at their `closed_ends`.
    """

    law: Law
    values: Array
    draws: Array
    objective: float
    residuals: Array
    runs: tuple[str, ...]
    settings: Settings
    verdicts: tuple[Verdict, ...]
    digest: str
    ranges: Mapping[str, tuple[float, float]]
    accounting: Accounting = field(default_factory=Accounting)
    table: str = ""
    new_noise: Array = field(default_factory=lambda: np.empty(0))
    doubt: Doubt | None = None
    calibration: Calibration | None = None
    unidentified: tuple[str, ...] = ()
    closed_ends: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """What a notebook shows: the law, its status, its parameters with intervals, and the checks that do not pass."""
        held = f" ({len(self.settings.held_out)} more held out)" if self.settings.held_out else ""
        lines = [f"{self.law.title}, {self.n} runs of {self.table or 'a table'}{held}: {self.status.value}"]
        for p in self.law.params:
            value, low, high = self.interval(p.name)
            within = f"  (95 % {low:.4g} to {high:.4g})" if len(self.draws) else ""
            within = f"  ({how_open(low, high)} by these runs)" if p.name in self.unidentified else within
            lines.append(f"  {p.name:8s} {value:.5g}{within}  {p.unit}".rstrip())
        return "\n".join(
            [*lines, *(f"  {v.state}: {v.title}. {v.sentence}" for v in self.verdicts if v.state != "pass")]
        )

    @cached_property
    def identity(self) -> str:
        """What tells this fit from every other: its runs, its law, what was chosen for it, what its table is called, and its numbers.

        These tell apart what the rest does not: runs grouped by a column that the digest leaves out, laws of one key.
        """
        numbers = hashlib.sha256(
            b"".join(np.ascontiguousarray(x).tobytes() for x in (self.values, self.residuals, self.draws))
        )
        return repr((self.digest, self.law.key, self.settings, self.table, numbers.hexdigest()))

    @property
    def law_key(self) -> str:
        """The law's key."""
        return self.law.key

    @property
    def params(self) -> Mapping[str, float]:
        """The best values by name, to be read."""
        return MappingProxyType({k: float(v) for k, v in zip(self.law.names, self.values, strict=True)})

    @cached_property
    def status(self) -> Status:
        """The worst of the verdicts."""
        states = {v.state for v in self.verdicts}
        return Status.UNSOUND if "fail" in states else Status.CAUTION if "caution" in states else Status.SOUND

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What must be known wherever this fit's numbers go (`said_everywhere`)."""
        return said_everywhere(self.verdicts)

    @property
    def n(self) -> int:
        """The number of runs fitted."""
        return len(self.residuals)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of log-loss residuals, for the degrees of freedom that the parameters took."""
        return float(np.sqrt(np.sum(self.residuals**2) / max(1, self.n - self.law.p)))

    def band(self, quantity: str | Callable[[dict[str, Array]], Any], level: float = LEVEL) -> Band:
        """The interval of a parameter by name, or of any function of the parameters.

        `quantity` is called once with the best values and once with the draws, each parameter as an array (R, 1) or
        (1, 1), and returns (R, k): the band's arrays are (k,), or numbers where k is 1. FitError for a name the law has not.
        """
        level = a_level(level)
        name = quantity if callable(quantity) else self._named(quantity)
        if isinstance(name, str) and name in self.unidentified:
            drawn, least = self.draws[:, self.law.names.index(name)], self.law.param(name).least
            return open_interval(self.params[name], drawn, least, self.closed_ends.get(name), level)
        ask: Callable[..., Any] = itemgetter(name) if isinstance(name, str) else name
        best = np.asarray(ask(self._columns(self.values[None, :])), float)
        spread = np.asarray(ask(self._columns(self.draws)), float)
        return self.band_of(best, spread, level)

    def interval(self, name: str, level: float = LEVEL) -> Band:
        """The interval of one parameter: the calibrated one of a fit that was calibrated, else that of the draws.

        FitError if the law has none of that name, or where it was calibrated at another level: the draws alone (`band`) would
        hold the truth less often than they say.
        """
        name, level = self._named(name), a_level(level)
        if self.calibration is None or name in self.unidentified:
            return self.band(name, level)
        known = self.calibration.level
        if not math.isclose(level, known, abs_tol=1e-9):
            raise FitError(
                f"This fit's intervals are calibrated at level {known:g} alone; it was asked at {level:g}. Ask for {known:g}, or for "
                f"band({name!r}, {level:g}), which is what the draws say uncalibrated."
            )
        calibrated = self.calibration.of(name)
        if calibrated is None:
            return replace(self.band(name, level), notes=(PLAIN,))
        return Band(calibrated.value, calibrated.low, calibrated.high, level, (PLAIN,) if calibrated.kept else ())

    def _named(self, name: str) -> str:
        if not is_one_of(name, self.law.names):
            raise FitError(
                f"{self.law.title} has the parameters {', '.join(self.law.names)}; it has no {in_short(name)}."
            )
        return name

    def thinned(self, draws: int) -> Fit:
        """The same fit with the first so many of its draws, for what takes long to ask of each; FitError for no whole number."""
        draws = a_count("draws", draws, MOST_RESAMPLES)
        some = self.draws[:draws]
        settings = replace(self.settings, resamples=len(some))
        return replace(self, draws=some, new_noise=self.new_noise[:draws], settings=settings)

    def calibrated(self, by: Calibration) -> Fit:
        """The same fit with the parameters' 95 % intervals as `calibrate` found them; FitError for another fit's."""
        if not isinstance(by, Calibration):
            raise FitError(f"A fit is calibrated by what calibrate(fit, runs) gives; it was {in_short(by)}.")
        if any(q.kind == "parameter" and q.value != self.params.get(q.name) for q in by.quantities):
            raise FitError("This calibration is of another fit. Calibrate this one.")
        before = self.calibration.reason if self.calibration else ""
        why = self.settings.intervals_reason.removesuffix(f"; {before}")
        settings = replace(self.settings, intervals_reason=f"{why}; {by.reason}" if why else by.reason)
        return replace(self, calibration=by, settings=settings)

    def predict(self, at: pd.DataFrame | None = None, *, level: float = LEVEL, of: str = "law", **inputs: Any) -> Band:
        """The law's output, in its unit, at inputs given by name, or at the rows of a frame.

        `at`: a DataFrame with a column for each input; the band's `to_frame()` has its index. Inputs that it lacks go with it by name.
        `level`: the share that the interval holds, between 0 and 1.
        `of`: "law" for the interval of the law's mean, "run" for the prediction interval of one new run, which adds the scatter of
            single runs, the residuals of neighbouring runs, and model discrepancy beyond the largest run, or where size and
            data are mixed as in none.
        `inputs`: numbers, arrays of one shape, or Series, whose index the band's `to_frame()` has, by name, such as `params`
            (parameters), `tokens` and `flops` (FLOP). Other columns of the runs table may be given too, so that one call asks
            any law; FLOPs follow from params and tokens as the table counts them.

        The band's `notes` say what the fit's checks, or the place asked at, say against it. TypeError for an input that is missing
        or that no table has; FitError for one that is not positive.
        """
        index = shared_index(inputs) if at is None else getattr(at, "index", None)
        inputs = in_line(inputs, index)
        if at is not None:
            inputs = beside_frame(self.law, at, inputs)
        level = a_level(level)
        if not is_one_of(of, ("law", "run")):
            raise TypeError(f'of is "law" or "run", not {of!r}')
        asked = inputs_of(self.law, inputs, self.accounting.flops)
        shape = next(iter(asked.values())).shape
        flat = {k: v.reshape(1, -1) for k, v in asked.items()}
        size = max(1, MOST_AT_ONCE // max(1, len(self.draws)))
        count = int(np.prod(shape))
        parts = [
            self._predicted({k: v[:, i : i + size] for k, v in flat.items()}, level, of)
            for i in range(0, max(1, count), size)
        ]
        value, low, high = (
            float(a[0]) if shape == () else a.reshape(shape)
            for a in (np.concatenate(end) for end in zip(*parts, strict=True))
        )
        band = self.possible(Band(value, low, high, level, (*self.warnings, *self._said_of(flat, inputs))))
        return band.under(index) if index is not None and shape == (len(index),) else band

    def possible(self, band: Band) -> Band:
        """A band of the output, cut to the bounds that it declares."""
        return band.within(self.law.output.limits, self.law.output.title)

    def _said_of(self, flat: Mapping[str, Array], given: Mapping[str, Any]) -> tuple[str, ...]:
        """What is to be known of the places (1, k) asked at."""
        many = next(iter(flat.values())).size > 1
        said = [*contradictions(self.law, given, self.accounting), *outside(flat, self.ranges)]
        said += beyond_runs(self.doubt, self.beyond(flat), many, self.law.output)
        if {"params", "tokens"} <= set(flat):
            said += mixed_as_none(self.doubt, flat["params"], flat["tokens"], many, self.law.output)
        return tuple(said)

    def _predicted(self, flat: Mapping[str, Array], level: float, of: str) -> Band:
        """The band (k,) at inputs (1, k)."""
        best = self.law(flat, self._columns(self.values[None, :]))
        spread = self.law(flat, self._columns(self.draws))
        if of == "law":
            return self.new_run.mean(flat, best, spread, level)
        return self.new_run.mean_and_run(flat, best, spread, level, best.shape[1:])[1]

    @cached_property
    def new_run(self) -> NewRun:
        """What one new run adds to the interval of the mean."""
        largest = self.ranges.get("flops", (np.nan, np.nan))[1]
        return NewRun(
            self.law,
            len(self.draws),
            self.settings.seed,
            self.residuals,
            self.new_noise,
            self.doubt,
            largest,
            self.accounting,
        )

    def beyond(self, inputs: Mapping[str, Array]) -> Array:
        """Compute at inputs of any shape over the largest run's; 1 where the law does not tell compute."""
        return self.new_run.beyond(inputs)

    def band_of(self, best: Array, spread: Array, level: float = LEVEL, shape: tuple[int, ...] | None = None) -> Band:
        """A band from best values (1, k) and draws (R, k): a number where k is 1 and no shape is asked for."""
        return band_of(best, spread, level, shape)

    def _columns(self, values: Array) -> dict[str, Array]:
        return {k: values[:, i, None] for i, k in enumerate(self.law.names)}

    def summary(self, level: float = LEVEL) -> pd.DataFrame:
        """The parameter table that page, export and terminal all show: name, symbol, unit, value, low, high, se, meaning.

        It is indexed by name; the column name says the same for tables that drop the index.
        """
        level = a_level(level)
        return parameter_table(
            self.law, [self.interval(name, level) for name in self.law.names], self.draws, self.unidentified
        )

    def conf_int(self, level: float = LEVEL) -> pd.DataFrame:
        """The interval of every parameter: the columns low and high, indexed by name."""
        return self.summary(level)[["low", "high"]]

    def cov(self) -> pd.DataFrame:
        """The covariance of the parameters over the draws (p, p), by name both ways; NaN without draws, and where not identified."""
        return covariance(self.law, self.draws, self.unidentified)

    def to_frame(self, runs: RunsLike, *, columns: Columns = None, units: Units = None) -> pd.DataFrame:
        """The runs fitted, out of the table they came from, indexed by name: inputs, observed, fitted, and the residual.

        `runs`: the table that was fitted, as a path, a DataFrame or `Runs`.
        `columns`, `units`: the answers of `read_runs`, for a path or a DataFrame.

        `observed` and `fitted` are in the unit of the law's output (nats per token for a loss). `residual` is log observed less
        log fitted, without a unit: positive where a run lies above the law (the sign of statsmodels, not its
        difference), in the attribute `residuals` and in the CSV of runs. FitError for other runs than those that were fitted.
        """
        import pandas as pd

        table = fitted_arrays(self, of_fit(self, runs, columns, units), "ask for the frame")
        fitted = np.asarray(self.law(table.inputs, self.params), float)
        shown = {
            **table.inputs,
            "observed": table.loss,
            "fitted": fitted,
            "residual": np.log(table.loss) - np.log(fitted),
        }
        return pd.DataFrame(shown, index=pd.Index(table.runs, name="run"))

    def terms(self, level: float = LEVEL) -> pd.DataFrame:
        """What each term contributes at the middle of the runs, as `fitting.term_contributions` says it: quote this rather than A alone."""
        return terms(self.law, self.values, self.draws, self.ranges, level, self.unidentified)

    def to_json(self, path: str | None = None) -> str:
        """The fit as JSON text, written to `path` too if given; `load_fit` gives the same fit back."""
        from fitting.export import fit_to_json

        return fit_to_json(self, path)

    def to_latex(self) -> str:
        """The fitted formula and its table as LaTeX, rounded for reading, with full-precision constants below."""
        from fitting.export import fit_to_latex

        return fit_to_latex(self)

    def to_python(self) -> str:
        """The fitted law as a Python module that runs alone."""
        from fitting.export import fit_to_python

        return fit_to_python(self)
