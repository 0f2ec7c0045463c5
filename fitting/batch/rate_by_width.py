"""Whether the best learning rate moves with the width: read from ladders of rates at several widths of one parametrisation.

Under the standard parametrisation the best rate of Adam falls about as one over the width; under muP it should stay (Yang et al. 2022,
arXiv 2203.03466). At each width a parabola in the logarithm of the rate goes through the log losses around the best rate. The curve is
no parabola and steeper on the side that diverges, so each draw takes the loss anew within its noise and the parabola over one rate more
or fewer: the interval holds both doubts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, a_level, rows_of
from fitting.band import LEVEL, Band, from_draws
from fitting.batch.rate_parabola import WINDOWS, Tried, vertex
from fitting.batch.rows import finals_given
from fitting.errors import FitError
from fitting.shown import shown

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

NEEDED = ("width", "lr", "loss")
#: Settings that must be the same in all runs that are compared; a ladder in another is another question.
SAME = ("tokens", "batch", "schedule", "optimizer", "dataset", "layers", "activation")
#: Settings that may go with the width, and must be the same in runs of one width and rate.
SAME_AT_ONE = ("weight_decay", "seq_len", "vocab", "warmup_steps", "unique_tokens", "heads", "ffn")
LEAST_RATES, LEAST_WIDTHS = 4, 3
#: What the parametrisations of `data.probe` are called in sentences.
CALLED = {"mup": "muP", "mup_depth": "muP with depth"}


@shown()
@dataclass(frozen=True, eq=False)
class RateByWidth(Alike):
    """The best learning rate at each of the m `widths`, in one parametrisation: `best` (m,) with `draws` (R, m).

    `open` (m, 2) says whether the rates tried leave the lower and the upper side unknown: the optimum may lie beyond them. `tried`
    has the rates and losses of each width.
    """

    parametrisation: str
    widths: Array
    best: Array
    draws: Array
    open: Array
    tried: tuple[Tried, ...]

    @property
    def called(self) -> str:
        """The parametrisation as sentences have it."""
        return CALLED.get(self.parametrisation, self.parametrisation)

    def rates(self, level: float = LEVEL) -> Band:
        """The best rate at each width; 0 or infinity for an end that the rates tried do not reach."""
        level = a_level(level)
        band = from_draws(self.best, self.draws, level)
        return Band(
            self.best, np.where(self.open[:, 0], 0.0, band.low), np.where(self.open[:, 1], np.inf, band.high), level
        )

    def exponent(self, level: float = LEVEL) -> Band:
        """The power of the width that the best rate goes with: about -1 in the standard parametrisation, 0 where the rate carries over."""
        value, draws = (_slope(np.log(self.widths), np.log(x), self._weights) for x in (self.best[None], self.draws))
        return from_draws(value[0], draws, level)

    def line(self, width: float | Array) -> Array:
        """The rate that the power law gives at widths of any shape."""
        logs = (
            np.average(np.log(self.widths), weights=self._weights),
            np.average(np.log(self.best), weights=self._weights),
        )
        out: Array = np.exp(logs[1] + self.exponent().value * (np.log(width) - logs[0]))
        return out

    @property
    def _weights(self) -> Array:
        """Of the widths (m,) in the power: one over the variance of the log rate, and a floor under it of a tenth of an octave."""
        spread = np.var(np.log(self.draws), axis=0) if len(self.draws) else 0.0 * self.widths
        return 1.0 / (spread + (0.1 * np.log(2.0)) ** 2)

    @property
    def sentence(self) -> str:
        """Whether the best rate moves, with the power of the width."""
        power = self.exponent()
        said = f"{self.called}: the best learning rate goes as width^{power.value:.2f} ({power.low:.2f} to {power.high:.2f})"
        if power.low <= 0.0 <= power.high:
            return f"{said}: no move with the width is seen."
        return f"{said}: it {'falls' if power.value < 0 else 'rises'} with the width."

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before using it."""
        if not self.open.any():
            return ()
        at = ", ".join(f"{w:g}" for w, ends in zip(self.widths, self.open, strict=True) if ends.any())
        return (f"At width {at} the best rate may lie beyond the rates tried.",)

    def to_frame(self, level: float = LEVEL) -> pd.DataFrame:
        """A row for each width: parametrisation, width, lr, lr_low, lr_high."""
        import pandas as pd

        band = self.rates(level)
        ends = {"lr": band.value, "lr_low": band.low, "lr_high": band.high}
        return pd.DataFrame({"parametrisation": self.parametrisation, "width": self.widths, **ends})


