"""Several tables in one text: the one that holds runs is found, those of the same columns are joined, the others named."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.cells.markup import words
from data.cells.values import number
from data.headers.headings import no_name, of_the_same_runs
from data.headers.names import loss_name, named, recognised
from data.readers._apart import column_of
from data.readers._headings import HEADING, clash, repeated, says_unit, says_unused, told_apart
from data.readers._joined import settings_by_name
from data.readers._summaries import is_summary

_MOST_ROWS = 100_000  # a longer text is one table
_MOST_TABLES = 1_000
_MOST_COMPARED = 500  # rows of each table that are compared with those of another
_MOST_ABOVE = 4  # lines of words above a table that may say what it holds
#: Counts by which a table holds runs rather than the curve of one.
_SIZES = frozenset(("params", "params_total", "params_nonembed", "params_active", "tokens", "flops"))
_COUNTS = frozenset(
    ("params", "params_total", "params_nonembed", "params_active", "tokens", "flops", "steps", "batch_sequences")
)

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class _Part:
    """A table of a text: the position of its header, that behind its last row, the heading above it, and the lines above it."""

    start: int
    stop: int
    heading: str
    above: tuple[int, ...]
    columns: tuple[str, ...]
    is_summary: bool
    score: tuple[bool, bool, bool, int, int]
    training: bool = False  # whether its losses are those of training alone


def one_table(rows: Rows, decimal: str = ".") -> tuple[Rows, tuple[str, ...], dict[int, int]]:
    """The rows with all but the table of runs made blank, and notes on what else there was; as they are where it is alone.

    With them the positions of rows that stand wholly alike in an earlier one of the joined tables, each with that of the first.

    Tables of the same columns under headings of their own are one table, the headings a column of it. The lines of words
    above the first of them stay.
    """
    if not 4 <= len(rows) <= _MOST_ROWS:
        return rows, (), {}
    starts = _starts(rows)
    if not 2 <= len(starts) <= _MOST_TABLES:
        return rows, (), {}
    parts = [_part(rows, a, b, decimal) for a, b in itertools.pairwise([*starts, len(rows)])]
    parts = [p for p in parts if _body(rows, p)]  # a header of the next page alone is no table
    if len(parts) < 2:
        return rows, (), {}
    best = max(parts, key=lambda p: p.score)
    if not any(best.score[:2]):
        return rows, (), {}
    best = _held_out(rows, _with_losses(rows, best, parts), parts)
    joined = [p for p in parts if p.columns == best.columns and not p.is_summary]
    headings = [p.heading for p in joined]
    others = [p for p in parts if p not in joined]
    told = told_apart([(p.heading, [_line(rows[i]) for i in p.above]) for p in joined])
    again = len(joined) > 1 and clash(told, best.columns, [[rows[i] for i in _body(rows, p)] for p in joined])
    asked = len(joined) > 1 and (
        any(says_unused(h) or says_unit(h) for h in headings) or (again and of_the_same_runs(told))
    )
    if not any(map(no_name, told)):
        headings = told
    copies = repeated(best.columns, [{i: rows[i] for i in _body(rows, p, _MOST_ROWS)} for p in joined])
    if not others and not asked and (not all(headings) or len(set(headings)) < len(headings)):
        return rows, (), copies
    out: list[Sequence[Any]] = [[] for _ in rows]
    for i in joined[0].above[: -1 if asked else None]:  # the last is its heading
        out[i] = rows[i]
    name = ""
    if len(joined) > 1 and asked:
        headings, name = told, HEADING
    elif len(joined) > 1 and all(headings) and len(set(headings)) == len(headings):
        name = column_of(headings, best.columns)
    for p, heading in zip(joined, headings, strict=True):
        width = len(rows[p.start])
        for i in range(p.start, p.stop):
            row = list(rows[i])
            if name and _filled(row) > 1 and not _is_rule(row):
                row = row + [""] * (width - len(row)) + [name if i == p.start else heading]
            out[i] = row
    notes = []
    for p in others if len(joined) == 1 and best.stop - best.start <= _MOST_COMPARED else ():
        own = [best.start, *_body(rows, best)]
        beside = settings_by_name([out[i] for i in own], [rows[i] for i in (p.start, *_body(rows, p))])
        if beside is not None:
            new, cells = beside
            width = max(len(out[i]) for i in own)
            for i, added in zip(own, [new, *cells], strict=True):
                out[i] = [*out[i], *[""] * (width - len(out[i])), *added]
            others = [o for o in others if o is not p]
            notes.append(
                f"The table in lines {p.start + 1} to {p.stop} names the same runs: {', '.join(new)[:80]} joined by name."
            )
    if len(joined) > 1:
        said = f", their headings as the column {name!r}" if name else ""
        said += ": the same names below them are runs of their own" if name and again and not asked else ""
        notes.append(f"{len(joined)} tables of the same columns were read as one{said}.")
    if others:
        shown = "; ".join(", ".join(c for c in p.columns if c)[:80] for p in others[:3])
        lines = f"lines {joined[0].start + 1} to {joined[-1].stop}"
        more = f"{len(others)} other {'table was' if len(others) == 1 else 'tables were'}"
        notes.append(
            f"The table in {lines} was read; {more} left out, with columns {shown}{' …' if len(others) > 3 else ''}."
        )
    return out, tuple(notes), copies


def _with_losses(rows: Rows, best: _Part, parts: Sequence[_Part]) -> _Part:
    """The table of losses of the runs that the best says only settings of, where these two are joined by name; else the best."""
    own = [rows[i] for i in (best.start, *_body(rows, best))]
    for p in parts if not best.score[0] and best.stop - best.start <= _MOST_COMPARED else ():
        measured = p is not best and not p.is_summary and any(loss_name(h) is not None for h in p.columns if h)
        if measured and settings_by_name([rows[i] for i in (p.start, *_body(rows, p))], own) is not None:
            return p
    return best


def _held_out(rows: Rows, best: _Part, parts: Sequence[_Part]) -> _Part:
    """The table with held-out losses of the same runs, where those of the best are of training alone."""
    if not best.training:
        return best
    called = _first_cells(rows, best)
    for p in parts:
        alike = (
            p.score[:3] >= best.score[:3]
            and not p.training
            and len(called & _first_cells(rows, p)) >= 0.5 * len(called)
        )
        if alike:
            return p
    return best


def _first_cells(rows: Rows, part: _Part) -> set[str]:
    """What the first column of a table says."""
    return {words(str(rows[i][0])[:200]).casefold() for i in _body(rows, part) if rows[i] and _is_there(rows[i][0])}


def _starts(rows: Rows) -> list[int]:
    """The positions of headers: rows of names at the top of the text, below a blank line or a line of words."""
    out: list[int] = []
    thin = True
    for i, row in enumerate(rows):
        if _filled(row) < 2:
            thin = True
            continue
        if (
            (thin or _begins_anew(rows, i))
            and i + 1 < len(rows)
            and (_is_header(row) or (_is_rule(rows[i + 1]) and not _is_rule(row) and _has_words(row)))
            and not (out and all(_goes_on(r) for r in rows[out[-1] : i]))
        ):
            out.append(i)
        thin = False
    return out


def _begins_anew(rows: Rows, i: int) -> bool:
    """Whether a row of names right below a row with numbers, and above another, is the header of a table of its own."""
    if not 0 < i < len(rows) - 1 or not _is_header(rows[i]) or _has_words(rows[i - 1]) or _has_words(rows[i + 1]):
        return False
    texts = [words(str(c).strip()[:200]) for c in rows[i] if _is_there(c)]
    return len(texts) > 1 and sum(map(recognised, texts)) >= max(2, 0.6 * len(texts))


def holds_runs(rows: Rows, decimal: str = ".") -> bool:
    """Whether a table in the rows has a loss with numbers, and a count beside it."""
    return best_score(rows, decimal)[0]


def best_score(rows: Rows, decimal: str = ".") -> tuple[bool, bool]:
    """Whether a table in the rows has a loss with numbers and a count beside it, and whether that is one of size or data."""
    starts = _starts(rows[:_MOST_ROWS])[:_MOST_TABLES]
    parts = (_part(rows, a, b, decimal) for a, b in itertools.pairwise([*starts, min(len(rows), _MOST_ROWS)]))
    scores = [p.score for p in parts]
    return any(s[0] for s in scores), any(s[2] for s in scores)


def _goes_on(row: Sequence[Any]) -> bool:
    """Whether a row is names or a rule, behind which another row of names belongs to the same header."""
    return any(map(_is_there, row)) and (_is_rule(row) or (_filled(row) > 1 and _has_words(row)))


def _body(rows: Rows, part: _Part, most: int = _MOST_COMPARED) -> list[int]:
    return [i for i in range(part.start + 1, part.stop) if _filled(rows[i]) > 1 and not _is_rule(rows[i])][:most]


def _line(row: Sequence[Any]) -> str:
    """What a row of one cell says, without the signs of a heading."""
    text = next(str(c) for c in row if _is_there(c))
    return words(text.strip().lstrip("#").strip().rstrip(":").strip("=* _")[:200])[:80]


def _above(rows: Rows, start: int) -> tuple[int, ...]:
    """The positions of the lines of words above a header, up to the table before it; the last of many."""
    out: list[int] = []
    for i in range(start - 1, max(-1, start - 30), -1):
        filled = _filled(rows[i])
        if filled > 1 or len(out) == _MOST_ABOVE:
            break
        if filled and not _is_rule(rows[i]):
            out.append(i)
    return tuple(reversed(out))


def _part(rows: Rows, start: int, stop: int, decimal: str) -> _Part:
    header = [words(str(c).strip()[:200]) if c is not None else "" for c in rows[start]]
    body = [i for i in range(start + 1, stop) if _filled(rows[i]) > 1 and not _is_rule(rows[i])]
    above = _above(rows, start)
    heading = _line(rows[above[-1]]) if above and above[-1] >= start - 3 else ""
    last = body[-1] + 1 if body else start + 1
    cells = [[str(c) for c in rows[i] if _is_there(c)] for i in body[:500]]
    sums = sum(bool(c) and is_summary(c[0]) for c in cells)
    summed = bool(cells) and 2 * sums >= len(cells)
    losses = [j for j, h in enumerate(header) if h and loss_name(h) is not None]
    measured = any(_numbers(rows, body[:200], j, decimal) > 0.5 for j in losses)
    counts = any(m[0][0] in _COUNTS for h in header if (m := named(h)))
    sized = any(m[0][0] in _SIZES for h in header if (m := named(h)))
    score = (
        measured and counts and not summed,
        (measured or counts) and not summed,
        measured and sized and not summed,
        len(body) - sums,
        sum(map(recognised, header)),
    )
    kinds = {name.split for h in header if h and (name := loss_name(h)) is not None}
    return _Part(start, last, heading, above, tuple(header), summed, score, kinds == {"train"})


def _numbers(rows: Rows, body: Sequence[int], j: int, decimal: str) -> float:
    cells = [str(rows[i][j])[:200] for i in body if j < len(rows[i]) and _is_there(rows[i][j])]
    return float(np.mean([not np.isnan(number(c, decimal)) for c in cells])) if cells else 0.0


def _is_header(row: Sequence[Any]) -> bool:
    texts = []
    for cell in row[:200]:
        if not _is_there(cell):
            continue
        if not isinstance(cell, str) or not np.isnan(number(text := words(cell.strip()[:200]))):
            return False  # nearly every row, at its first number
        texts.append(text)
    known = sum(map(recognised, texts))
    return known >= max(1, 0.3 * len(texts)) and (known >= 2 or any(loss_name(t) for t in texts))


def _has_words(row: Sequence[Any]) -> bool:
    return all(isinstance(c, str) and np.isnan(number(c[:200])) for c in row if _is_there(c))


def _is_rule(row: Sequence[Any]) -> bool:
    filled = [c for c in row if _is_there(c)]
    return bool(filled) and all(isinstance(c, str) and len(c) < 300 and not c.strip(" :-=") for c in filled)


def _filled(row: Sequence[Any]) -> int:
    """How many cells hold something, two at most."""
    return sum(1 for _ in itertools.islice((c for c in row if _is_there(c)), 2))


def _is_there(cell: Any) -> bool:
    return not (cell is None or (isinstance(cell, str) and (not cell or cell.isspace())))
