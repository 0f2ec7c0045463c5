"""Training curves told apart: which rows are one run's, in the order of its steps, each step once, and the batch along it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from data.rows.apart import NUMBERED
from data.rows.by_batch import SAME_BATCH, by_batch, overlapping
from data.rows.by_setting import OFTEN, SAME, by_setting
from data.steps.groups import MOST_COLUMNS, may_tell
from data.steps.tuned import is_tuned
from fitting.arguments import rows_of
from fitting.batch.seen import agrees, mean_batch, rising_batch, unit_of
from fitting.errors import FitError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

NEEDED = ("run", "batch", "step", "loss")
NUMBERS = ("batch", "step", "loss", "params", "lr", "tokens")
# What stays as it is along a run, but for a ramp: rows of one name that go side by side at several of its values are several runs.
SETTINGS = ("params", "dataset", "seq_len", "seed", "batch", "lr")
MOST_REPEATS = (
    0.5  # the share of steps that stand twice above which rows are several runs' without names, not a resumed one's
)
WARM_UP = (
    1 / 8
)  # of the mean batch before the first row: a rise from nothing along a line does as one of two steps from there
NAMED = 4  # runs named in a sentence
GIVEN_UP = 0.5  # a first attempt that came less far than this share of the next was begun anew


@dataclass(frozen=True, eq=False)
class Run(Alike):
    """One run's curve: `step` (n,) rising, with the `loss` and the `batch` of each. `rate` is the peak; nan where not told.

    `size` is its number of parameters, `seed` its seed as text; nan and '' where not told. `mean` (n,) is the mean batch of the steps
    from the row before to each, where tokens say so, and from the beginning to the first.
    """

    name: str
    step: Array
    loss: Array
    batch: Array
    rate: float
    seed: str
    size: float
    mean: Array | None = None

    @property
    def ramps(self) -> bool:
        """Whether the batch changes along the run."""
        return self.changes_by(len(self.batch) - 1)

    def changes_by(self, row: int) -> bool:
        """Whether the batch changes up to that row, before the first one too."""
        batches = self.batch[: row + 1] if self.mean is None else np.append(self.mean[0], self.batch[: row + 1])
        return bool(np.ptp(batches) > SAME_BATCH * self.batch[row])

    @cached_property
    def pieces(self) -> tuple[Array, Array]:
        """The steps from the row before to each, in parts (n, 3), and the batch of each part (n, 3).

        Without `mean` the batch changes half way between two rows, with it where the mean is right. Where every row's batch is
        the mean, it may have followed from tokens: a row between two others is then one batch or a mixture of theirs, and half is
        counted as either. So it is before the first row, where the mean alone is known: all at that, or a warm-up from a small
        share of it to the batch after.
        """
        width, before = np.diff(self.step, prepend=0.0), np.append(self.batch[0], self.batch[:-1])
        parts = np.column_stack([np.zeros_like(before), before, self.batch])
        if self.mean is None:
            return width[:, None] * np.array([0.0, 0.5, 0.5]), parts
        if self.worked_out:
            parts[:, 2] = np.append(self.batch[1:], self.batch[-1])
        parts[:, 0] = self.mean
        before = before.copy()
        before[0] = parts[0, 1] = WARM_UP * self.mean[0]
        after = parts[:, 2]
        inside = (np.minimum(before, after) < self.mean) & (self.mean < np.maximum(before, after))
        with np.errstate(all="ignore"):
            early = np.where(inside, (after - self.mean) / (after - before), 0.0)
        inside[0] &= after[0] > (1.0 + SAME_BATCH) * self.mean[0]
        whole = np.where(inside, np.where(self.either, 0.5, 0.0), 1.0)
        share = np.column_stack([whole, (1.0 - whole) * early, (1.0 - whole) * (1.0 - early)])
        return width[:, None] * share, parts

    @property
    def either(self) -> Array:
        """Rows (n,) bool before which tokens tell the mean batch alone, so that it may have been one batch or a mixture."""
        return np.arange(len(self.step)) < (len(self.step) if self.worked_out else 1)

    @property
    def worked_out(self) -> bool:
        """Whether the batch of every row is the mean since the row before, as of batches that follow from tokens."""
        return self.mean is not None and bool(np.all(np.abs(self.batch - self.mean) <= SAME_BATCH * self.mean))

    @property
    def examples(self) -> Array:
        """What the run has seen at each row (n,), in the unit of the batch."""
        steps, batch = self.pieces
        return np.asarray(np.cumsum(np.sum(steps * batch, axis=1)))


@dataclass(frozen=True, eq=False)
class Ladder(Alike):
    """The runs of a table of curves, and what was done to tell them apart, a sentence each."""

    runs: tuple[Run, ...]
    notes: tuple[str, ...]


def ladder(frame: pd.DataFrame) -> Ladder:
    """The runs in `frame`: columns run, batch, step, loss; params, lr, seed, dataset and seq_len tell runs apart too, if there, and
    tokens (or examples, in any unit) tell when a batch changed.

    Rows of one name at several settings whose steps run side by side are several runs; a setting that changes once along the
    steps is that run's own. Runs of one name whose batch rises are told apart by the order of rows (`data.rows.by_batch`), which need
    none otherwise. Of a step logged again the later row counts, as after a resume; where a name's steps begin anew they are another
    run's. Raises FitError for a missing column, and where rows may as well be those of runs whose batch rises.
    """
    frame = rows_of(_with_rate(frame), NUMBERS, "Training curves")
    lacks = [c for c in NEEDED if c not in frame]
    if lacks:
        raise FitError(f"Training curves need the columns {', '.join(NEEDED)}; there is no {' and no '.join(lacks)}.")
    frame = frame.dropna(subset=["batch", "step", "loss"])
    frame = frame[(frame[["batch", "step", "loss"]] > 0).all(axis=1)]
    runs: list[Run] = []
    counters: list[Array | None] = []
    others: list[str] = []
    repeated = merged = shared = 0
    by_run = frame.groupby("run", sort=False, dropna=False)
    asked = _telling(frame)
    several = by_run[asked].nunique().to_numpy() > 1 if asked else np.zeros((len(by_run), 0), bool)
    for (name, rows), differ in zip(by_run, several, strict=True):
        parts = list(_apart(rows, str(name), [c for c, d in zip(asked, differ, strict=True) if d]))
        found = []
        for called, part in parts:
            attempts = _attempts(part)
            for k, own in enumerate(attempts):
                run, seen, again, mean = _one(own, called if not k else f"{called} ({k + 1})")
                if len(attempts) > 1:  # alike in all that is told: another seed's
                    run = replace(run, seed=f"{run.seed} ({k + 1})")
                repeated, merged = repeated + (0 if mean else again), merged + (again if mean else 0)
                found.append(run)
                counters.append(seen)
                others.append(_said(own))
        shared += len(found) > 1
        runs += found
    notes = []
    if shared:
        notes.append(
            f"{_many(shared, 'name')} {'stands' if shared == 1 else 'stand'} for several runs, separated by their settings and by "
            f"where steps restart: {len(runs)} curves."
        )
    if repeated:
        notes.append(f"{_many(repeated, 'row')} {'repeats' if repeated == 1 else 'repeat'} a step: the later counts.")
    if merged:
        notes.append(
            f"{_many(merged, 'row')} {'repeats' if merged == 1 else 'repeat'} a step of an unknown run: their mean counts."
        )
    told, said = _by_tokens(_as_seeds(runs, others), counters)
    return Ladder(told, (*notes, *said))


def _as_seeds(runs: list[Run], said: list[str]) -> list[Run]:
    """The runs, those alike in name but for a number in brackets as seeds of one: a reader numbers runs that nothing tells apart.

    `said` is what else each run's rows say, alike in seeds.
    """
    alike: dict[tuple[str, float, str, str], list[int]] = {}
    for k, run in enumerate(runs):
        if not run.seed:
            base = re.sub(NUMBERED, "", run.name) + said[k]
            alike.setdefault((base, float(run.batch[-1]), f"{run.rate:g}", f"{run.size:g}"), []).append(k)
    out = list(runs)
    for several in alike.values():
        if len(several) > 1 and len({runs[k].name for k in several}) == len(several):
            for number, k in enumerate(several):
                out[k] = replace(runs[k], seed=f"({number + 1})")
    return out


def _said(rows: pd.DataFrame) -> str:
    """What a run's rows say all along of settings other than those that a `Run` holds."""
    own = [c for c in rows if c not in (*NEEDED, "tokens", "lr", "seed", "params") and may_tell(str(c))][:MOST_COLUMNS]
    return "\x1f".join(f"\x1f{c}={rows[c].iloc[0]}" for c in own if rows[c].nunique(dropna=False) == 1)