def rate_by_width(runs: Any, *, resamples: int = 2000, seed: int = 0) -> tuple[RateByWidth, ...]:
    """The best learning rate at each width, for each parametrisation in `runs` (a path, `Runs` or a frame).

    Columns are width, lr and loss (final, in any unit), with parametrisation where there are several; runs alike in these are seeds, and
    their spread is the noise. Without seeds the noise is what parabolas leave. Raises FitError where a column lacks, where runs
    differ in another setting, or where fewer than three widths have four rates.
    """
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    frame = rows_of(finals_given(runs), NEEDED, "Runs")
    lacks = [c for c in NEEDED if c not in frame]
    if lacks:
        raise FitError(
            f"The best rate by width needs the columns {', '.join(NEEDED)}; there is no {' and no '.join(lacks)}."
        )
    apart = list(_apart(frame))
    if not any(len(rows) for _, rows in apart):
        raise FitError("No run has a width, a learning rate and a loss that are positive numbers.")
    return tuple(_found(name, rows, resamples, seed) for name, rows in apart)


def width_ladders(
    runs: Any, *, resamples: int = 2000, seed: int = 0
) -> tuple[tuple[RateByWidth, ...], tuple[str, ...]]:
    """`rate_by_width` of each parametrisation in `runs` that holds a ladder, and a sentence for each other one on what it lacks.

    Both are empty where none holds one, nor two widths at two rates each, which were meant to be one.
    """
    frame = finals_given(runs)
    if not set(NEEDED) <= set(frame):
        return (), ()
    found: list[RateByWidth] = []
    refused = []
    for _, rows in _apart(rows_of(frame, NEEDED, "Runs")):
        try:
            found += rate_by_width(rows, resamples=resamples, seed=seed)
        except FitError as error:
            refused.append(str(error))
    rates = usable(frame, NEEDED).groupby("width")["lr"].nunique()
    return tuple(found), tuple(refused) if found or (rates > 1).sum() > 1 else ()


