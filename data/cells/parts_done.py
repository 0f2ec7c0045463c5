"""Cells that say how much of a plan was done: 12k/40k, 12000 of 40000 steps, 0.3/1, 1.2/4B."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pandas as pd

from data.cells.values import number
from data.headers.parts import header as take_apart
from data.headers.stated_with import plan_first, without_plan

_NUMBER = r"[0-9][0-9.,_]{0,20}(?:e\+?[0-9]{1,3})?"
_COUNTED = r"(?: ?(?:steps?|iters?|iterations?|it|updates?|epochs?|ep|tokens?|toks?|tok|samples?|sequences?|seqs?))?"
_PART = re.compile(
    rf"(?:[a-z]{{2,12}}:? ?)?(?P<done>{_NUMBER}) ?(?P<unit>[kmbt]?){_COUNTED} ?(?:/|\(?(?:out )?of) ?"
    rf"(?P<plan>{_NUMBER}) ?(?P<of>[kmbt]?){_COUNTED}\)?(?: ?\(.{{1,12}}\))?",
    re.IGNORECASE,
)
_LONGEST = 60
_OVER = 1.1  # by how much of its plan a run may have gone on
#: What a header counts along a run.
_COUNTER = re.compile(
    r"\b(?:steps?|iters?|iterations?|itr|it|updates?|epochs?|samples?|sequences?|tokens?|toks?|batches|progress|completion|done|completed"
    r"|state|status)\b"
)
_NONE = re.compile(
    r"\b(?:per|batch|batch size|warm ?up|accum(?:ulation)?|unique|best|ratio|rate|seconds?|sec|time|speed)\b|/"
)


@lru_cache(maxsize=20_000)
def of_a_plan(header: str) -> bool:
    """Whether cells of two numbers under this header say what was done of a plan: those of a counter along runs, or of progress."""
    path = take_apart(without_plan(header)).path
    return bool(_COUNTER.search(path)) and not _NONE.search(path)


def done_alone(cells: pd.Series, header: str) -> pd.Series:
    """The cells (n,) with what was done alone where they say it of a plan: 12k of 12k/40k; as they are where none does."""
    if cells.dtype != object and not isinstance(cells.dtype, pd.StringDtype):
        return cells
    texts = cells.astype(object)
    known = {c: _apart(c, plan_first(header)) for c in {c for c in texts if isinstance(c, str)}}
    found = {c: said[0] for c, said in known.items() if said}
    return texts.map(lambda c: found.get(c, c) if isinstance(c, str) else c) if found else cells


def parts_done(cells: pd.Series, header: str, decimal: str) -> tuple[np.ndarray, np.ndarray]:
    """What was done (n,) and what was planned (n,) by cells that say both, each in one unit; NaN where a cell does not."""
    known = {c: _apart(c, plan_first(header)) for c in set(cells)}
    said = {c: tuple(number(text, decimal) for text in parts) for c, parts in known.items() if parts}
    both = np.array([said.get(c, (np.nan, np.nan)) for c in cells], dtype="float64").reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _apart(cell: str, plan_first: bool) -> tuple[str, str] | None:
    """What a cell says was done and what was planned, each with its unit: 1.2B and 4B of 1.2/4B; None for other cells."""
    text = " ".join(cell.split())
    found = _PART.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    done, unit, plan, of = found["done"], found["unit"], found["plan"], found["of"]
    if plan_first:
        done, unit, plan, of = plan, of, done, unit
    if of and not unit and number(done) <= number(plan):  # 12/40k leaves the unit to the plan
        unit = of
    elif unit and not of and number(plan) <= number(done):
        of = unit
    if not number(done + unit) <= _OVER * number(plan + of):
        return None  # two counts beside each other, such as all parameters and the active ones
    return done + unit, plan + of
