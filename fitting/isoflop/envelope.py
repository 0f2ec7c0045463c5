"""Approach 1: of all training curves the lowest loss at each compute, and the power laws through the runs that reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.band import LEVEL, Band
from fitting.errors import FitError
from fitting.isoflop.buckets import sizes
from fitting.isoflop.power import PowerLaw, lines, resampled
from fitting.law import LOSS
from fitting.same_runs import Columns, RunsLike, Units, as_runs
from fitting.shown import shown
from fitting.solver.fit_data import accounting, believable
from fitting.solver.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from data.schema import Runs

Array = np.ndarray

#: Hoffmann et al. 2022 (arXiv 2203.15556, section 3.1): 1500 logarithmically spaced FLOP values, smoothed over 10 steps.
POINTS, SMOOTH = 1500, 10.0
# Runs that win somewhere, below which there is no trend.
LEAST_WINNERS = 3
# Budgets at which resampled envelopes are read: neighbours among 1500 have the same winner.
POINTS_DRAWN = 150
# Resamples advance in blocks of about this many numbers.
BLOCK = 4_000_000

MIDWAY = (
    "A checkpoint in the middle of a long learning-rate decay has a higher loss than a run that was planned to end there, "
    "so envelopes through checkpoints favour runs near their end; trust them where each size was trained to several lengths."
)
COARSE = (
    "The table has no checkpoints along training, so the envelope goes through final losses alone: the runs that no cheaper "
    "run beats. It is coarser than Approach 1 as published."
)


@dataclass(frozen=True)
class EnvelopeSettings:
    """Everything chosen for the envelope, as it must be repeated to get the same numbers."""

    points: int = POINTS
    smooth: float = SMOOTH
    resamples: int = 1000
    seed: int = 0


@shown()
@dataclass(frozen=True, eq=False)
class Envelope(Alike):
    """The lowest loss at each compute (K,) with the size and tokens that reach it, and the power laws through them.

    `inside` (K,) tells where a smaller and a larger size compete, which is what the power laws use. `winners` names the
    runs on the envelope there. `from_history` says whether checkpoints were used, or only final losses.
    """

    flops: Array
    params: Array
    tokens: Array
    loss: Array
    inside: Array
    winners: tuple[str, ...]
    params_law: PowerLaw
    tokens_law: PowerLaw
    from_history: bool
    accounting: Accounting
    settings: EnvelopeSettings
    notes: tuple[str, ...]
    digest: str
    table: str

    def a(self, level: float = LEVEL) -> Band:
        """The exponent of the best size in compute."""
        return self.params_law.slope(level)

    def b(self, level: float = LEVEL) -> Band:
        """The exponent of the best number of tokens in compute."""
        return self.tokens_law.slope(level)

    def tokens_per_param(self, flops: Any, level: float = LEVEL) -> Band:
        """Tokens per parameter at a budget in FLOP."""
        return self.tokens_law.over(self.params_law, flops, level)


@dataclass(frozen=True, eq=False)
class _Curves:
    """Log losses and tokens of every run (n, K) at each budget (K,), the loss infinite where a run has none."""

    log_c: Array
    loss: Array
    tokens: Array
    log_n: Array
    labels: Array
    names: tuple[str, ...]

    def winners(self, present: Array) -> tuple[Array, Array]:
        """The best run at each budget (R, K) among those present (R, n), and where it has rivals on both sides."""
        here = present[:, :, None] & np.isfinite(self.loss)
        pick = np.argmin(np.where(here, self.loss, np.inf), axis=1)
        label = self.labels[:, None]
        smallest = np.min(np.where(here, label, len(self.labels)), axis=1)
        largest = np.max(np.where(here, label, -1), axis=1)
        won = self.labels[pick]
        return pick, (won > smallest) & (won < largest)

    def thinned(self) -> _Curves:
        """The same at every few budgets: what resampling needs."""
        keep = slice(None, None, max(1, len(self.log_c) // POINTS_DRAWN))
        return _Curves(self.log_c[keep], self.loss[:, keep], self.tokens[:, keep], self.log_n, self.labels, self.names)


@dataclass(frozen=True, eq=False)
class _Ends:
    """Final log losses and tokens of runs in order of compute, (n,) each: a run wins where none as cheap is better."""

    log_c: Array
    loss: Array
    tokens: Array
    log_n: Array
    labels: Array
    names: tuple[str, ...]

    def winners(self, present: Array) -> tuple[Array, Array]:
        """Each run for itself (R, n), and whether it wins with a smaller and a larger size among the cheaper ones."""
        best = np.minimum.accumulate(np.where(present, self.loss, np.inf), axis=1)
        smallest = np.minimum.accumulate(np.where(present, self.labels, len(self.labels)), axis=1)
        largest = np.maximum.accumulate(np.where(present, self.labels, -1), axis=1)
        inside = present & (self.loss <= best) & (self.labels > smallest) & (self.labels < largest)
        return np.broadcast_to(np.arange(len(self.loss)), inside.shape), inside

    def thinned(self) -> _Ends:
        """The same: each run is one point."""
        return self


def envelope(
    runs: RunsLike,
    *,
    smooth: float = SMOOTH,
    points: int = POINTS,
    resamples: int = 1000,
    seed: int = 0,
    columns: Columns = None,
    units: Units = None,
) -> Envelope:
    """The envelope of a table's training curves with the power laws of best size and tokens in compute (Approach 1).

    Where the table has many checkpoints per run (`Runs.history`), each curve is smoothed by a Gaussian of `smooth` steps
    and read at `points` log-spaced budgets; otherwise each run is one point, which no cheaper run may beat. Intervals:
    runs resampled whole.

    Raises FitError when fewer than three runs are ever the best with both a smaller and a larger size beside them.
    """
    table = as_runs(runs, None, columns, units)
    if not smooth >= 0:
        raise FitError(f"smooth is a number of steps, 0 or more; it was {smooth!r}.")
    if not 2 <= points <= 100_000 or not 0 <= resamples <= 100_000:
        raise FitError("points are 2 to 100,000 and resamples 0 to 100,000 whole numbers.")
    chosen = EnvelopeSettings(int(points), float(smooth), int(resamples), int(seed))
    count = accounting(table.kept)
    frame = _frame(table, count)
    checkpoints = bool(table.history is not None and frame["run"].duplicated().any())
    race = _curves(frame, chosen) if checkpoints else _ends(frame)
    with one_thread():
        return _won(race, count, chosen, table)


def _frame(table: Runs, count: Accounting) -> pd.DataFrame:
    source = table.history if table.history is not None else table.kept
    lacks = [c for c in ("params", "tokens", "loss") if c not in source.columns]
    if lacks:
        raise FitError(
            f"An envelope needs parameters, tokens and a loss; this table has no {' and no '.join(lacks)}. Map the columns."
        )
    frame = source[source["run"].isin(table.kept["run"])].dropna(subset=["params", "tokens", "loss"])
    frame = frame[(frame["tokens"] > 0) & (frame["loss"] > 0)]
    believable(frame, table.name, LOSS)
    flops = count.flops(frame["params"], frame["tokens"])
    if "flops" in frame:
        flops = frame["flops"].where(frame["flops"] > 0, flops)
    return frame.assign(flops=flops).sort_values(["run", "flops"], kind="stable")


def _curves(frame: pd.DataFrame, chosen: EnvelopeSettings) -> _Curves:
    grid = np.linspace(np.log(frame["flops"].min()), np.log(frame["flops"].max()), chosen.points)
    names, log_n, losses, tokens = [], [], [], []
    for name, g in frame.groupby("run", sort=True):
        log_c, first = np.unique(np.log(g["flops"].to_numpy(float)), return_index=True)
        if len(log_c) < 2:
            continue
        steps = g["steps"].to_numpy(float)[first] if "steps" in g else np.arange(len(log_c), dtype=float)
        loss = _smoothed(g["loss"].to_numpy(float)[first], steps, chosen.smooth)
        alive = (grid >= log_c[0]) & (grid <= log_c[-1])
        losses.append(np.where(alive, np.interp(grid, log_c, np.log(loss)), np.inf))
        tokens.append(np.interp(grid, log_c, np.log(g["tokens"].to_numpy(float)[first])))
        names.append(str(name))
        log_n.append(float(np.log(g["params"].iloc[-1])))
    if not names:
        raise FitError("No run has two checkpoints with a loss, so there is no curve to take an envelope of.")
    n = np.array(log_n)
    return _Curves(grid, np.stack(losses), np.stack(tokens), n, sizes(n), tuple(names))


def _smoothed(loss: Array, steps: Array, width: float) -> Array:
    """Losses (m,) smoothed over `width` steps; as they are where checkpoints are further apart than that."""
    from scipy.ndimage import gaussian_filter1d

    apart = np.diff(steps)
    apart = apart[np.isfinite(apart) & (apart > 0)]
    sigma = width / float(np.median(apart)) if len(apart) else 0.0
    if sigma < 0.3 or len(loss) < 3:
        return loss
    # Mirrored through its ends, so that a falling curve is not bent up or down there.
    return np.asarray(
        gaussian_filter1d(_odd(loss, int(4 * sigma) + 1), sigma)[int(4 * sigma) + 1 : -int(4 * sigma) - 1]
    )


def _odd(y: Array, pad: int) -> Array:
    return np.pad(y, pad, mode="reflect", reflect_type="odd") if pad < len(y) else np.pad(y, pad, mode="edge")


def _ends(frame: pd.DataFrame) -> _Ends:
    f = frame.drop_duplicates("run", keep="last").sort_values(["flops", "loss"], kind="stable")
    log_n, log_d, log_l, log_c = (np.log(f[k].to_numpy(float)) for k in ("params", "tokens", "loss", "flops"))
    return _Ends(log_c, log_l, log_d, log_n, sizes(log_n), tuple(f["run"].astype(str)))


def _won(race: _Curves | _Ends, count: Accounting, chosen: EnvelopeSettings, table: Runs) -> Envelope:
    n = len(race.names)
    pick, inside = (part[0] for part in race.winners(np.ones((1, n), bool)))
    ahead = sorted({race.names[i] for i in pick[inside]})
    if len(ahead) < LEAST_WINNERS or len(np.unique(race.labels[pick[inside]])) < 2:
        raise FitError(
            f"An envelope needs at least {LEAST_WINNERS} runs of 2 or more sizes that are each the best at some compute with "
            f"a smaller and a larger size beside them; this table has {len(ahead)}. Add sizes, or use profiles.{table.want}"
        )
    log_n, log_d, loss = race.log_n[pick], _along(race.tokens, pick), _along(race.loss, pick)
    rng = np.random.default_rng(chosen.seed)
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=chosen.resamples) > 0
    coarse = race.thinned()
    block = max(1, BLOCK // coarse.loss.size)
    parts = [coarse.winners(drawn[i : i + block]) for i in range(0, max(1, chosen.resamples), block)]
    picks, held = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]).astype(float)
    won = np.where(held > 0, race.labels[picks], -1)
    lowest = np.min(np.where(held > 0, race.labels[picks], n), axis=1)
    held[won.max(axis=1) <= lowest] = 0.0  # one size alone has no trend, not a trend of zero

    def law(best: Array, draws: Array) -> PowerLaw:
        nothing = np.empty((0, len(best)))
        whole = resampled(race.log_c, best, inside.astype(float), nothing, nothing)
        centre = np.log(whole.centre)
        spread = lines(coarse.log_c - centre, draws, held)
        return PowerLaw(whole.log_scale, whole.exponent, whole.centre, spread[np.isfinite(spread).all(axis=1)])

    params_law = law(log_n, race.log_n[picks])
    tokens_law = law(log_d, _along(coarse.tokens, picks))
    return Envelope(
        np.exp(race.log_c), np.exp(log_n), np.exp(log_d), np.exp(loss), inside, tuple(ahead), params_law, tokens_law,
        isinstance(race, _Curves), count, chosen, _notes(race, inside, chosen, params_law), table.digest, table.name,
    )  # fmt: skip


def _along(values: Array, pick: Array) -> Array:
    """Values of the runs picked at each budget: `values` (n, K), or (n,) where a run is one point."""
    return values[pick] if values.ndim == 1 else values[pick, np.arange(values.shape[1])]


def _notes(race: _Curves | _Ends, inside: Array, chosen: EnvelopeSettings, law: PowerLaw) -> tuple[str, ...]:
    notes = [MIDWAY if isinstance(race, _Curves) else COARSE]
    if not inside.all() and isinstance(race, _Curves):
        notes.append(
            f"At {np.mean(~inside):.0%} of the budgets the best run is the smallest or the largest size that reaches them; "
            "those are not used."
        )
    if chosen.resamples and len(law.draws) < 0.95 * chosen.resamples:
        notes.append(
            f"{chosen.resamples - len(law.draws)} of {chosen.resamples} resamples have no power law: few runs carry it."
        )
    return tuple(notes)