def _apart(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The runs of each parametrisation, by name."""
    frame = usable(frame, NEEDED)
    if "parametrisation" not in frame:
        yield "all runs", frame
        return
    for name, rows in frame.groupby("parametrisation", sort=False):
        yield str(name), _with_base(rows, frame[frame["parametrisation"] == "standard"]) if name == "mup" else rows


def _with_base(rows: pd.DataFrame, standard: pd.DataFrame) -> pd.DataFrame:
    """Runs of muP with those that were made in the standard parametrisation at its base, where both are the same."""
    import pandas as pd

    if "base_width" not in rows or rows["base_width"].nunique() != 1:
        return rows
    base = float(rows["base_width"].dropna().iloc[0])
    same = (standard["width"] == base) & (base not in set(rows["width"]))
    for column in (c for c in SAME if c in rows):
        same &= standard[column].isin(rows[column])
    return pd.concat([standard[same], rows], ignore_index=True)


def usable(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """The rows whose `columns` are all positive numbers, these as floats."""
    numbers = frame[list(columns)].astype(float)
    return frame.assign(**numbers)[(np.isfinite(numbers) & (numbers > 0)).all(axis=1).to_numpy()]


def _alike(rows: pd.DataFrame) -> None:
    """Raises FitError where runs differ in a setting beside width, rate and seed."""
    at_one = rows.groupby(["width", "lr"], sort=False)
    differ = [(c, rows[c].dropna().unique()) for c in SAME if c in rows]
    differ += [(c, rows[c].dropna().unique()) for c in SAME_AT_ONE if c in rows and (at_one[c].nunique() > 1).any()]
    for column, values in differ:
        if len(values) > 1 and not _near(values):
            listed = ", ".join(f"{v:g}" if isinstance(v, int | float) else str(v) for v in sorted(values)[:4])
            raise FitError(
                f"The best rate by width compares runs alike in all but width, rate and seed; {column} is {listed}. Leave others out."
            )


def _found(name: str, rows: pd.DataFrame, resamples: int, seed: int) -> RateByWidth:
    _alike(rows)
    ladders = [(float(w), *ladder_of(of)) for w, of in rows.groupby("width", sort=True)]
    ladders = [one for one in ladders if len(one[1]) >= LEAST_RATES]
    if len(ladders) < LEAST_WIDTHS:
        raise FitError(
            f"The best rate by width needs {LEAST_WIDTHS} widths with {LEAST_RATES} learning rates each; {name} has "
            f"{len(ladders)}. Add runs."
        )
    rng = np.random.default_rng(seed)
    windows = rng.choice(
        WINDOWS, resamples
    )  # the same at every width: what the form of the curve does to one it does to all
    best, draws, ends = zip(*(optimum(*one[1:], rng, windows) for one in ladders), strict=True)
    tried = tuple(tried_of(one) for _, *one in ladders)
    widths = np.array([one[0] for one in ladders])
    return RateByWidth(name, widths, np.array(best), np.array(draws).T, np.array(ends), tried)


def tried_of(ladder: Sequence[Any]) -> Tried:
    """The rates and losses of what `ladder_of` gives."""
    rate, mean, count, *_ = ladder
    return Tried(_exp(rate), np.exp(mean), count)


def _exp(logs: Array) -> Array:
    """Rates (k,) from their logarithms, as they were given and not off in the last digit."""
    return np.array([float(f"{x:.12g}") for x in np.exp(logs)])


def _near(values: Array) -> bool:
    """Whether numbers are one but for the rounding of whole steps."""
    if not all(isinstance(v, int | float) for v in values):
        return False
    return float(max(values)) <= 1.02 * float(min(values))


def ladder_of(rows: pd.DataFrame) -> tuple[Array, Array, Array, float, float]:
    """Log rates (k,), mean log losses (k,), runs of each (k,), the variance of one run, and the degrees of freedom it is known with."""
    log = rows.assign(lr=np.log(rows["lr"]), loss=np.log(rows["loss"]))
    by = log.groupby("lr", sort=True)["loss"]
    count, mean = by.size().to_numpy(), by.mean().to_numpy()
    rate = np.array(sorted(log["lr"].unique()))
    near = np.argsort(np.abs(rate - rate[np.argmin(mean)]), kind="stable")[: max(WINDOWS)]
    if (freedom := int((count[near] - 1).sum())) > 0:  # noise is larger far from the best rate
        scatter = by.apply(lambda x: float(((x - x.mean()) ** 2).sum())).to_numpy()
        return rate, mean, count, float(scatter[near].sum()) / freedom, float(freedom)
    if (freedom := len(near) - 3) < 1:
        return rate, mean, count, np.nan, 1.0  # a parabola through all of them leaves nothing
    left = mean[near] - np.polyval(np.polyfit(rate[near], mean[near], 2), rate[near])
    return rate, mean, count, float(left @ left) / freedom, float(freedom)


def optimum(
    rate: Array, mean: Array, count: Array, variance: float, freedom: float, rng: np.random.Generator, windows: Array
) -> tuple[float, Array, tuple[bool, bool]]:
    """The best rate, draws of it (R,), and whether it may lie below and above the rates tried."""
    sd = np.sqrt(variance * freedom / rng.chisquare(freedom, len(windows)))[:, None] / np.sqrt(count)
    drawn = mean + sd * rng.standard_normal((len(windows), len(rate)))
    out = np.empty(len(windows))
    for k in WINDOWS:
        out[windows == k] = vertex(rate, drawn[windows == k], min(k, len(rate)))
    value = float(np.mean([vertex(rate, mean[None], min(k, len(rate)))[0] for k in WINDOWS]))
    inside = np.clip(out, rate[0], rate[-1])
    least = 0.025 * max(len(out), 1)
    beyond = bool(np.sum(out <= rate[0]) > least), bool(np.sum(out >= rate[-1]) > least)
    return float(np.exp(np.clip(value, rate[0], rate[-1]))), np.exp(inside), beyond


def _slope(x: Array, y: Array, weight: Array) -> Array:
    """The slope of each row of y (R, m) on x (m,), weighted (m,)."""
    off = x - np.average(x, weights=weight)
    return (y * weight * off).sum(axis=-1) / (weight * off**2).sum()
