"""Rows of one name, model or setting that are the curves of several trainings: each under its text, or under a number that nobody reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from data.errors import Question
from data.mapping import Mapping
from data.rows.apart import unnumbered
from data.rows.groups import blank, different, only
from data.rows.kinds import judge
from data.rows.labels import CONSTANT, TOLD, run_labels
from data.rows.line_order import Rows, stands_in_order
from data.rows.progress import PROGRESS, usable
from data.rows.restarts import restarting
from data.rows.so_far import says_so_far
from data.rows.text_columns import MOST_ROWS, joined, parting, told_apart
from data.table import Table


def side_by_side(
    frame: pd.DataFrame,
    found: Rows,
    names: pd.Series | None,
    measured: np.ndarray,
    table: Table,
    mapping: Mapping,
    stem: str,
) -> Rows | None:
    """Rows as the curves of trainings that pass the same places, each under its text; None where no column tells them apart.

    Texts part the rows of one name, or of one model where there are none; so does a number where a counter begins anew under
    another. Raises `MappingNeeded` where two readings of the rows of one text are as likely.
    """
    if len(frame) > MOST_ROWS or (names is not None and blank(names).any()):
        return None
    rows = only(frame, measured)
    counters = [c for c in PROGRESS if c in rows and says_so_far(c, mapping) and usable(rows, c)]
    named = names if names is not None else frame.get("family")
    named = named if named is not None and not blank(named).any() else None
    places = list(dict.fromkeys(c for c in (found.progress, *counters) if c in frame))
    if not places:
        return None
    own = run_labels(named, frame, [c for c in CONSTANT if c in frame and different(frame[c]) > 1], stem)
    if found.kind == "history":
        pairs = zip(own, unnumbered(found.names), strict=True)
        own = pd.Series([f"{one}\x1f{other}" for one, other in pairs], dtype="str", index=own.index)
    for along in places:
        headers, setting = parting(table, mapping, measured, frame[along], own)
        if headers:
            texts = joined(table, headers)
            how = f"The rows of one text in {_listed(headers)} pass the same {mapping.header(along)!r}"
            break
    else:
        along, number = next(
            ((c, h) for c in places if (h := restarting(table, mapping, measured, frame[c], own))), ("", "")
        )
        if not number:
            return None
        headers, setting, texts = (number,), False, f"{number} " + table.text(number)
        how = f"{mapping.header(along)!r} restarts where {number!r} changes"
    again = judge(names, frame.assign(**{TOLD: texts}), measured, mapping, stem, table.name)
    if again.progress in frame:  # another setting may differ from row to row of these
        others = told_apart(table, mapping, measured, frame[again.progress], again.names, True).keys
        if others:
            headers, texts = (*headers, *others), texts + ", " + joined(table, others)
            again = judge(names, frame.assign(**{TOLD: texts}), measured, mapping, stem, table.name)
    if names is not None and not (
        again.progress and (mapping.rows or stands_in_order(again.names[measured], frame[again.progress][measured]))
    ):
        return None
    if not again.progress:
        return replace(found, question=again.question) if again.question and not found.progress else None
    text = f"{how}: are they checkpoints of one run, or runs of their own?"
    asked = again.question or Question("rows", text, ("checkpoints", "runs"), "checkpoints", needed=False)
    why = f"{_listed(headers)} tells runs apart"
    return replace(again, why=why, question=None if setting or mapping.rows else asked)


def _listed(headers: tuple[str, ...]) -> str:
    return " and ".join(map(repr, headers))
