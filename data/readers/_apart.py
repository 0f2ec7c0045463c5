"""Rows of a pasted table that are no runs, and cells that were merged: headings, summaries, notes, sizes said once."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.markup import stripped, words
from data.headers.headings import no_name
from data.headers.names import loss_name, named
from data.plural import agreeing
from data.readers._amounts import amounting
from data.readers._summaries import OF_SEEDS, SETTINGS, SUMMARY, is_summary, seeds, summaries
from data.schema import COUNTS
from data.table import Table

_MOST_COLUMNS = 1_000
_MOST_ROWS = 20_000  # people write headings, summaries and notes into tables that they can look over
_MOST_NOTES = 12  # lines below a table; more are a text of its own
#: Words by which a row says what is between two others.
_DIFFERENCE = re.compile(
    r"(?:the |abs(?:olute)? |rel(?:ative)? |net |percent |pct |% )?(?:diff(?:erence)?s?|deltas?|[δ∆]|changes?"
    r"|improvements?|gains?|reductions?|gap)"
    r"(?: ?(?:%|percent|pct|[(\[].{1,40}[)\]]))?(?: (?:vs|to|over|from) .{1,40})?",
    re.IGNORECASE,
)
_FAR = 0.5  # how far below every loss of a table that of a difference is
_BEST = re.compile(
    r"(?:the |our )?(?:best|worst|winner|lowest|top)(?: (?:run|model|loss|result|config|overall))?(?: ?\(.{1,30}\)|: .{1,30})?",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(?:foot)?notes?\b.*|(?:source|legend|n\.?b\.?)\s*:.*|[*†‡§¶#].+|\([^()]{8,}\)|\[[0-9a-z*]\].+", re.IGNORECASE
)
#: What stands for rows that are left out.
_ELIDED = frozenset(
    ("...", "..", "…", "⋮", "⋯", "\\vdots", "\\ldots", "\\dots", "\\cdots", "$\\vdots$", "[...]", "(...)", "etc.")
)
_SIZE = re.compile(r"~?\s?([0-9]{1,6}(?:\.[0-9]{1,4})?)\s?([MmBb])(?:\s(?:params?|parameters?|models?))?")
_LEAST_MODEL = 10  # millions; the tokens of a step are as likely below that
_SWEEP = re.compile(r"\b(?:sweeps?|series|groups?|budgets?|stage|part|batch|round)\b", re.IGNORECASE)


def is_difference(text: str) -> bool:
    """Whether a cell says that its row is the difference of others: Diff, Delta, Improvement (%)."""
    plain = " ".join(stripped(words(text[:80])).replace(".", " ").replace("Δ", "δ").strip(" :").split())
    return len(plain) < 60 and bool(_DIFFERENCE.fullmatch(plain))


def apart(table: Table) -> Table:
    """The table without notes below it, headings and summaries as misfits with their reasons, merged cells filled down."""
    if not 2 <= len(table.frame) <= _MOST_ROWS or not 2 <= len(table.headers) <= _MOST_COLUMNS:
        return table
    cells = np.array([table.written(h) for h in table.headers], dtype=object).T
    filled = cells != ""
    elided = not all(_ELIDED.isdisjoint(table.written(h)) for h in table.headers)
    gaps = np.array(
        [elided and f.any() and all(c in _ELIDED for c in row[f]) for row, f in zip(cells, filled, strict=True)],
        dtype=bool,
    )
    if gaps.any():
        note = f"The table leaves out rows ({str(cells[gaps][0][filled[gaps][0]][0])!r}): only those that are written are read."
        left = replace(table, frame=table.frame[~gaps].reset_index(drop=True), lines=table.lines[~gaps])
        return apart(replace(left, notes=(*table.notes, note)))
    amounts = amounting(table, cells)
    if amounts:
        table = replace(table, misfits={**table.misfits, **{int(table.lines[i]): said for i, said in amounts.items()}})
    if filled.all() and not _speaks_of_others(table, cells):
        return table
    keep = _without_notes(cells, filled)
    notes = list(table.notes)
    if not keep.all():
        first = next(str(cells[i][filled[i]][0]) for i in np.flatnonzero(~keep))
        n = int((~keep).sum())
        said = (
            "line below the table is a note, not a run, and was"
            if n == 1
            else "lines below the table are notes, not runs, and were"
        )
        notes.append(f"{n} {said} left out: {first[:80]!r}{', …' if n > 1 else ''}.")
        table = replace(
            table, frame=table.frame[keep].reset_index(drop=True), lines=table.lines[keep], notes=tuple(notes)
        )
        cells, filled = cells[keep], filled[keep]
    table, is_heading = _headed(table, cells, filled)
    sums = summaries(table, cells, filled, is_heading)
    again = _best_again(table, cells, filled, ~is_heading & ~sums)
    odd = {int(line): SUMMARY for line in table.lines[sums]}
    odd |= {int(table.lines[i]): reason for i, reason in again.items()}
    sums[[i for i in amounts if i < len(sums)]] = True
    between = _differences(table, cells, ~is_heading & ~sums)
    odd |= {int(line): "a difference between other rows, not a run" for line in table.lines[between]}
    if odd:
        table = replace(table, misfits={**table.misfits, **odd})
        sums[list(again)] = True
        sums |= between
    return _filled_down(table, cells, filled, ~is_heading & ~sums)


def _speaks_of_others(table: Table, cells: np.ndarray) -> bool:
    """Whether a cell in the first columns or among the seeds may say that its row sums up others or names one again."""
    first = [*range(min(2, cells.shape[1])), *seeds(table)]
    texts = {c for j in first for c in cells[:, j]}
    return any(
        is_summary(t) or is_difference(t) or _is_best(t) or OF_SEEDS.fullmatch(words(t[:80])) for t in texts if t
    )


def _differences(table: Table, cells: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Which rows (n,) say that they are differences of others, and have no loss or one far below all of theirs."""
    said = runs & np.array([is_difference(str(c)) for c in cells[:, 0]], dtype=bool)
    others = runs & ~said
    losses = [table.numbers(h, "loss").values for h in table.headers if loss_name(h) is not None]
    if not said.any() or others.sum() < 2 or not losses:
        return np.zeros(len(cells), dtype=bool)
    near = np.zeros(len(cells), dtype=bool)
    for values in losses:
        known = values[others & np.isfinite(values)]
        if len(known):
            near |= values >= _FAR * float(known.min())
    return said & ~near


