"""Runs that share a name, or have none, told apart along a counter: by their settings and by where the counter begins anew."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from data.rows.groups import blank, different, each, kinds, numbered, sizes
from data.rows.runs_of_batches import WHY, named, parts

#: Settings that people vary from run to run and trackers write beside each step; a schedule or a ramp changes them along a run too.
SETTINGS = ("lr", "weight_decay")
LEAST = 5  # rows of a run, in the mean, from which rows under one setting are its curve
NUMBERED = re.compile(r" \([0-9]{1,6}\)$")
ALIKE = 0.8  # the share of places with as many rows as most, from which these are runs side by side
PLACES = {
    False: 5,
    True: 10,
}  # of a name, or of a batch where there are no names, that are more than lengths of its runs
OFTEN = 0.3  # the share of places that stand under several values from which a setting is one of runs of their own


def apart(
    names: pd.Series | None,
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    counter: str,
    keys: list[str],
    label: Callable[[list[str]], pd.Series],
    rises: Callable[[pd.Series, pd.Series], bool],
    batch: pd.Series | None = None,
) -> tuple[pd.Series, str] | None:
    """A name for each row of `frame` (n,) under which the rows that count (`rows`) rise along the counter, and why; else None.

    `keys` tell runs apart already; `label` gives names from columns, `rises` says whether rows under names do. A setting tells
    runs apart too where many places of the counter stand under several of its values; so does the batch (n,), by the order of lines.
    """
    columns = [*([] if names is None else [names]), *(frame[c] for c in keys)]
    every = pd.Series(numbered(*columns) if columns else 0, index=frame.index)
    part = pd.Series("", index=frame.index, dtype=object)
    if batch is not None:
        part, doubt = parts(every, batch, frame[counter])
        if doubt and len(rows) / different(every[rows.index]) >= LEAST:
            return label([*keys]), "rows of several runs share it"

    def called(columns: list[str]) -> pd.Series:
        bare = names is None and not columns
        return named(None if bare and not blank(part).any() else label(columns), part)

    more: list[str] = []
    varied = [c for c in SETTINGS if c in rows and different(rows[c]) > 1]
    base = numbered(every[rows.index], part[rows.index]) if varied else np.array([], dtype=int)
    for c in varied:
        place, value = rows[counter].to_numpy(), rows[c].to_numpy()
        at, said = ~np.isnan(place), ~np.isnan(value)
        several = kinds(numbered(base[at], place[at]), value[at]) > 1
        if np.mean(several) > OFTEN and len(rows) >= LEAST * len(sizes(numbered(base[said], value[said]))):
            more.append(c)
            base = numbered(base, np.array([f"{v:g}" for v in value], dtype=object))
    found = called([*keys, *more])
    own = found[rows.index]
    told = not blank(part).all()
    if (more or told) and len(rows) / different(own) >= LEAST and rises(own, rows[counter]):
        of = f"rows of one {' and '.join(w.replace('_', ' ') for w in more)} are a run's checkpoints"
        return found, "; ".join([*([WHY] if told else []), *([of] if more else [])])
    anew = _anew(found, frame[counter].to_numpy(float))
    before, own = different(own), anew[rows.index]
    if different(own) > before and len(rows) / different(own) >= LEAST and rises(own, rows[counter]):
        return anew, "where the steps of a name restart, another run begins"
    if names is not None or (counter == "steps" and told):
        return _beside(found, frame[counter], rows, PLACES[names is None])
    return None


def unnumbered(names: pd.Series) -> pd.Series:
    """The names (n,) without the numbers of runs that nothing told apart: a column that nobody read may."""
    return pd.Series([NUMBERED.sub("", name) for name in names], dtype="str", index=names.index)


def _beside(names: pd.Series, place: pd.Series, rows: pd.DataFrame, least: int) -> tuple[pd.Series, str] | None:
    """The names (n,), with a number from the second row on at one place, where nearly every place has as many rows; else None.

    Those are runs that nothing tells apart, as seeds of one setting are. `least` are the places of a name that make a curve.
    """
    here = place[rows.index]
    placed = ~np.isnan(here.to_numpy())
    if np.median(sizes(numbered(names[rows.index][placed], here[placed]))) < 2:
        return None
    count = here.groupby([names[rows.index], here]).size()
    side, places = int(count.median()), count.groupby(level=0).size()
    if float((count == side).mean()) < ALIKE or float(places.median()) < max(least, side):
        return None
    known = pd.Series(place.index.isin(rows.index), index=place.index)  # others go with the first
    which = known.groupby([names, place]).cumsum() - 1
    number = which.where(known, 0).fillna(0).astype(int).clip(lower=0)
    out = names.where(number == 0, names.astype(str) + " (" + (number + 1).astype(str) + ")").astype("str")
    return out, f"{side} rows at each place are {side} runs that nothing tells apart, as seeds are"


def _anew(names: pd.Series, values: np.ndarray) -> pd.Series:
    """The names (n,), with a number from the second time on that the values under one fall back to where they began."""
    out = names.to_numpy(dtype=object).copy()
    for where in each(numbered(names)):
        name, v = out[where[0]], values[where]
        back = np.flatnonzero(np.diff(v) < 0) + 1
        again = back[v[back] <= np.unique(v)[:2][-1]]  # of rows in no order few stand there
        if not len(again) or 2 * len(again) < len(back):  # the last: rows in no order
            continue
        number = np.searchsorted(again, np.arange(len(v)), side="right")
        out[where[number > 0]] = [f"{name} ({k + 1})" for k in number[number > 0]]
    return pd.Series(out, dtype="str", index=names.index)
