"""The critical batch from final losses alone: runs at several batches, each on several amounts of data, all decayed to the end.

Where the learning rate is lowered towards the end of a run, a curve's middle says nothing of a shorter run, and steps to a
loss can't be read off it. By default all final losses are fitted at once by a law whose critical batch grows with the data
(`fitting.batch.horizons`). Power Lines (Bergsma et al. 2025, arXiv 2505.13738) fits them at each batch, L_B(D) = E + K_B D^-beta,
inverts that at one loss for the data that each batch needs, and fits D = D_min (1 + B / B_crit). With one beta for all batches the
critical batch comes out the same at every loss, whatever the runs say; with one a batch, curves that bend are taken for straight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, in_short, one_number, rows_of
from fitting.band import Band, from_draws
from fitting.batch.best_runs import BestRuns, best_runs
from fitting.batch.critical import CriticalBatch, _natural, _notes, solve
from fitting.batch.descent import descend
from fitting.batch.groups import final_groups
from fitting.batch.horizons import Horizons, horizons
from fitting.batch.rows import finals_given
from fitting.errors import FitError
from fitting.plural import plural
from fitting.same_runs import RunsLike
from fitting.shown import shown
from fitting.uncertainty.error_model import noise

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd

Array = np.ndarray

AT_LOSS = ("batch", "tokens", "loss")
LEAST_BATCHES, LEAST_TOKENS = 3, 3
FLOORS, EXPONENTS = (0.5, 0.8, 0.95), (0.15, 0.4, 1.0)
ROUNDS, REFIT = 80, 12
BEYOND = 1.5  # how many times outside the data tried at a batch an inverted amount may lie before it is said
DOUBT = 0.05
SCATTERED = (
    "The batches scatter more around the hyperbola than the noise of the losses explains; intervals allow for it."
)


@shown(lambda d: [f"Decayed: at a loss of {d.target:.4g}. {d.found.sentence}"])
@dataclass(frozen=True, eq=False)
class Decayed(Alike):
    """What final losses say at one `target`: `batch` (m,), the data each needs, `needed`, and the critical batch `found`.

    `floor` is E and `exponent` beta of the losses against data; `residuals` (n,) are log losses less the law's. `measured` holds
    batch, tokens and loss (n, 3) of the runs used. `grows` is k of B_crit ~ D_min^k: None where the law fitted knows none, or no
    critical batch shows. `kept` (R,) says which of the refits reach the target: `found.draws` are theirs.
    """

    target: float
    batch: Array
    needed: Band
    found: CriticalBatch
    floor: Band
    exponent: Band
    residuals: Array
    measured: Array
    grows: Band | None = None
    kept: Array = field(default_factory=lambda: np.empty(0, bool))


def holds_decayed(frame: pd.DataFrame) -> bool:
    """Whether a table of final rows (columns batch, tokens, loss) holds three batches with three amounts of data each."""
    if not {"batch", "tokens", "loss"} <= set(frame):
        return False
    rows = frame[["batch", "tokens", "loss"]].dropna()
    return int((rows.groupby("batch")["tokens"].nunique() >= LEAST_TOKENS).sum()) >= LEAST_BATCHES


def decayed(
    runs: RunsLike,
    target: float | None = None,
    *,
    one_exponent: bool | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Decayed:
    """The critical batch from final losses.

    `runs`: a path, a DataFrame or `Runs`; columns batch, tokens and loss, the last of each run.
    `target`: the loss asked about, in the unit of the losses (default: the middle of those that every batch reached).
    `one_exponent`: None lets the critical batch grow as a power of the least data, fitted too. Else each batch has a K_B of
        its own, and beta is one for all (True: the critical batch is the same at every loss) or one a batch (False).
    `resamples`: how many refits give the intervals.
    `seed`: that of the refits; the same seed gives the same intervals.

    The critical batch is in the unit of batch. Of several runs at one batch and amount of data the best learning rate's counts,
    and of repeats their mean (`fitting.batch.best_runs`), which is said. E is always shared. Intervals: residuals of the losses
    resampled and refitted, widened where batches scatter more around the hyperbola than that explains. Raises FitError where
    there is too little, or the loss can't be told to be reached. Runs of several groups (`fitting.batch.groups`) count as one,
    and that is said.
    """
    target = _loss(target)
    resamples, seed = _choices(one_exponent, resamples, seed)
    finals = rows_of(finals_given(runs), AT_LOSS, "Final losses")
    groups = final_groups(finals, sizes=False)
    best = _best(finals, (*groups.by, *groups.mixed))
    read = _read(_fitted(best.rows, one_exponent, resamples, seed), target)
    return _noted(read, (*groups.as_one("decayed_by_size"), *best.notes))


def _best(runs: pd.DataFrame, differ: Sequence[Hashable]) -> BestRuns:
    """One loss for each batch and amount of data."""
    runs = rows_of(runs, AT_LOSS, "Final losses")
    lacks = [c for c in AT_LOSS if c not in runs]
    if lacks:
        raise FitError(f"Final losses need the columns batch, tokens and loss; there is no {' and no '.join(lacks)}.")
    return best_runs(runs, differ)


def _noted(read: Decayed, notes: Sequence[str]) -> Decayed:
    """The same with sentences before those of the critical batch."""
    return replace(read, found=replace(read.found, notes=(*notes, *read.found.notes))) if notes else read


@dataclass(frozen=True, eq=False)
class _Fitted:
    """A law through final losses: the runs used (n, 3), and what `fit` of the law gave."""

    measured: Array
    law: Horizons | _Losses
    best: Array
    draws: Array
    left: Array
    scattered: bool = False


def _fitted(rows: pd.DataFrame, one_exponent: bool | None, resamples: int, seed: int) -> _Fitted:
    """The law through `rows`, one for each batch and amount of data."""
    resamples, seed = _choices(one_exponent, resamples, seed)
    counted = rows.groupby("batch")["tokens"].transform("nunique")
    rows = rows[counted >= LEAST_TOKENS]
    batch = np.unique(rows["batch"].to_numpy(float))
    if len(batch) < LEAST_BATCHES:
        raise FitError(
            f"A critical batch from final losses needs {LEAST_BATCHES} batch sizes with {LEAST_TOKENS} amounts of data each; there "
            f"{'is' if len(batch) == 1 else 'are'} {len(batch)}. Add runs that end at other amounts."
        )
    measured = rows.to_numpy(float)
    if one_exponent is None:
        grown = horizons(*measured.T)
        return _Fitted(measured, grown, *grown.fit(resamples, seed))
    law = _Losses(np.searchsorted(batch, measured[:, 0]), measured[:, 1], np.log(measured[:, 2]), one_exponent)
    return _Fitted(measured, law, *law.fit(resamples, seed))


def _choices(one_exponent: bool | None, resamples: int, seed: int) -> tuple[int, int]:
    """How many refits and their seed; FitError for what is none."""
    counts = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    if one_exponent is not None and not isinstance(one_exponent, bool):
        raise FitError(f"one_exponent is True, False or None; it was {in_short(one_exponent)}.")
    return counts


def _loss(target: float | None) -> float | None:
    """A loss asked about, or None; FitError for what is none."""
    return None if target is None else one_number("target", target, "a positive number, a loss")


def _read(fitted: _Fitted, target: float | None) -> Decayed:
    """What a fitted law says at one loss."""
    target = _loss(target)
    measured, best, draws = fitted.measured, fitted.best, fitted.draws
    batch, which = np.unique(measured[:, 0], return_inverse=True)
    losses = [measured[which == k, 2] for k in range(len(batch))]
    reach = max(v.min() for v in losses), min(v.max() for v in losses)
    if target is None:
        target = float(np.sqrt(reach[0] * max(reach)))
    needed, drawn = fitted.law.needed(best[None], target)[0], fitted.law.needed(draws, target)
    if not np.all(np.isfinite(needed)) or np.sum(~np.isfinite(drawn).all(axis=1)) > DOUBT * len(drawn):
        raise FitError(
            f"Whether every batch comes down to {target:g} is not known from these runs: they reach {reach[0]:.4g} at least. "
            "Ask for a higher loss."
        )
    kept = np.isfinite(drawn).all(axis=1)
    grows = None
    if isinstance(fitted.law, Horizons):
        found = _grown(fitted, fitted.law, target, kept)
        if 0 < found.b_crit.value < np.inf:
            grows = from_draws(best[4], draws[:, 4])
            found = replace(found, notes=(*found.notes, *_growth(grows, fitted.law.by_own)))
    else:
        found = _critical(batch, needed, drawn[kept])
    outside = [
        f"{b:g}"
        for k, b in enumerate(batch)
        if not measured[which == k, 1].min() / BEYOND <= np.exp(needed[k]) <= BEYOND * measured[which == k, 1].max()
    ]
    notes = list(found.notes)
    if outside:
        notes.append(
            f"At batch {', '.join(outside)} the loss lies beyond the amounts of data tried, so its data are a forecast."
        )
    return Decayed(
        float(target),
        batch,
        from_draws(np.exp(needed), np.exp(drawn[kept])),
        replace(found, notes=tuple(notes)),
        from_draws(np.exp(best[0]), np.exp(draws[:, 0])),
        from_draws(np.exp(best[1]), np.exp(draws[:, 1])),
        -fitted.left,
        measured,
        grows,
        kept,
    )


def _grown(fitted: _Fitted, law: Horizons, target: float, kept: Array) -> CriticalBatch:
    """The critical batch at one loss by a law in which it grows; its steps are those that each batch itself shows."""
    best = law.natural(fitted.best[None], target)[0]
    seen = law.seen(fitted.best, target, fitted.left)
    if not (np.isfinite(best).all() and best.any() and np.isfinite(seen).all()):
        raise FitError(f"A loss of {target:.4g} lies too far from those of these runs. Choose one that they came to.")
    with np.errstate(divide="ignore"):
        notes = _notes(law.sizes, float(best[1] / best[0]))
    if fitted.scattered:
        notes.append(SCATTERED)
    off = law.needed(fitted.best[None], target)[0] - seen
    draws = law.natural(fitted.draws[kept], target)
    return CriticalBatch(law.sizes, np.exp(seen) / law.sizes, best, draws, off, tuple(notes))


def _growth(k: Band, by_own: bool) -> list[str]:
    """How the critical batch grows with the data, in a sentence; nothing without refits."""
    if not (np.isfinite(k.low) and np.isfinite(k.high)):
        return []
    which = "a run's own data" if by_own else "the least data to a loss"
    return [f"The critical batch grows with {which} as D^{k.value:.3f} (95 % {k.low:.3f} to {k.high:.3f})."]


def decayed_by_size(
    runs: pd.DataFrame,
    targets: Sequence[float] = (),
    *,
    by: str | Sequence[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> list[tuple[str, float, Decayed]]:
    """The name, the model size (nan where they don't differ) and what final losses say, of each size and group with runs enough.

    Groups are told apart by the settings in which runs at one batch differ (`fitting.batch.groups`), or by the column `by`. With
    one of them there is one entry for each of `targets`, else one a group, at the middle of its own losses or at the one target.
    What was left out is said in the notes of the others. Raises the first FitError where none can be told; an empty list where
    no size has runs enough.
    """
    runs = finals_given(runs)
    groups = final_groups(runs, by)
    several = "params" in runs and runs["params"].nunique() > 1 and "params" not in groups.by
    parts: dict[tuple[str, float], pd.DataFrame] = {}
    for name, own in groups.parts.items():
        parts |= {(name, float(n)): g for n, g in own.groupby("params")} if several else {(name, np.nan): own}
    few = [_named(key) for key, g in parts.items() if not holds_decayed(g)]
    parts = {key: g for key, g in parts.items() if holds_decayed(g)}
    if not parts and groups.by and holds_decayed(runs):
        raise FitError(
            f"{' '.join(groups.notes) or f'Runs are grouped by {by!r}.'} None of them ends on {LEAST_TOKENS} amounts of data at "
            f"{LEAST_BATCHES} batch sizes. Add runs, or leave a group out."
        )
    notes = list(groups.notes)
    if few and groups.by:
        notes.append(
            f"{', '.join(few)}: fewer than {LEAST_BATCHES} batch sizes with {LEAST_TOKENS} amounts of data each; left out."
        )
    out, trouble = [], []
    for key, rows in parts.items():
        fitted, best = None, _best(rows, groups.mixed)
        for target in targets if len(parts) == 1 and targets else (targets[0] if len(targets) == 1 else None,):
            try:
                fitted = fitted or _fitted(best.rows, None, resamples, seed)
                read = _read(fitted, target)
            except FitError as error:
                trouble.append(error)
                if len(parts) > 1:
                    notes.append(f"{_named(key)}: {error}")
                continue
            name = f"loss {read.target:.4g}" if len(parts) == 1 else _named(key)
            out.append((name, key[1], _noted(read, best.notes)))
    if trouble and not out:
        raise trouble[0]
    if len(parts) > 1 and len(targets) > 1:
        notes.append("Of several groups each is read at the middle of its own losses: give one target for all.")
    return [(name, size, _noted(read, notes)) for name, size, read in out]


def _named(key: tuple[str, float]) -> str:
    """A group's name with its size, whichever there are."""
    return ", ".join([*([key[0]] if key[0] else []), *([_size(key[1])] if np.isfinite(key[1]) else [])])


def _size(params: float) -> str:
    """A model size as people say it, with the digits that tell neighbours apart."""
    k = min(max(int(np.log10(params) // 3), 0), 4)
    return f"{float(f'{params:.4g}') / 10.0 ** (3 * k):.4g} {('', 'k', 'M', 'B', 'T')[k]}".rstrip()


class _Losses:
    """log L = log(E + K_B (D / D_0)^-beta): coordinates log E, log beta (one, or one a batch), log K of each batch."""

    def __init__(self, which: Array, tokens: Array, y: Array, one: bool) -> None:
        self.which, self.y, self.batches = which, y, int(which.max()) + 1
        self.middle = float(np.mean(np.log(tokens)))
        self.log_d = np.log(tokens) - self.middle
        self.betas = 1 if one else self.batches
        self.beta = np.zeros_like(which) if one else which
        width = 1 + self.betas + self.batches
        if len(y) <= width:
            raise FitError(
                f"{plural(len(y), 'run')} {'is' if len(y) == 1 else 'are'} too few for {width} constants of loss against data. "
                "Add runs that end at other amounts."
            )
        self.low = np.array([y.min() - 12.0, *[np.log(0.02)] * self.betas, *[-12.0] * self.batches])
        self.high = np.array([y.min(), *[np.log(5.0)] * self.betas, *[4.0] * self.batches])

    def at(self, c: Array) -> tuple[Array, Array]:
        """Log losses (R, n) and derivatives (R, n, p) at `c` (R, p)."""
        e, beta = np.exp(c[:, :1]), np.exp(c[:, 1 + self.beta])
        k = np.exp(c[:, 1 + self.betas + self.which] - beta * self.log_d)
        loss = e + k
        slope = np.zeros((*loss.shape, c.shape[1]))
        n = np.arange(len(self.y))
        slope[:, :, 0] = e / loss
        slope[:, n, 1 + self.beta] = -k / loss * beta * self.log_d
        slope[:, n, 1 + self.betas + self.which] = k / loss
        return np.log(loss), slope

    def fit(self, resamples: int, seed: int) -> tuple[Array, Array, Array]:
        """The best coordinates (p,), those of refits (R, p), and residuals (n,)."""
        starts = []
        for share in FLOORS:
            for beta in EXPONENTS:
                floor = self.y.min() + np.log(share)
                over = [np.mean(self.y[self.which == k]) for k in range(self.batches)]
                ks = [v + np.log(-np.expm1(floor - v)) for v in over]
                starts.append([floor, *[np.log(beta)] * self.betas, *ks])
        c = np.clip(np.array(starts), self.low, self.high)
        cost = descend(self.at, c, self.y, self.low, self.high, ROUNDS)
        best = c[int(np.argmin(cost))]
        value, slope = self.at(best[None])
        left = value[0] - self.y
        errors = noise(left, slope[0]).errors(np.random.default_rng(seed), resamples)[0]
        draws = np.tile(best, (resamples, 1))
        if resamples:
            descend(self.at, draws, value[0] - errors, self.low, self.high, REFIT, close=1e-6)
        return best, draws, left

    def needed(self, c: Array, target: float) -> Array:
        """Log of the data that each batch needs to a loss (R, m), infinite at or below the floor."""
        over = target - np.exp(c[:, :1])
        with np.errstate(all="ignore"):
            betas = np.exp(c[:, 1 : 1 + self.betas])
            log = (c[:, 1 + self.betas :] - np.log(over)) / betas + self.middle
        return np.where(over > 0, log, np.inf)


def _critical(batch: Array, needed: Array, drawn: Array) -> CriticalBatch:
    """The hyperbola through log data (m,), and through each draw of them (R, m)."""
    log_x = np.log(batch)

    def left(log_steps: Array) -> Array:
        solved = solve(log_x, log_steps)
        return np.asarray(solved[:, :1] + np.logaddexp(0.0, solved[:, 1:] - log_x) - log_steps)

    steps = needed - log_x
    off = left(steps[None])[0]
    expected = np.mean(np.sum((left(drawn - log_x) - off) ** 2, axis=1)) if len(drawn) else np.inf
    ratio = float(np.sum(off**2) / expected) if expected > 0 else 1.0
    wide = steps + (drawn - needed) * np.sqrt(max(1.0, ratio))
    best = _natural(solve(log_x, steps[None]), log_x, steps[None])[0]
    draws = _natural(solve(log_x, wide), log_x, wide) if len(drawn) else np.empty((0, 2))
    with np.errstate(divide="ignore"):
        notes = _notes(batch, float(best[1] / best[0]))
    if ratio > 4.0:
        notes.append(SCATTERED)
    return CriticalBatch(batch, np.exp(steps), best, draws, off, tuple(notes))
