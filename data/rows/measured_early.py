"""Counts of whole runs brought down to the place at which their losses were measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.draft import Draft
from data.mapping import Mapping
from data.plural import agreeing
from data.schema import Provenance
from data.table import Table

_ALONG = ("tokens", "steps", "samples", "epochs", "flops")
_BEYOND = 1.02  # times the whole run, from which a place lies beyond its end


@np.errstate(all="ignore")
def cut_to_place(draft: Draft, table: Table, mapping: Mapping) -> dict[int, str]:
    """Write tokens, steps and FLOPs at the place of each row's loss; the rows without such a place, each with its reason.

    What is known of the whole run goes with the place. A count of which nothing tells its part is taken out.
    """
    place = mapping.place
    if place is None:
        return {}
    frame = draft.frame
    at = pd.Series(place.values(table), index=frame.index)
    whole = _whole(frame, table, mapping)
    share = at if place.kind == "share" else at / whole
    kind = place.kind
    for column in _ALONG:
        if column in frame and column != kind:
            frame[column] = frame[column] * share
            if share.isna().all():
                del frame[column]
                draft.sources = [s for s in draft.sources if s.column != column]
                draft.notes.append(
                    f"{mapping.header(column)!r} is the whole run's and was left out: its part is not known."
                )
    if kind != "share":
        frame[kind] = at
        draft.sources = [s for s in draft.sources if s.column != kind]
    how = f"those at the place of the loss, as {place.header!r} says"
    if kind in ("tokens", "steps", "samples", "epochs"):
        draft.sources.append(Provenance(kind, place.header if place.column else "", how, 0.9))
    draft.sources = [
        Provenance(s.column, s.header, f"{s.how}; {how}", s.confidence)
        if s.column in _ALONG and s.column != kind
        else s
        for s in draft.sources
    ]
    if "total_steps" in frame:
        del frame["total_steps"]
    draft.sources = [s for s in draft.sources if s.column != "total_steps"]
    out = {int(i): f"{place.header} lies beyond the end of the run" for i in np.flatnonzero(share > _BEYOND)}
    out |= {int(i): f"no place of its loss under {place.header}" for i in np.flatnonzero(at.isna())}
    early = int((share < 1 / _BEYOND).sum())
    if early or share.isna().all():
        rows = agreeing(early or len(frame), "loss was", "losses were")
        draft.notes.append(
            f"{rows} measured before the end of the run, as {place.header!r} says: the tokens are those up to there."
        )
    return out


def _whole(frame: pd.DataFrame, table: Table, mapping: Mapping) -> pd.Series:
    """What the whole run (n,) counts of what the place is told in; NaN where nothing says it."""
    place = mapping.place
    assert place is not None
    if place.kind == "steps" and place.whole:
        return pd.Series(table.numbers(place.whole, "count").values, index=frame.index)
    if place.kind in frame:
        return frame[place.kind]
    batch = frame.get("batch")
    if batch is None and {"batch_sequences", "seq_len"} <= set(frame.columns):
        batch = frame["batch_sequences"] * frame["seq_len"]
    if place.kind == "tokens" and batch is not None and "steps" in frame:
        return batch * frame["steps"]
    if place.kind == "steps" and batch is not None and "tokens" in frame:
        return frame["tokens"] / batch
    return pd.Series(np.nan, index=frame.index)
