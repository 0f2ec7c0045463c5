"""Column names in two rows or more: `size | | loss |` above `params | tokens | train | val`, joined into one name a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from data.cells.markup import words
from data.cells.values import _is_blank, number
from data.headers.names import loss_name, named, recognised
from data.headers.parts import OTHERS, SPLITS
from data.headers.parts import header as take_apart
from data.readers._unit_rows import is_unit_row
from data.schema import COUNTS

_LOOK = 8  # rows with something in them among which the names stand
_MOST = 4  # rows of names
_BODY = 40  # rows below them that are looked at
_MOST_WIDTH = 1_000  # columns of a table on its side
_SURE = 0.6
_SPLIT = re.compile(
    r"train(?:ing)?|val(?:id(?:ation)?)?|dev|test|eval(?:uation)?|held[ -]?out|mean|std|final|last|best|min",
    re.IGNORECASE,
)
_LEVEL = re.compile(r"Unnamed: [0-9]+_level_[0-9]+")  # what pandas writes for a blank name
#: What groups of columns are called.
_GROUP = re.compile(
    r"(?:the |pre)?(?:models?|size|scale|train(?:ing)?|data|dataset|compute|budget|set ?up|settings?|config(?:uration)?s?|runs?|inputs?"
    r"|details|arch(?:itecture)?|hyper ?param(?:eter)?s?|results?|metrics?|eval(?:uation)?|quality|loss(?:es)?|general|info)",
    re.IGNORECASE,
)
_LARGE = 1e6  # no model is so wide: a name's letter counts something else

#: What belongs to the run, whatever group of losses stands above it.
_OF_THE_RUN = frozenset((*COUNTS, "tokens", "flops", "steps", "lr", "state", "seed", "weight_decay", "epochs"))
#: What the name above may make of a meaning: non-embedding params, unique tokens, batch tokens, warmup steps.
_FINER = {
    **dict.fromkeys(COUNTS, frozenset((*COUNTS, "tokens"))),
    "tokens": frozenset(("unique_tokens", "batch", "tokens_per_param", "flops_per_token", "seq_len")),
    "steps": frozenset(("total_steps", "warmup_steps", "grad_accum")),
    "flops": frozenset(("flops_per_token",)),
}

Row = Sequence[Any]


def join_header_rows(rows: Sequence[Row], lines: Sequence[int], decimal: str) -> tuple[Sequence[Row], int]:
    """The rows with several rows of names joined in the last of them, the others blank, and how many they were; else 1.

    `lines` are the positions of rows with something in them.
    """
    look = _below_titles(rows, list(lines[: _LOOK + _MOST]), decimal)
    for start in range(min(3, len(look))):
        most = 0
        while start + most < len(look) and most <= _MOST and _is_text(rows[look[start + most]], decimal):
            most += 1
        for size in range(min(most, _MOST), 1, -1):
            block = look[start : start + size]
            if any(_stands_apart(rows, *pair) for pair in pairwise(block)):
                continue
            body = [rows[i] for i in lines[start + size : start + size + _BODY]]
            names = _names([rows[i] for i in block], body, decimal)
            if names is not None:
                out = list(rows)
                for i in block[:-1]:
                    out[i] = []
                out[block[-1]] = names
                return out, size
    return rows, 1


def _below_titles(rows: Sequence[Row], look: list[int], decimal: str) -> list[int]:
    """The positions without those of titles with commas in them: lines above a row of names that says all by itself."""
    for k in range(1, len(look)):
        if not _is_text(rows[look[k]], decimal):
            if not _is_title(rows[look[k]]):
                break
            continue
        lower = [words(_text(c)) for c in rows[look[k]]]
        if _says_all(lower):
            titles = [i for i in look[:k] if _is_title(rows[i]) or _is_sentence(rows[i], lower)]
            return look[look.index(titles[-1]) + 1 :] if titles else look
    return look


def _says_all(lower: Sequence[str]) -> bool:
    """Whether names stand for a size, an amount of data or compute, and a loss, each by itself."""
    meant = {_meaning(t) for t in lower if t}
    return "loss" in meant and bool(meant & set(COUNTS)) and bool(meant & {"tokens", "flops", "steps"})


def _is_title(row: Row) -> bool:
    """Whether a row is a comment, or names things and says them: `# sweep, May`, `Date:`, `2024-05-01`."""
    texts = [_text(c) for c in row if not _is_blank(c)]
    comment = bool(texts) and re.match(r"#\W*[A-Za-z]", texts[0]) is not None and not recognised(words(texts[0]))
    keys = [words(t[:-1]) for t in texts if t.endswith(":")]
    return comment or any(not (_GROUP.fullmatch(k) or recognised(k)) for k in keys)


def _is_sentence(row: Row, lower: Sequence[str]) -> bool:
    """Whether a row above full names is a line of words that commas cut: no gaps, no name twice, and no word on what stands below."""
    upper = [words(_text(c)) for c in row]
    while upper and not upper[-1]:
        upper.pop()
    if len(upper) < 2 or not all(upper) or len({t.casefold() for t in upper}) < len(upper):
        return False
    counted = [(u, t) for u, t in zip(_filled_up(upper, len(lower)), lower, strict=True) if _meaning(t) in _OF_THE_RUN]
    if len(counted) < 2 or len(upper) > len(lower):
        return len(upper) > len(lower)
    return not any(
        named(u) or _GROUP.fullmatch(u) or any(_meaning(way) not in ("", "loss") for way in (f"{u} {t}", f"{t} {u}"))
        for u, t in counted
    )


def _filled_up(upper: list[str], width: int) -> list[str]:
    return [upper[min(j, len(upper) - 1)] for j in range(width)]


def _stands_apart(rows: Sequence[Row], upper: int, lower: int) -> bool:
    """Whether a blank line ends what stands in the upper row, which has fewer cells than the lower: words above a table."""
    gap = any(all(c is None or not str(c).strip() for c in row) for row in rows[upper + 1 : lower])
    return gap and len(rows[upper]) < len(rows[lower])


def join_header_columns(rows: Sequence[Row], decimal: str) -> Sequence[Row]:
    """A table on its side with its names in two columns or more, these joined into the first; else the rows as they are.

    Long tables, whose first column names runs and whose second what was measured, are left alone.
    """
    width = max(map(len, rows), default=0)
    if len(rows) < 3 or not 3 <= width <= _MOST_WIDTH:
        return rows
    corner = [_text(c) for c in rows[0][:2]]
    if any(c in ("run", "family") for t in corner for c, _ in named(words(t))[:1]):
        return rows
    if corner[0] and not recognised(words(corner[0])) and any(recognised(words(_text(c))) for c in rows[0][2:]):
        return rows
    down = [[row[j] if j < len(row) else None for row in rows] for j in range(width)]
    filled = [j for j, c in enumerate(down) if not all(map(_is_blank, c))]
    joined, n = join_header_rows(down, filled, decimal)
    at = filled[n - 1] if n <= len(filled) else 0
    if n < 2 or not joined[at] or any(joined[j] for j in filled[: n - 1]):  # names begin in the first column
        return rows
    if len(set(filter(None, map(str, joined[at])))) < sum(map(bool, joined[at])):
        return rows
    return [list(row) for row in zip(*joined[at:], strict=True)]


def joined_name(parts: Sequence[str]) -> str:
    """One name from those that stand above each other, the outermost first: `size`, `params (M)` is size params (M)."""
    said: list[str] = []
    for part in parts:
        text = words(part.strip())
        if text and not _LEVEL.fullmatch(text) and text.casefold() not in (s.casefold() for s in said):
            said.append(text)
    if len(said) < 2:
        return said[0] if said else ""
    lower, upper = said[-1], " ".join(said[:-1])
    plain = f"{upper} {lower}"
    if _means(lower) and loss_name(lower) is None and any(loss_name(s) for s in said[:-1]):
        return lower  # steps below a loss are no loss
    ways = [plain, f"{lower} {upper}", f"{upper}/{lower}"]
    if len(said) > 2:
        ways += [f"{said[-2]} {lower}", f"{lower} {said[-2]}", f"{said[-2]}/{lower}"]
    if not OTHERS & set(upper.casefold().split()):
        ways.append(lower)
    return next((way for way in ways if _means(way) and _keeps(way, lower)), plain)


def joined_names(columns: Sequence[Sequence[str]]) -> list[str]:
    """A name for each column from those above each other.

    Parameters, tokens and steps below `Val` are the run's where no other column has them.
    """
    names = [joined_name(parts) for parts in columns]
    meant = [_meaning(n) for n in names]
    lowers = [next((t for t in map(words, reversed(parts)) if t.strip()), "") for parts in columns]
    own = [next((c for c, sure in named(t) if c in _OF_THE_RUN and sure >= _SURE), "") for t in lowers]
    for j, (parts, column) in enumerate(zip(columns, own, strict=True)):
        above = " ".join(words(p) for p in parts[:-1]).casefold().split()
        alone = column not in (*meant[:j], *meant[j + 1 :]) and own.count(column) == 1
        if column and column != meant[j] and set(above) & SPLITS and alone:
            names[j] = lowers[j]
    return names


def _keeps(way: str, lower: str) -> bool:
    """Whether a joined name still means what the lower one plainly means alone: D below Model is no width."""
    own, sure = (named(lower) or (("", 0.0),))[0]
    if take_apart(lower).words == "size":  # of the batch, of the vocabulary: of whatever stands above
        return True
    if own not in _FINER or (sure < 0.8 and take_apart(lower).scale == 1.0) or loss_name(way) is not None:
        return True
    return _meaning(way) in _FINER[own] | {own}


def _meaning(name: str) -> str:
    return next((c for c, sure in named(name)[:1] if sure >= _SURE), "") if loss_name(name) is None else "loss"


def _means(name: str) -> bool:
    found = named(name)
    return (bool(found) and found[0][1] >= _SURE) or loss_name(name) is not None


def _names(block: Sequence[Row], body: Sequence[Row], decimal: str) -> list[str] | None:
    """The joined names of the columns, or None where the rows are not plainly rows of names above numbers."""

    width = max(map(len, block))
    texts = [[words(_text(row[j])) if j < len(row) else "" for j in range(width)] for row in block]
    upper, lower = texts[:-1], texts[-1]
    index = _index_names(texts)
    if index:
        upper, lower = texts[:-2], texts[-2]
    merges = [
        bool(lower[j])
        and bool(upper)
        and (not upper[-1][j] or (j > 0 and upper[-1][j] == upper[-1][j - 1] and lower[j] != lower[j - 1]))
        for j in range(width)
    ]
    if not upper or (
        is_unit_row(block[-1], decimal) and all(u or not t for u, t in zip(upper[-1], lower, strict=True))
    ):
        return None
    if any(_same(row, lower) for row in upper) or sum(map(bool, upper[0])) < 2:
        return None
    counted = [j for j in range(width) if _share(body, j, decimal) >= 0.5]
    below = [j for j in counted if lower[j]]
    if len(below) < 2 or 2 * len(below) < len(counted):
        return None
    filled = _spread(upper, lower)
    names = joined_names([[row[j] for row in filled] + [lower[j]] for j in range(width)])
    names = [
        t if _meaning(n) == "width" and _meaning(t) in _FINER and _middle(body, j, decimal) > _LARGE else n
        for j, (n, t) in enumerate(zip(names, lower, strict=True))
    ]
    names = [*index, *names[len(index) :]] if index else names
    # What stood above a column may be the name of another: of two that come to the same, both keep all their words.
    again = {n for n in names if n and names.count(n) > 1}
    names = [
        " ".join(dict.fromkeys(t for t in [*(row[j] for row in filled), lower[j]] if t)) if n in again else n
        for j, n in enumerate(names)
    ]
    other = [bool(OTHERS & set(filled[-1][j].casefold().split())) and _means(lower[j]) for j in range(width)]
    known = sum(_means(n) or o for n, o in zip(names, other, strict=True) if n)
    # One name over several columns says no more than once.
    alone = [sum(_means(t) for t in {*row} if t) for row in (*upper, lower)]
    says = [j for j in below if _means(names[j]) and (merges[j] or _says(filled[-1][j], lower[j], names[j]))]
    if not says or known < max(alone) or not (any(merges) or known > max(alone) or len(says) >= 2):
        return None
    return names


def _spread(upper: list[list[str]], lower: list[str]) -> list[list[str]]:
    """The upper rows with each merged cell's text in all of its columns: as far as the row above goes on, and names stand below."""
    out: list[list[str]] = []
    for k, row in enumerate(upper):
        full = list(row)
        for j in range(1, len(full)):
            has_below = any(r[j] for r in (*upper[k + 1 :], lower))
            goes_on = k == 0 or out[k - 1][j] == out[k - 1][j - 1]
            if not full[j] and has_below and goes_on:
                full[j] = full[j - 1] if _has_below(upper, lower, k, j - 1) else ""
        out.append(full)
    return out


