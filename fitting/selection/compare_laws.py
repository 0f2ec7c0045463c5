"""Which law? Every law the table allows, by how well it forecasts the largest runs from the rest, and by AICc."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from data.alike import Alike
from data.schema import COLUMNS
from fitting import largest
from fitting.arguments import a_name, huber_delta, in_short
from fitting.diagnostics.checks import refusal
from fitting.errors import FitError
from fitting.largest import COMPUTE
from fitting.law import Law
from fitting.laws import LawKey, all_laws, asked_for_none
from fitting.same_runs import Columns, RunsLike, Units, as_runs
from fitting.shown import shown
from fitting.solver.fit_data import Arrays, arrays, frontier
from fitting.solver.huber_likelihood import log_likelihood
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import minimise, problem, residuals
from fitting.solver.threads import one_thread
from fitting.uncertainty.map_fit import map_fit

if TYPE_CHECKING:
    import pandas as pd

    from data.schema import Runs

Array = np.ndarray

# The largest fifth of the runs by compute is left out, at least three.
HELD_OUT, LEAST_HELD = 0.2, 3
# Nearer in so many of the held-out runs that a fair coin would do it less often than this: clear.
CLEAR = 0.05
# AICc apart by less than this says nothing (Burnham and Anderson 2004, section 2.6).
CLOSE = 4.0


@dataclass(frozen=True)
class Score:
    """One law on one table, or `reason`, why it has no score.

    `error` is the median share by which its forecasts miss the held-out runs, `best_error` the same over those held-out
    runs that no cheaper one beats: all that a law of the frontier says anything about. `aicc` is over the lowest among
    laws fitted to the same runs; None for a law fitted to others.
    """

    key: str
    title: str
    params: int
    runs: int
    error: float | None
    best_error: float | None
    aicc: float | None
    reason: str = ""


@shown()
@dataclass(frozen=True, eq=False)
class Comparison(Alike):
    """All laws scored, best forecast first; how many runs were held out, from which compute (or what `along` is) on; one sentence."""

    scores: tuple[Score, ...]
    held_out: int
    best_held_out: int
    cut: float
    sentence: str
    along: str = COMPUTE


def compare_laws(
    runs: RunsLike,
    delta: float = 1e-3,
    output: str = "loss",
    *,
    laws: Sequence[Law | LawKey] | None = None,
    along: str | None = None,
    columns: Columns = None,
    units: Units = None,
) -> Comparison:
    """Every law of `output` that these runs allow, fitted to the runs below a cut in compute and tried on those above.

    `runs`: a path, a DataFrame or `Runs`; ten of them at least with known compute.
    `delta`: Huber's delta, in log loss, the same for all laws.
    `output`: the column that the laws give; that of `laws` where these are given.
    `laws`: laws, or their keys, that are compared in place of all there are; a table is read for those of own columns by their names.
    `along`: the input by which runs are put in order, in place of compute; without FLOPs that of laws of own columns that spans most.
    `columns`, `units`: the answers of `read_runs`, for a path or a DataFrame.

    Error is that of forecasts; AICc uses the density of `fitting.solver.huber_likelihood` at `delta`, with its scale as one more
    parameter (Hurvich and Tsai 1989), and only for laws that see the same runs. Raises FitError where no run has compute
    to sort by, or fewer than ten runs do, and for laws of several outputs.
    """
    given = huber_delta(delta)
    if given is None:
        raise FitError('Laws are compared at one delta for all of them. Give a number, such as 0.001, for "auto".')
    delta, output = given, a_name("output", output, "the column that laws give") or ""
    chosen, named = _laws(laws, output), laws is not None
    column = chosen[0].output.column
    # A table of losses is read as one, whatever other columns a law here may take.
    own = tuple(law for law in chosen if law.own_columns and (named or column not in COLUMNS))
    table = as_runs(runs, chosen if own else None, columns, units)
    frame = table.kept
    asked = along
    if along is not None or own:
        along = largest.order_of(frame, chosen, along, "Laws are compared on runs put")
    else:
        along = COMPUTE
    count = int(frame[along].notna().sum()) if along in frame else 0
    if count < 10:
        raise FitError(
            f"Laws are compared by forecasting the largest runs from the rest, which takes ten runs with known "
            f"{'compute' if along == COMPUTE else along}; this table has {count}. Add runs.{table.want}"
        )
    known = frame.dropna(subset=[along, column])
    cut, above = _cut(known, along)
    best = set(frontier(known, chosen[0].output)["run"].astype(str)) & above if along == COMPUTE else set()
    tried = []
    there = [c for c in frame.columns if frame[c].notna().any()]
    with one_thread():
        for law in chosen:
            if lacks := law.missing(there):
                tried += [_Tried(law, reason=f"the table has no {' and no '.join(lacks)}")] * named
            else:
                tried.append(_try(law, table, above, best, delta))
    scores = _scored(tried)
    return Comparison(
        tuple(s for s, _ in scores),
        len(above),
        len(best),
        cut,
        _sentence(scores) + largest.chosen(chosen, asked, along),
        along,
    )


def _laws(asked: Sequence[Law | LawKey] | None, output: str) -> tuple[Law, ...]:
    """The laws to compare: those asked for, of one output, or all of `output`."""
    known = all_laws()
    if asked is None:
        found = tuple(law for law in known.values() if law.output.column == output)
        if not found:
            raise FitError(
                f"No law here gives {output!r:.60}; laws give {', '.join(sorted({x.output.column for x in known.values()}))}. Name laws of "
                "your own: laws=[...]."
            )
        return found
    several = list(asked) if isinstance(asked, list | tuple) else []
    found = tuple(x if isinstance(x, Law) else known.get(x) if isinstance(x, str) else None for x in several)  # type: ignore[misc]
    if not found or None in found:
        wrong = next((x for x, law in zip(several, found, strict=True) if law is None), asked)
        raise FitError(
            asked_for_none(
                f"laws is a list of laws, or of keys such as {', '.join(list(known)[:3])}; it was {in_short(wrong)}."
            )
        )
    if len(given := sorted({law.output.column for law in found})) > 1:
        raise FitError(f"Laws of one output are compared; these give {' and '.join(given)}.")
    return found


@dataclass(frozen=True)
class _Tried:
    """One law's fit to all runs and its forecasts of those held out, by run."""

    law: Law
    names: tuple[str, ...] = ()
    criterion: float = math.nan
    misses: dict[str, float] | None = None
    best: frozenset[str] = frozenset()
    reason: str = ""


