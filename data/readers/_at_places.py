"""Losses at several places of a run side by side (loss@1k steps, loss_2000): turned into one row per run and place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.cells.markup import words
from data.cells.values import number
from data.headers.names import loss_name, named
from data.readers._limits import check_shape
from data.readers._measured_at import rows_called
from data.table import Open, Table, unique, without_misfits

_BASE = r"(?P<base>.*?[A-Za-z)\]])(?:[ _]+at(?=[ _]))?"
_VALUE = r"(?P<value>[0-9][0-9,]*(?:\.[0-9]+)?(?:e\+?[0-9]+)?[ _]?[kmb]?)"
_STEPS = r"(?:steps?|iters?|iterations?)"
_TOLD = (
    re.compile(rf"{_BASE}[ _/@(\[:-]*{_STEPS}[ _=:@-]*{_VALUE}[)\]]?", re.IGNORECASE),
    re.compile(rf"{_BASE}[ _/@(\[:-]*{_VALUE}[ _-]?{_STEPS}[)\]]?", re.IGNORECASE),
    re.compile(rf"{_STEPS}[ _=:@-]*{_VALUE}[ _/:-]+(?P<base>[A-Za-z].*)", re.IGNORECASE),
)
_BARE = (re.compile(rf"{_BASE}[ _]*[@_ -][ _]*{_VALUE}", re.IGNORECASE),)
_FEWEST = 100.0  # a smaller number behind the name of a loss counts epochs, seeds or shots
_TOKENS = 1e6  # from which such a number sooner counts tokens
_LONGEST = 120  # signs of a header that is looked at
_AT = "at"  # the column of numbers whose headers do not say what they count


@dataclass(frozen=True)
class _Places:
    """For each loss its header at every place, and whether the headers say that places are steps."""

    losses: dict[str, dict[float, str]]
    told: bool


def at_places(table: Table) -> Table:
    """The table with one row per run and place where losses of several places stand side by side; else as it is.

    A person is asked what the places count where the headers do not say. Raises ReadError beyond the size that is read.
    """
    found = _found(table)
    if found is None:
        return table
    before, table = table, without_misfits(table)
    gone = {h for by_place in found.losses.values() for h in by_place.values()}
    rest = [h for h in table.headers if h not in gone]
    places = sorted({p for by_place in found.losses.values() for p in by_place})
    n, k = len(table.frame), len(places)
    check_shape(table.name, n * k, len(rest) + len(found.losses) + 2)
    run = next((h for h in rest if any(c == "run" and s >= 0.6 for c, s in named(h))), None)
    called = rows_called(table, rest, run)
    if len(set(called)) < n:
        called = [f"{name} (row {line})" for name, line in zip(called, table.lines, strict=True)]
    order = unique([*rest, "run", "step" if found.told else _AT])[-1]
    blocks = []
    for place in places:
        block = {h: table.frame[h].astype(object) for h in rest}
        block[run or "run"] = pd.Series(called, dtype=object)
        block[order] = pd.Series([f"{place:.12g}".replace(".", table.decimal)] * n, dtype=object)
        for base, by_place in found.losses.items():
            cells = table.frame[by_place[place]].astype(object) if place in by_place else [None] * n
            block[base] = pd.Series(cells, dtype=object)
        blocks.append(pd.DataFrame(block))
    rows = np.arange(n * k).reshape(k, n).T.ravel()  # the places of a run one below the other
    frame = pd.concat(blocks, ignore_index=True).iloc[rows].reset_index(drop=True)
    written = np.zeros(len(frame), dtype=bool)
    for base in found.losses:
        written |= np.array([c is not None and c == c and str(c).strip() != "" for c in frame[base]])
    frame, lines = frame[written].reset_index(drop=True), np.repeat(table.lines, k)[written]
    listed = sorted(gone, key=table.headers.index)
    shown = ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "")
    text = f"The numbers in {shown} stand in {order!r}."
    columns = ("tokens", "steps") if places[0] >= _TOKENS else ("steps", "tokens")
    lengths = all(p == 2.0 ** round(np.log2(p)) for p in places)  # as contexts are that a loss is measured at
    open_ = {} if found.told else {order: Open(columns, text, "" if lengths else order)}
    note = f"Losses at {k} places side by side ({shown}) were read as the curve of each run."
    return replace(
        table, frame=frame, lines=lines, notes=(*table.notes, note), order=order, either_way=False, before=before, open_columns=open_,
    )  # fmt: skip


def _found(table: Table) -> _Places | None:
    """The columns of losses at places; None where there are fewer than two, or another column is a loss or says how far runs came."""
    if table.order or table.one_run:
        return None
    for told, forms in ((True, _TOLD), (False, _BARE)):
        matches = {h: m for h in table.headers if (m := _match(table, h, forms))}
        others = [h for h in table.headers if h not in matches]
        if not matches or any(loss_name(h) is not None for h in others):
            continue
        have = {c for h in others for c, s in named(h) if s >= 0.6 and table.numbers(h).share >= 0.5}
        if have & {"steps", "tokens", "flops", "samples"}:
            return None
        losses: dict[str, dict[float, str]] = {}
        for header, match in matches.items():
            place = number(match["value"].replace("_", ""), table.decimal)
            by_place = losses.setdefault(match["base"].strip(" _-/@"), {})
            if not np.isfinite(place) or place in by_place or (not told and place < _FEWEST):
                return None
            by_place[place] = header
        names = {b.lower() for b in losses}
        several = len({p for by_place in losses.values() for p in by_place}) > 1
        return _Places(losses, told) if several and not names & {h.lower() for h in others} else None
    return None


def _match(table: Table, header: str, forms: tuple[re.Pattern[str], ...]) -> re.Match[str] | None:
    if len(header) > _LONGEST:
        return None
    text = words(header).strip()
    found = next((m for f in forms if (m := f.fullmatch(text))), None)
    if found is None or loss_name(found["base"].strip(" _-/@")) is None:
        return None
    return found if table.numbers(header).share >= 0.5 else None