def _has_below(upper: list[list[str]], lower: list[str], k: int, j: int) -> bool:
    """Whether another name stands below: `name` above nothing spans rows and no columns."""
    return any(r[j] and r[j] != upper[k][j] for r in (*upper[k + 1 :], lower))


def _index_names(texts: list[list[str]]) -> list[str]:
    """The names of the first columns, where a last row names them alone below the names of levels, as pandas writes them."""
    last = texts[-1]
    n = sum(map(bool, last))
    alone = len(texts) > 2 and 0 < n < len(last) and all(last[:n]) and any(map(recognised, last[:n]))
    return last[:n] if alone and sum(map(bool, texts[-2][n:])) > 1 else []


def _says(upper: str, lower: str, name: str) -> bool:
    """Whether the lower of two names says what the column is: by itself, or by making another meaning of the upper one."""
    if recognised(words(lower)) or _SPLIT.fullmatch(words(lower)):
        return True
    return bool(lower) and named(name)[:1] != named(words(upper))[:1]


def _same(one: list[str], other: list[str]) -> bool:
    return [t.casefold() for t in one] == [t.casefold() for t in other]


def _share(body: Sequence[Row], j: int, decimal: str) -> float:
    cells = [row[j] for row in body if j < len(row) and not _is_blank(row[j])]
    good = [isinstance(c, (int, float)) or not np.isnan(number(str(c)[:200], decimal)) for c in cells]
    return float(np.mean(good)) if good else 0.0


def _middle(body: Sequence[Row], j: int, decimal: str) -> float:
    found = [number(str(row[j])[:200], decimal) for row in body if j < len(row) and not _is_blank(row[j])]
    return float(np.median(found)) if found else 0.0


def _is_text(row: Row, decimal: str) -> bool:
    filled = [c for c in row if not _is_blank(c)]
    if not filled or any(not isinstance(c, str) or len(c) > 300 for c in filled):
        return False
    return all(np.isnan(number(c, decimal)) for c in filled)


def _text(cell: Any) -> str:
    return "" if _is_blank(cell) else " ".join(str(cell)[:300].split())