def _is_best(text: str) -> bool:
    return len(text) < 60 and bool(_BEST.fullmatch(stripped(words(text)).strip(" :")))


def _best_again(table: Table, cells: np.ndarray, filled: np.ndarray, runs: np.ndarray) -> dict[int, str]:
    """The rows that are called the best, and whose numbers another row has already, each with its reason.

    A row called so that has numbers of its own is a run like others; one that lacks what all others have is none.
    """
    best = [i for i in np.flatnonzero(runs) if (f := np.flatnonzero(filled[i])).size and _is_best(str(cells[i][f[0]]))]
    others = [int(i) for i in np.flatnonzero(runs) if i not in best]
    if not best or len(best) > 20 or len(others) < 2:
        return {}
    measured = [v.values for h in table.headers if (v := table.numbers(h)).share > 0.5]
    out: dict[int, str] = {}
    for i in map(int, best):
        known = [v for v in measured if np.isfinite(v[i])]
        same = [k for k in others if known and all(v[k] == v[i] for v in known)]
        if same:
            name = str(cells[same[0]][np.flatnonzero(filled[same[0]])[0]])[:40]
            out[i] = f"names the row of {name!r} again, not another run"
        elif (filled[others].mean(axis=0) > 0.9)[~filled[i]].any():
            out[i] = SUMMARY
    return out