def _by_tokens(runs: list[Run], counters: list[Array | None]) -> tuple[tuple[Run, ...], list[str]]:
    """The runs with the batch that what they saw (n,) tells, and what to say of that."""
    out, odd = list(runs), list[int]()
    for k, (run, seen) in enumerate(zip(runs, counters, strict=True)):
        if seen is None:
            continue
        if run.ramps:
            out[k] = replace(run, mean=mean_batch(run.step, run.batch, seen))
        elif len(run.step) > 1 and np.all(np.isfinite(seen)) and np.all(np.diff(seen) > 0):
            odd.append(k)
    seen_by = {k: s for k in odd if (s := counters[k]) is not None}
    unit = unit_of([(runs[k].step, runs[k].batch, s) for k, s in seen_by.items()])
    rising, other = list[str](), list[str]()
    for k, seen in seen_by.items():
        run = runs[k]
        if unit is None:
            continue
        if agrees(run.step, run.batch, seen / unit):
            continue
        mean = rising_batch(run.step, run.batch, seen / unit)
        if mean is None:
            other.append(run.name)
            continue
        late = np.all(mean[1:] == run.batch[1:])  # the column says each row's own batch
        out[k] = replace(run, mean=mean, batch=run.batch if late else mean)
        rising.append(run.name)
    notes = []
    if rising:
        notes.append(
            f"Tokens of {_many(len(rising), 'run')} tell a batch that rises on the way, where the column of batches has one: tokens count."
        )
    if other:
        notes.append(
            f"Tokens of {_many(len(other), 'run')} ({_some(other)}) are not batch times steps, nor those of a batch that rises: the column "
            "of batches counts. Check them."
        )
    return tuple(out), notes


