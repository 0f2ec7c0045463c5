"""Columns that count something else than optimiser steps under a name of theirs: log calls, reports, micro-batches."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

from data.columns.settled import TAKEN, Offers
from data.errors import NO_COLUMN, Question
from data.headers.names import named
from data.headers.parts import header as take_apart
from data.states.recognise import FINISHED, is_state, plain
from data.table import Table

SO_FAR = "mostly short of the schedule's end"  # how a guess says that its column is a counter, whatever its name
WITH_REPORTS = "as of each report"  # likewise
_LEFT = 0.55  # offered, and not taken
_REACHED = (
    0.95  # the share of its plan at which a run has come to its end: counters begin at 0, a last step may not be logged
)
_EVEN = 1.25  # the largest ratio of two counters over the smallest where one is a multiple of the other
_MUCH = 1.5
_ROWS = 3

_CALLS = re.compile(r"(?:.*[/. ])?_step")
_REPORTS = re.compile(r"(?:.*[/.])?training_iteration")
_COUNTED = re.compile(r"(?:.*/)?time/(?:batch|token|sample)")
_DECAY = re.compile(r"(?:lr|learning rate) decay (?:iters|iterations|steps)")
_MICRO = re.compile(r"(?:train )?(?:iter|iteration|it|itr|iter num|iter number)")
_STEP = re.compile(
    r"(?:global|optim|optimi[sz]er|opt|update|gradient|trainer global|train|training)? ?(?:steps?|updates?)|num updates"
)


@np.errstate(all="ignore")
def settle_counters(table: Table, offers: Offers, states: Collection[str]) -> list[Question]:
    """Leave counters of other things untaken where a better column stands beside them; a question where two readings remain.

    `states` are the run states whose rows a person keeps.
    """
    for o in [o for o in offers if _COUNTED.fullmatch(o[1]) and not _counts(_values(table, o[1]))]:
        del offers[o]  # seconds of a batch
    if any(column == "steps" for column, _ in table.from_name.values()):  # what does not change beside them is a plan
        for o in [o for o in offers if o[0] == "steps" and o[1] not in table.from_name]:
            offers["total_steps", o[1]] = offers.pop(o)
    reports = [h for c, h in offers if c == "steps" and _REPORTS.fullmatch(h)]
    for header in reports:
        offers["steps", header] = _LEFT, "counts reports, each after some steps"
        if (
            float(np.mean(np.diff(_values(table, header)) > 0)) > 0.5
        ):  # the reports of runs, and not their last ones alone
            for c, h in [o for o in offers if o[0] == "tokens"]:
                offers[c, h] = offers[c, h][0], f"{offers[c, h][1]}; {WITH_REPORTS}"
    _micro_batches(table, offers)
    _log_calls(table, offers)
    plan = max((sure, h) for (c, h), (sure, _) in offers.items() if c == "total_steps")[1] if _planned(offers) else ""
    counters = [h for (c, h), (sure, _) in offers.items() if c == "steps" and sure >= TAKEN]
    if not plan and len(counters) == 1 and _CALLS.fullmatch(counters[0]):  # a rate decays until the end, mostly
        decay = next((h for h in table.headers if _DECAY.fullmatch(take_apart(h).words)), "")
        asked = _against_plan(table, offers, counters[0], decay, states) if decay else []
        if asked:
            offers["total_steps", decay] = TAKEN, "the steps over which the rate decays"
        return asked
    if reports and not plan and not counters:
        text = (
            f"{reports[0]!r} counts reports, each after some steps, and is not used. Does it count steps all the same?"
        )
        return [Question("columns.steps", text, (NO_COLUMN, reports[0]), NO_COLUMN, needed=False)]
    if not plan or len(counters) != 1:
        return []
    return _against_plan(table, offers, counters[0], plan, states)


def _planned(offers: Offers) -> bool:
    return any(c == "total_steps" and sure >= TAKEN for (c, _), (sure, _) in offers.items())


def _values(table: Table, header: str) -> np.ndarray:
    return table.numbers(header, "count").values


def _counts(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    return bool(len(known)) and bool((known == np.round(known)).all()) and float(known.max()) > 1


def _micro_batches(table: Table, offers: Offers) -> None:
    """Of `iter` and `step` that rise together the smaller counts optimiser steps, the other forward passes."""
    found = {h: take_apart(h).words for (c, h), (sure, _) in offers.items() if c == "steps" and sure >= TAKEN}
    for passes in [h for h, words in found.items() if _MICRO.fullmatch(words)]:
        for steps in [h for h, words in found.items() if _STEP.fullmatch(words) and not _CALLS.fullmatch(h)]:
            ratio = _values(table, passes) / _values(table, steps)
            ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
            if len(ratio) and np.median(ratio) >= _MUCH and ratio.max() <= _EVEN * ratio.min():
                offers["steps", passes] = _LEFT, f"counts {np.median(ratio):.3g} forward passes of each of {steps}"
                sure, how = offers["steps", steps]
                offers["steps", steps] = sure, f"{how}; {passes} counts {np.median(ratio):.3g} forward passes of each"


def _log_calls(table: Table, offers: Offers) -> None:
    """`_step` counts the calls of a logger: beside a column of steps it says nothing."""
    calls = [h for c, h in offers if c == "steps" and _CALLS.fullmatch(h)]
    others = [h for (c, h), (sure, _) in offers.items() if c == "steps" and sure >= 0.8 and h not in calls]
    for header in calls:
        known = np.isfinite(_values(table, header)).sum()
        if any(np.isfinite(_values(table, o)).sum() >= 0.9 * known for o in others):
            offers["steps", header] = _LEFT, "counts calls of the logger"


def _against_plan(table: Table, offers: Offers, counter: str, plan: str, states: Collection[str]) -> list[Question]:
    """A counter beside the planned steps: steps where some run came to its plan or their name says so, else it is asked."""
    rows = pd.DataFrame({"at": _values(table, counter), "plan": _values(table, plan)})
    name = next(
        (h for (c, h), (sure, _) in sorted(offers.items(), key=lambda o: -o[1][0]) if c == "run" and sure >= TAKEN), ""
    )
    rows["run"] = table.text(name).to_numpy() if name else np.arange(len(rows)).astype(str)
    rows = rows[np.isfinite(rows["at"]) & (rows["plan"] > 0)]
    if not len(rows):
        return []
    share = rows["at"] / rows["plan"]
    within = bool((share <= 1 + 1e-9).all())
    if within and len(rows) >= _ROWS and float((share < _REACHED).mean()) >= 0.5 and not _CALLS.fullmatch(counter):
        sure, how = offers["steps", counter]
        offers["steps", counter] = sure, f"{how}; {SO_FAR}"
    alone = not name and bool((rows["plan"] == rows["plan"].iloc[0]).all())  # perhaps one run's log
    ended = _finished(table)
    known = rows if ended is None or not ended[rows.index].any() else rows[ended[rows.index]]
    by = known.groupby(np.zeros(len(known)) if alone else "run", sort=False)
    reach = by["at"].max() / by["plan"].max()
    if not within or float(reach.max()) >= _REACHED:
        return []
    finished = ended is not None and bool(ended[known.index].all())
    even = len(reach) > 1 and float(reach.max()) <= _EVEN * float(reach.min()) and float(reach.max()) < 1 / _MUCH
    if not _CALLS.fullmatch(counter) and not (finished and even):
        return []
    spent = _borne_out(table, offers, {counter: rows["at"], plan: rows["plan"]})
    if spent == counter:
        return []
    summary = len(reach) == len(known)
    times = 1 / float(reach.median())
    text = (
        f"Which column holds the steps of each run: {plan} or {counter}? {counter!r} ends {times:.3g} times below {plan!r}"
        f"{' in runs that finished' if finished else ''}, as a count of log calls does."
    )
    decided = summary and (spent == plan or (finished and not states and _CALLS.fullmatch(counter)))
    if decided:
        offers["steps", counter] = _LEFT, "counts log calls, far fewer than the planned steps of runs that finished"
    return [Question("columns.steps", text, (plan, counter), plan if decided or finished else "", needed=not decided)]


def _finished(table: Table) -> np.ndarray | None:
    """Which rows (n,) are of runs whose state says that they finished; None where no column says how every run ended."""
    for header in table.headers:
        if any(c == "state" for c, _ in named(header)) and is_state(table.text(header)):
            words = [plain(cell) for cell in table.written(header)]
            return np.isin(words, list(FINISHED)) if all(words) else None
    return None


def _borne_out(table: Table, offers: Offers, steps: dict[str, pd.Series]) -> str:
    """The column of steps that tokens over the batch come to; '' where none or both do."""
    best = {}
    for column in ("tokens", "batch", "batch_sequences", "seq_len"):
        own = max(((sure, h) for (c, h), (sure, _) in offers.items() if c == column and sure >= TAKEN), default=None)
        if own is not None:
            best[column] = pd.Series(_values(table, own[1]))
    batch = best.get("batch")
    if batch is None and {"batch_sequences", "seq_len"} <= set(best):
        batch = best["batch_sequences"] * best["seq_len"]
    if batch is None or "tokens" not in best:
        return ""
    near = [h for h, s in steps.items() if abs(float((best["tokens"] / (batch * s)).median()) - 1) < 0.06]
    return near[0] if len(near) == 1 else ""