def _cut(frame: pd.DataFrame, along: str) -> tuple[float, set[str]]:
    """The compute, or the input, above which runs are held out, and their names: whole budgets, so that none is on both sides."""
    size = frame[along].to_numpy(float)
    count = max(LEAST_HELD, round(HELD_OUT * len(size)))
    cut = float(np.sort(size)[-count]) * (1 - 1e-9)
    return cut, set(frame.loc[size >= cut, "run"].astype(str))


def _try(law: Law, runs: Runs, above: set[str], best: set[str], delta: float) -> _Tried:
    try:
        table = arrays(runs, law)
        if why := refusal(law, table):
            return _Tried(law, reason=why)
        r, _ = _fitted(law, table, delta)
        names = set(runs.kept["run"].astype(str))
        rest = runs.exclude(sorted(above & names))
        small = arrays(rest, law)
        if why := refusal(law, small, " below the cut"):
            return _Tried(law, reason=why)
        _, values = _fitted(law, small, delta)
    except FitError as e:
        return _Tried(law, reason=str(e))
    frame = runs.kept.dropna(subset=[*law.inputs, law.output.column])
    frame = frame[frame["run"].astype(str).isin(best if law.frontier else above)]
    said = law({k: frame[k].to_numpy(float) for k in law.inputs}, dict(zip(law.names, values, strict=True)))
    with np.errstate(all="ignore"):
        off = np.abs(np.log(said) - np.log(frame[law.output.column].to_numpy(float)))
    n, k = len(r), law.p + 1
    spare = n - k - 1
    criterion = -2 * log_likelihood(r, delta) + 2 * k * n / spare if spare > 0 else math.nan
    return _Tried(law, table.runs, criterion, dict(zip(frame["run"].astype(str), off, strict=True)), frozenset(best))