def _some(names: list[str]) -> str:
    return f"{', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''}"


def _with_rate(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its one column of learning rates as lr, whatever it is called."""
    if not hasattr(frame, "columns") or "lr" in frame:
        return frame
    rates = [c for c in frame if is_tuned(str(c))]
    return frame.rename(columns={rates[0]: "lr"}) if len(rates) == 1 else frame


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _telling(frame: pd.DataFrame) -> list[str]:
    """The columns of settings whose values may tell runs of one name apart."""
    others = [c for c in frame if c not in (*SETTINGS, *NEEDED, "tokens") and may_tell(str(c))][:MOST_COLUMNS]
    return [c for c in (*SETTINGS, *others) if c in frame]


def _apart(rows: pd.DataFrame, name: str, columns: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of a name by those of its `columns` of several values at which they go side by side, each part with its name."""
    for column in columns:
        if rows[column].nunique(dropna=True) < 2:  # of a part
            continue
        if column == "batch":
            told = by_batch(rows["step"].to_numpy(float), rows["batch"].to_numpy(float))
            if told.doubt:
                raise FitError(told.doubt)
            if len(told.batches) > 1:
                for part, way in enumerate(told.batches):
                    said = " to ".join(f"{b:g}" for b in dict.fromkeys((way[0], way[-1])))
                    yield from _apart(rows[told.part == part], f"{name}, batch {said}", columns)
                return
        elif column == "lr":
            if (several := _by_rate(rows)) is not None:
                for rate, own in rows.groupby(several, sort=False):
                    yield from _apart(own.assign(lr=rate), f"{name}, lr {rate:g}", columns)
                return
        elif (_side_by_side if column in SETTINGS else _of_several)(rows, column):
            for value, own in rows.groupby(rows[column], sort=False, dropna=False):
                said = f"{value:g}" if isinstance(value, (int, float)) else str(value)
                yield from _apart(own, f"{name}, {column} {said}", columns)
            return
    yield name, rows


def _by_rate(rows: pd.DataFrame) -> Array | None:
    """The learning rate of each row's run (n,), its peak, where rows are those of several; None where they are one's, or some lack it."""
    rate = rows["lr"].to_numpy(float)
    return by_setting(rows["step"].to_numpy(float), rate, falls=True) if np.all(np.isfinite(rate)) else None


def _side_by_side(rows: pd.DataFrame, column: str) -> bool:
    """Whether steps at one value of the column overlap with those at another."""
    known = rows[column].notna()
    return overlapping(rows["step"][known].to_numpy(float), rows[column][known].astype(str).to_numpy())


def _of_several(rows: pd.DataFrame, column: str) -> bool:
    """Whether the values of any other column are those of several runs: no function of the step."""
    known = rows[column].notna().to_numpy()
    values = rows[column][known].astype(str).to_numpy()
    return bool(known.all()) and by_setting(rows["step"].to_numpy(float), values) is not None


def _attempts(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of one run, or of several where steps fall back to the beginning, as of seeds one below the other."""
    step = rows["step"].to_numpy(float)
    if np.sum(np.diff(step) < 0) > np.sum(np.diff(step) > 0):
        rows, step = rows[::-1], step[::-1]  # logs from their end on
    first = np.unique(step)[:2][-1]  # of rows in no order few stand there
    back = np.flatnonzero(np.diff(step) < 0) + 1
    anew = back[step[back] <= first]
    if not len(anew) or len(anew) > len(step) / 3 or 2 * len(anew) < len(back):  # the last: rows in no order
        return [rows]
    parts = np.split(np.arange(len(step)), anew)
    reach = [step[p].max() for p in parts]
    out: list[Array] = []
    for k, part in enumerate(parts):
        given_up = k + 1 < len(parts) and reach[k] < GIVEN_UP * reach[k + 1]
        if given_up:
            parts[k + 1] = np.concatenate([part, parts[k + 1]])
        else:
            out.append(part)
    return [rows.iloc[p] for p in out]


def _one(rows: pd.DataFrame, name: str) -> tuple[Run, Array | None, int, bool]:
    """One run's curve, what it had seen at each of its rows, how many repeat a step, and whether means were taken of those."""
    step, batch, loss = (rows[c].to_numpy(float) for c in ("step", "batch", "loss"))
    order = np.argsort(step, kind="stable")
    step, batch, loss = step[order], batch[order], loss[order]
    places, first, count = np.unique(step, return_index=True, return_counts=True)
    mean = bool(np.mean(count > 1) > MOST_REPEATS)
    last = first + count - 1
    if mean and "lr" in rows:
        rates = rows.groupby("step")["lr"].agg(["min", "max"])
        if (rates["max"] > (1.0 + SAME) * rates["min"]).mean() > OFTEN:
            raise FitError(
                f"Rows of {name} stand at each step several times with other learning rates, and nothing tells which of them are one "
                "run's. Give each run a name in a column run, or keep the lines in the order in which runs logged them."
            )
    if mean:
        loss = np.exp(np.add.reduceat(np.log(loss), first) / count)
    else:
        loss = loss[last]
    rate = rows["lr"].max() if "lr" in rows else np.nan
    size = rows["params"].iloc[0] if "params" in rows else np.nan
    seed = str(rows["seed"].iloc[0]) if "seed" in rows and rows["seed"].notna().all() else ""
    seen = rows["tokens"].to_numpy(float)[order][last] if "tokens" in rows else None
    run = Run(name, places, loss, batch[last], float(rate), seed, float(size))
    return run, None if mean else seen, len(step) - len(places), mean
