"""What a comparison of families is: every family's law with its draws, and what follows from them at any budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from data.spelling import nearest
from fitting.accounting import Accounting
from fitting.arguments import any_number, as_numbers, in_short, is_one_of
from fitting.band import LEVEL, Band, from_draws
from fitting.errors import FitError
from fitting.families import words
from fitting.families.crossing import Crossing
from fitting.families.curves import PER_DECADE, Curves, crossings, curves
from fitting.families.sharing import Sharing
from fitting.law import Law
from fitting.settings import Settings
from fitting.shown import in_lines
from fitting.uncertainty.model_discrepancy import FORM_MIXED

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

# Decades below the smallest run and above the largest one where curves are known: a multiplier may need the room.
BELOW, ABOVE = 4.0, 12.0
# A target may lie this many decades beyond the largest run, and crossings are looked for as far.
FARTHEST = 6.0
MOST_RUNS = 100.0  # times as many runs; beyond this the answer is that runs like these will not settle it


@dataclass(frozen=True, eq=False)
class Family(Alike):
    """One family's law: best values (p,), draws (R, p) that belong together across families, its runs and their residuals.

    `residuals` (n,) are log L - log f. `ranges` maps each input, the output and `flops` to its lowest and highest value.
    `unseen` is how many e-folds the best mixture of size and data lies outside those of its runs, 0 within.
    """

    name: str
    values: Array
    draws: Array
    runs: tuple[str, ...]
    residuals: Array
    ranges: Mapping[str, tuple[float, float]]
    accounting: Accounting
    unseen: float = 0.0

    @property
    def n(self) -> int:
        """The number of runs fitted."""
        return len(self.runs)


@dataclass(frozen=True)
class Versus:
    """A family against the reference at a target budget.

    `multiplier`: how many times the target's compute the reference needs for the same loss (above 1: the family is
    better). `overall`: the same in the middle of the budgets that both have runs at. `probability`: share of refits in
    which the family is the better one at the target. `more_runs`: runs like these to add to each family until the
    interval at the target should exclude 1 (0 when it does already, None when no number would: an estimate, width as
    one over the square root of the number of runs).
    """

    family: str
    reference: str
    target: float
    multiplier: Band
    middle: float
    overall: Band
    probability: float
    crossing: Crossing
    more_runs: int | None
    sentence: str
    settle: str


@dataclass(frozen=True, eq=False, repr=False)
class Families(Alike):
    """Families fitted under one law. `share` is what they share and `why` the reason; `tests` judge each way to share.

    `overlap` is the range of FLOPs at which every family has runs, `target` the budget asked about. `warnings` say what
    may make the comparison void, `notes` what else to know; `asked` is what was asked to be shared. `header` is what the
    file itself calls `column`, '' where that is not known.
    """

    column: str
    reference: str
    families: tuple[Family, ...]
    law: Law
    share: str
    why: str
    tests: tuple[Sharing, ...]
    overlap: tuple[float, float]
    target: float
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Settings
    digest: str
    table: str = ""
    asked: str = "auto"
    level: float = LEVEL
    header: str = ""

    def __repr__(self) -> str:
        """What a notebook shows: what is compared, under which law, and what came out of each."""
        lines = [
            f"{len(self.families)} families by {self.column} of {self.table or 'a table'}, {self.law.title}: {self.share} shared"
        ]
        return in_lines([*lines, *(f"  {self.versus(name).sentence}" for name in self.others)])

    @property
    def sentence(self) -> str:
        """Each family beside the reference: how much compute it saves in the middle of the data, and where the two cross."""
        return " ".join(self.versus(name).sentence for name in self.others)

    def to_frame(self) -> pd.DataFrame:
        """One row a family but the reference, each quantity with its low and high: multiplier in the middle and at the target, crossing.

        Columns: family, reference, runs, middle, overall, target, multiplier, probability, crossing, more_runs; budgets in FLOPs.
        `more_runs` is missing where no number would do. The curves along budgets are those of `to_csv`.
        """
        import pandas as pd

        rows = []
        for v in map(self.versus, self.others):
            row: dict[str, Any] = {"family": v.family, "reference": v.reference, "runs": self.family(v.family).n}
            for at, name, band in (
                ("middle", "overall", v.overall), ("target", "multiplier", v.multiplier), ("", "crossing", v.crossing.flops),
            ):  # fmt: skip
                row |= {at: getattr(v, at)} if at else {"probability": v.probability}
                row |= {name: band.value, f"{name}_low": band.low, f"{name}_high": band.high}
            rows.append({**row, "more_runs": v.more_runs})
        return pd.DataFrame(rows).astype({"more_runs": "Int64"})

    @property
    def law_key(self) -> str:
        """The key of the law that every family follows with its own constants."""
        return self.law.key

    @property
    def names(self) -> tuple[str, ...]:
        """The families, the reference first."""
        return tuple(f.name for f in self.families)

    @property
    def others(self) -> tuple[str, ...]:
        """The families that are compared with the reference."""
        return tuple(name for name in self.names if name != self.reference)

    @property
    def data(self) -> tuple[float, float]:
        """The FLOPs of the smallest and of the largest run of any family."""
        ranges = [f.ranges["flops"] for f in self.families]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    @property
    def reach(self) -> tuple[float, float]:
        """The least and the greatest budget, in FLOPs, that a comparison can speak of."""
        return self.data[0] / 10**BELOW, self.data[1] * 10**FARTHEST

    @property
    def looked(self) -> tuple[float, float]:
        """The budgets between which crossings are looked for."""
        return self.data[0] / np.sqrt(10.0), self.data[1] * 10**FARTHEST

    def family(self, name: str) -> Family:
        """The family called `name`; FitError naming those there are."""
        for f in self.families:
            if is_one_of(name, (f.name,)):
                return f
        raise FitError(
            f"There is no family {in_short(name)} in {self.column}{nearest(name, self.names)}; there are {', '.join(self.names)}."
        )

    def loss(self, name: str, flops: Any) -> Band:
        """The family's best loss at budgets (K,) in FLOPs, in nats per token, each a band."""
        best, spread = self._curves[self.family(name).name]
        asked = np.log(self._budgets(flops))
        return self._band(best.at(asked), spread.at(asked), np.shape(flops))

    def multiplier(self, name: str, flops: Any) -> Band:
        """How many times budgets (K,) in FLOPs the reference needs for the family's best loss there; infinite if it cannot."""
        self.family(name)
        asked = np.log(self._budgets(flops))
        best, spread = self._multipliers(name, asked)
        return self._band(np.exp(best), np.exp(spread), np.shape(flops))

    def budgets(self, count: int = 61) -> Array:
        """Budgets (count,) in FLOPs for a picture: from half a decade below all data to well past data and target."""
        low, high = self.data
        top = max(np.log10(high) + max(1.0, 0.35 * np.log10(high / low)), np.log10(self.target) + 0.3)
        return np.logspace(np.log10(low) - 0.3, min(top, np.log10(high) + FARTHEST), count)

    def versus(self, name: str, target: float | None = None) -> Versus:
        """The family against the reference at a target budget in FLOPs; FitError where the target is out of reach."""
        if self.family(name).name == self.reference:
            raise FitError(f"{name} is the reference itself; compare one of {', '.join(self.others)}.")
        at = self.target if target is None else any_number("target", target, "a budget, one number of FLOP")
        middle = float(np.sqrt(self.overlap[0] * self.overlap[1]))
        multiplier, overall = self.multiplier(name, at), self.multiplier(name, middle)
        spread = self._multipliers(name, np.log(self._budgets(at)))[1][:, 0]
        known = spread[~np.isnan(spread)]
        probability = float(np.mean(known > 0) + 0.5 * np.mean(known == 0)) if len(known) else float("nan")
        runs = min(self.family(name).n, self.family(self.reference).n)
        more = _more_runs(multiplier, runs)
        crossing = self.crossing(name)
        return Versus(
            family=name,
            reference=self.reference,
            target=at,
            multiplier=multiplier,
            middle=middle,
            overall=overall,
            probability=probability,
            crossing=crossing,
            more_runs=more,
            sentence=words.sentence(name, self.reference, middle, overall, crossing),
            settle=words.settle(name, self.reference, at, self.data[1], multiplier, probability, more, runs),
        )

    def crossing(self, name: str) -> Crossing:
        """Where the family and the reference change places: the first budget at which they do from the overlap's start."""
        self.family(name)
        low, high = np.log(self.looked)
        (best, spread), (ref, ref_spread) = self._curves[name], self._curves[self.reference]
        _, at, before = crossings(best, ref, low, high)
        rows, ats, befores = crossings(spread, ref_spread, low, high)
        share = len(np.unique(rows)) / len(spread.loss) if len(spread.loss) else float("nan")
        middle = 0.5 * sum(np.log(self.overlap))
        if len(at):
            later = np.flatnonzero(at >= np.log(self.overlap[0]))
            first = later[0] if len(later) else len(at) - 1
            value, sign = at[first], before[first]
        else:  # by the best fit they never do: the interval is of when they would from the middle of the data on
            value, sign = np.inf, np.sign(best.at(np.array([middle])) - ref.at(np.array([middle])))[0, 0]
        # A refit that does not change places has it still to come (infinite) or behind it (zero).
        end = np.searchsorted(spread.log_flops, high) - 1
        draws = np.where(np.sign((spread.loss - ref_spread.loss)[:, end]) == sign, np.inf, -np.inf)
        nearest = np.full(len(draws), np.inf)
        for row, x, s in zip(rows, ats, befores, strict=True):
            far = abs(x - value) if len(at) else x - middle
            if s == sign and 0 <= far < nearest[row]:
                nearest[row], draws[row] = far, x
        band = self._band(np.exp(np.array([[value]])), np.exp(draws[:, None]), ())
        beyond = float(np.exp(value) / self.data[1])
        kind = "never" if not len(at) else "within" if beyond <= 1 else "beyond"
        return Crossing(kind, band, beyond, share, self.looked)

    def to_json(self, path: str | None = None) -> str:
        """The comparison as JSON text: tests, every family's constants, each family against the reference, the curves."""
        from fitting.export.families import to_json

        return to_json(self, path)

    def to_csv(self) -> str:
        """The multiplier and the loss along budgets as CSV: one row a family and budget."""
        from fitting.export.families import to_csv

        return to_csv(self)

    @cached_property
    def _curves(self) -> dict[str, tuple[Curves, Curves]]:
        low, high = (np.log10(x) for x in self.data)
        count = int(np.ceil((high - low + BELOW + ABOVE) * PER_DECADE)) + 1
        grid = np.log(10) * np.linspace(low - BELOW, high + ABOVE, count)
        found = {}
        for k, f in enumerate(self.families):
            spread = curves(self.law, f.draws, f.accounting.drawn(len(f.draws)), grid)
            if f.unseen:  # the form's own error there, each family's for itself
                rng = np.random.default_rng([self.settings.seed, 3, k])
                spread = spread.times(np.exp(FORM_MIXED * f.unseen * rng.standard_normal((len(f.draws), 1))))
            found[f.name] = curves(self.law, f.values[None, :], f.accounting, grid), spread
        return found

    def _multipliers(self, name: str, log_flops: Array) -> tuple[Array, Array]:
        """Log multipliers (1, K) of the best fit and (R, K) of the draws."""
        if name == self.reference:
            best, spread = self._curves[name]
            return np.zeros((1, len(log_flops))), np.zeros((len(spread.loss), len(log_flops)))
        pairs = zip(self._curves[name], self._curves[self.reference], strict=True)
        best, spread = (ref.budget(mine.at(log_flops)) - log_flops for mine, ref in pairs)
        return best, spread

    def _budgets(self, flops: Any) -> Array:
        numbers = as_numbers(flops)
        asked = np.ravel(np.nan if numbers is None else numbers)
        low, high = self.reach
        if not np.all(np.isfinite(asked) & (asked >= low) & (asked <= high * (1 + 1e-9))):
            raise FitError(
                f"A budget to compare at is between {low:.1e} and {high:.1e} FLOP, a million times the largest run; "
                f"it was {in_short(flops)}."
            )
        return asked

    def _band(self, best: Array, spread: Array, shape: tuple[int, ...]) -> Band:
        return from_draws(np.reshape(best[0], shape), np.reshape(spread, (len(spread), *shape)), self.level)


def _more_runs(multiplier: Band, runs: int) -> int | None:
    """Runs to add to each family until the interval at the target should exclude 1, if its width falls as 1 / sqrt(n)."""
    with np.errstate(divide="ignore"):
        value, low, high = (float(np.log(x)) for x in multiplier)
    if low > 0 or high < 0:
        return 0
    reach = value - low if value > 0 else high - value
    if not np.isfinite(reach) or value == 0:
        return None
    times = (reach / abs(value)) ** 2
    return int(np.ceil(runs * (times - 1.0))) or 1 if times <= MOST_RUNS else None