def _without_notes(cells: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """Which rows (n,) are no notes: a single cell of words in the first columns, with no run below it."""
    keep = np.ones(len(cells), dtype=bool)
    for i in range(len(cells) - 1, 0, -1):
        if filled[i].sum() != 1 or not filled[i][:1].any():
            break
        text = words(str(cells[i][0]))
        if not (_NOTE.fullmatch(str(cells[i][0])) or len(text.split()) >= 4) or re.fullmatch(
            r"(\*{1,3}|_{1,2})[^*_]+\1", str(cells[i][0])
        ):
            break
        keep[i] = False
    return keep if (~keep).sum() <= _MOST_NOTES else np.ones(len(cells), dtype=bool)


def _headed(table: Table, cells: np.ndarray, filled: np.ndarray) -> tuple[Table, np.ndarray]:
    """The table with headings that stand alone in the first column brought down as a column of their own, and where they are."""
    n, width = cells.shape
    count = filled.sum(axis=1)
    runs = count >= max(2, 0.5 * np.median(count))
    alone = (count == 1) & filled[:, 0]
    none = np.zeros(n, dtype=bool)
    if width < 3 or not alone.any():
        return table, none
    texts = [words(str(c)) for c in cells[:, 0]]
    heads = alone & np.array([any(c.isalpha() for c in t) and not is_summary(t) for t in texts])
    below = np.array([bool(runs[i + 1 : i + 2].any()) for i in range(n)])
    # A heading after the last run, or one without a run below it, is none; and one heading alone may be a run that failed.
    heads &= below
    if named(table.headers[0])[:1] and named(table.headers[0])[0][0] in ("run", "family"):
        # Where names of runs stand in the column, a heading is marked or written unlike them: else it is a run that failed.
        names = {_shape(str(c)) for c, r in zip(cells[:, 0], runs, strict=True) if r}
        again = pd.Series(cells[runs, 0])
        if (
            not again[again != ""].duplicated().any()
        ):  # names that stand under several headings show them to be headings
            heads &= np.array([_shape(str(c)) not in names for c in cells[:, 0]])
    if heads.sum() < 2 or heads.sum() > n / 2 or len({t for t, h in zip(texts, heads, strict=True) if h}) < 2:
        return table, none
    if not heads[0] or table.aside is not None:
        return table, none
    said = pd.Series([stripped(t) if h else None for t, h in zip(texts, heads, strict=True)], dtype=object).ffill()
    name = column_of([stripped(t) for t, h in zip(texts, heads, strict=True) if h], table.headers)
    frame = table.frame.assign(**{name: said.to_numpy(dtype=object)})
    odd = {int(line): "a heading between runs, not a run" for line in table.lines[heads]}
    rows = agreeing(int(heads.sum()), "row is a heading", "rows are headings")
    note = f"{rows} between the runs; what they say was taken down into the rows below them as {name!r}."
    return (
        replace(
            table,
            frame=frame,
            misfits={**table.misfits, **odd},
            notes=(*table.notes, note),
            brought_down=table.brought_down | {name},
        ),
        heads,
    )


def _shape(text: str) -> str:
    """How a text is written: letters, digits and signs, however many."""
    return re.sub(r"[0-9]+", "0", re.sub(r"[^\W\d_]+", "a", text.strip()))


def column_of(headings: list[str], headers: tuple[str, ...]) -> str:
    """The name of the column that headings of sections become: a family of models, or a group where they say so.

    Numbers of tables are no family of runs that have names; sizes alone name models where only tokens or steps stand below them.
    """
    means = {found[0][0] for h in headers if (found := named(h))}
    name = "group" if all(_SWEEP.search(t) for t in headings) else "family"
    taken = name in means or name in headers
    unnamed = not _are_models(headings, means) and any(
        t[:1].isdigit() or (no_name(t) and "run" in means) for t in headings
    )
    name = "section" if taken or unnamed else name
    while name in headers:
        name += " "
    return name


def _are_models(headings: list[str], means: set[str]) -> bool:
    """Whether headings are sizes, as of models, above tables whose columns, by `means`, say the place of a run and no size or name."""
    found = [_SIZE.fullmatch(t) for t in headings]
    if not all(found) or means & {"run", "family", *COUNTS} or not means & {"tokens", "steps"}:
        return False
    return max(float(f[1]) * (1000 if f[2] in "bB" else 1) for f in found if f) >= _LEAST_MODEL


def _filled_down(table: Table, cells: np.ndarray, filled: np.ndarray, runs: np.ndarray) -> Table:
    """The table with merged cells brought down: settings said once on the first row of several.

    Only where at least two blanks-below-a-value stand in the column, and the columns before it are merged too or every
    value stands over as many rows; the first row of a section is never filled from the one above it.
    """
    headers = table.headers
    done: list[str] = []
    frame = table.frame
    losses = (
        [j for j, h in enumerate(headers) if loss_name(h) is not None and filled[runs][:, j].mean() > 0.9]
        if runs.any()
        else []
    )
    if not losses:
        return table
    leading = True
    for j in range(cells.shape[1]):
        here = runs & (filled[:, losses].any(axis=1))
        blank = here & ~filled[:, j]
        means = next((c for c, s in named(headers[j]) if s >= 0.6), "")
        merged = leading and bool(blank.any())
        if not leading and j > losses[0]:
            break
        if (
            not blank.any()
            or j in losses
            or (means not in SETTINGS and not merged)
            or means in ("run", "state", "seed")
        ):
            leading = leading and (merged or (j == 0 and means == "run"))
            continue
        groups = _groups(filled[:, j], here, runs)
        if groups is None or sum(g > 1 for g in groups) < 2 or not (leading or len(set(groups)) == 1):
            leading = False
            continue
        if leading and len(groups) > 2 and sum(g > 1 for g in groups) * 2 < len(groups):
            leading = False
            continue
        column = frame[headers[j]].to_numpy(dtype=object).copy()
        last = None
        for i in range(len(column)):
            if filled[i, j] and here[i]:
                last = column[i]
            elif blank[i]:
                column[i] = last
        frame = frame.assign(**{headers[j]: column})
        done.append(headers[j])
    if not done:
        return table
    note = f"Merged cells were filled down, each value into the blank cells below it: {', '.join(done[:5])}."
    return replace(table, frame=frame, notes=(*table.notes, note))


def _groups(filled: np.ndarray, here: np.ndarray, runs: np.ndarray) -> list[int] | None:
    """How many rows each value stands over; None where a section begins with a blank."""
    groups: list[int] = []
    fresh = True
    for i in range(len(filled)):
        if not runs[i]:
            fresh = True
        elif here[i] and filled[i]:
            groups.append(1)
            fresh = False
        elif here[i]:
            if fresh:
                return None
            groups[-1] += 1
    return groups