def _fitted(law: Law, table: Arrays, delta: float) -> tuple[Array, Array]:
    """Log residuals (n,) and parameters (p,) of the best fit."""
    prob = problem(coordinates(law, table.inputs, table.loss), table.inputs, table.loss, delta)
    begin = None
    if law.has_prior and not (held := map_fit(prob, delta)).contradicted:
        prob, begin = held.prob, held.starts  # as a fit without further word would start it
    found = minimise(prob, starts(prob) if begin is None else begin)
    theta = found.theta[found.best()]
    if not np.isfinite(found.objective[found.best()]):
        raise FitError(f"{law.title} gives no finite loss anywhere for these runs.")
    return residuals(prob, theta[None, :])[0], prob.coordinates.natural(theta)


def _scored(tried: list[_Tried]) -> list[tuple[Score, _Tried]]:
    # AICc compares laws of the same runs: those most laws were fitted to.
    rows = [t.names for t in tried if not t.reason and not t.law.frontier]
    common = max(rows, key=rows.count) if rows else ()
    lowest = min((t.criterion for t in tried if t.names == common and np.isfinite(t.criterion)), default=math.nan)
    out = []
    for t in tried:
        if t.misses is None:
            out.append((Score(t.law.key, t.law.title, t.law.p, 0, None, None, None, t.reason), t))
            continue
        same = t.names == common and np.isfinite(t.criterion)
        over_best = [v for k, v in t.misses.items() if k in t.best]
        score = Score(
            t.law.key, t.law.title, t.law.p, len(t.names),
            None if t.law.frontier else _median(list(t.misses.values())), _median(over_best),
            t.criterion - lowest if same else None,
        )  # fmt: skip
        out.append((score, t))
    return sorted(out, key=lambda s: (bool(s[0].reason), s[0].error is None, s[0].error or 0.0, s[0].best_error or 0.0))


def _median(misses: list[float]) -> float | None:
    return float(np.median(misses)) if misses and np.all(np.isfinite(misses)) else None


def _sentence(scores: list[tuple[Score, _Tried]]) -> str:
    able = [(s, t) for s, t in scores if s.error is not None]
    if not able:
        return "No law of these runs could be tested on the largest runs."
    (first, won), *others = able
    head = f"{first.title} forecasts the largest runs best, {_percent(first.error)} off"
    if not others:
        return f"{head}; no other law could be tested on them."
    second, lost = others[0]
    assert won.misses is not None
    assert lost.misses is not None
    shared = [k for k in won.misses if k in lost.misses]
    nearer = sum(won.misses[k] < lost.misses[k] for k in shared)
    by_chance = special.bdtrc(nearer - 1, len(shared), 0.5)  # sign test: so many or more of them heads of a fair coin
    clear = by_chance < CLEAR
    how = f"{second.title} {_percent(second.error)}; {first.title} is nearer in {nearer} of {len(shared)}"
    tail = "" if clear else ", not significant"
    favourite = min((s for s, _ in able if s.aicc is not None), key=lambda s: s.aicc or 0.0, default=None)
    by_aicc = ""
    if favourite is not None and favourite.key != first.key and (first.aicc or 0.0) > CLOSE:
        by_aicc = f"; inside the runs {favourite.title} fits better by AICc"
    alone = min(
        (s for s, _ in scores if s.error is None and s.best_error is not None),
        key=lambda s: s.best_error or 0.0,
        default=None,
    )
    by_compute = ""
    if alone is not None and first.best_error is not None and (alone.best_error or 0.0) < first.best_error:
        by_compute = (
            f"; on the frontier alone, {alone.title} is nearer, {_percent(alone.best_error)} off against "
            f"{_percent(first.best_error)} of {first.title}"
        )
    return f"{head} ({how}{tail}){by_aicc}{by_compute}."


def _percent(x: float | None) -> str:
    return f"{100 * (x or 0.0):.2g} %"
