"""A column whose header names two losses and whose cells hold both: `train (val) loss` over 3.90 (3.98), `loss / ppl` over 3.98 / 53.5."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from data.cells.markup import bare
from data.cells.stated import SMALL
from data.cells.values import BLANK, number
from data.headers.names import loss_name
from data.headers.parts import loss_unit
from data.losses.units import UNITS, in_nats
from data.table import Table, unique

_SPLITS = {
    "train": re.compile(r"train(?:ing)?|trn", re.IGNORECASE),
    "val": re.compile(r"val(?:id(?:ation)?)?|eval(?:uation)?|dev|held[ _-]?out", re.IGNORECASE),
    "test": re.compile(r"test", re.IGNORECASE),
}
_LOSS = re.compile(r"loss(?:es)?|ce|nll|xent|cross[ _-]?entropy|(?-i:L)", re.IGNORECASE)
_UNIT = re.compile(
    r"(?:ppl|pplx|perplexity)|bp[bcw]|bits?(?: ?(?:/|per) ?(?:token|tok|byte|char(?:acter)?|word))?|nats?(?: ?(?:/|per) ?(?:token|tok))?",
    re.IGNORECASE,
)
_WORD = re.compile(
    rf"(?<![A-Za-z])(?:{_UNIT.pattern}|{'|'.join(p.pattern for p in _SPLITS.values())}|{_LOSS.pattern})(?![A-Za-z])",
    re.IGNORECASE,
)
#: What stands between two names, as opposed to what two words of one name have between them.
_BETWEEN = re.compile(r"[(\[/|&;,]|\band\b|\bvs\b", re.IGNORECASE)
_ONE = r"[^()\[\]/|;&]*[0-9][^()\[\]/|;&]*"
_CELLS = (
    re.compile(rf"({_ONE})[(\[]({_ONE})[)\]]"),
    *(re.compile(rf"({_ONE}){s}({_ONE})") for s in (r"/", r"\|", ";", "&")),
)
_MOST = 0.5  # the share of a column's cells that must hold two numbers
_MARKS = " *_$`"  # bold and the like, which may stand around one of the two or around both
_AGREE = 0.8  # the share of rows in which two units must say the same
_CLOSE = 0.01  # how near ppl and exp(loss) come, both rounded
_BYTES = (1.3, 10.0)  # bytes, characters of a token


@dataclass(frozen=True)
class _Names:
    """The two names in a header, in its order, and whether a split or a unit tells them apart."""

    first: str
    second: str
    kind: str


def two_losses(table: Table) -> Table:
    """The table with such columns as two: each under what the header says of it. Which of loss and perplexity a number is
    follows from ppl = exp(loss), whatever their order in the header.
    """
    frame, notes = table.frame, list(table.notes)
    for header in table.headers:
        names = _named(header)
        cells = _halves(frame[header]) if names else None
        if names is None or cells is None:
            continue
        first, second = cells
        one, two = _values(first, table.decimal), _values(second, table.decimal)
        if names.kind == "unit":
            way = _way_round(names, one, two)
            if way < 0:
                first, second = second, first
            elif not way and _small(one, two):
                continue  # an error in brackets behind the one number there is
        elif _small(one, two):
            continue
        at = list(map(str, frame.columns)).index(header)
        others = [str(c) for c in frame.columns if str(c) != header]
        heads = unique([*others, names.first, names.second])[-2:]
        rest = frame.drop(columns=[header])
        rest.insert(at, heads[0], pd.Series(first, index=frame.index, dtype=object))
        rest.insert(at + 1, heads[1], pd.Series(second, index=frame.index, dtype=object))
        frame = rest
        shown = str(table.frame[header].dropna().iloc[0])[:30]
        notes.append(
            f"{header!r} holds two numbers in a cell ({shown!r}); they were read as {heads[0]!r} and {heads[1]!r}."
        )
    return table if frame is table.frame else replace(table, frame=frame, notes=tuple(notes))


def _named(header: str) -> _Names | None:
    """The two losses that a header names; None where it names one, or three."""
    if len(header) > 120 or not _BETWEEN.search(header):
        return None
    found = list(_WORD.finditer(header))
    splits = [(m, s) for m in found for s, p in _SPLITS.items() if p.fullmatch(m[0])]
    units = [m for m in found if _UNIT.fullmatch(m[0])]
    losses = [m for m in found if _LOSS.fullmatch(m[0])]
    if len(splits) == 2 and splits[0][1] != splits[1][1] and (losses or units):
        marks, kind = [m for m, _ in splits], "split"
    elif len({s for _, s in splits}) <= 1:
        if len(units) == 2:
            marks = units
        elif len(units) == 1 and len(losses) == 1 and not units[0][0].lower().startswith("nat"):
            marks = sorted([units[0], losses[0]], key=lambda m: m.start())
        else:
            return None
        kind = "unit"
        again = [m for m, _ in splits[1:]]
        header = "".join(" " if any(m.start() <= i < m.end() for m in again) else c for i, c in enumerate(header))
    else:
        return None
    if not any(_BETWEEN.search(header[a.end() : b.start()]) for a, b in pairwise(marks)):
        return None
    names = [_without(header, marks[1 - i], losses, i) for i in (0, 1)]
    names = [n if loss_name(n) is not None else f"{n} loss" for n in names]
    good = all(loss_name(n) is not None for n in names)
    return _Names(names[0], names[1], kind) if good and names[0] != names[1] else None


def _without(header: str, other: re.Match[str], losses: list[re.Match[str]], which: int) -> str:
    """The header without the words of the other name; of two words for a loss each name keeps its own."""
    cut = [other.span()]
    if len(losses) == 2:
        cut.append(losses[1 - which].span())
    text = "".join(" " if any(a <= i < b for a, b in cut) else c for i, c in enumerate(header))
    return " ".join(re.sub(r"[()\[\]/|&;,:]|\band\b|\bvs\b", " ", text).split())


def _halves(column: pd.Series) -> tuple[list[object], list[object]] | None:
    """The first and the second number of each cell as text; None where most cells do not hold two, parted in one way."""
    cells = ["" if c is None or c is pd.NA or c != c else c for c in column.astype(object)]
    texts = [c.strip() if isinstance(c, str) else c for c in cells]
    filled = [t for t in texts if not (isinstance(t, str) and t.lower() in BLANK)]
    for form in _CELLS:
        pairs = [
            form.fullmatch(t) or form.fullmatch(bare(t)) if isinstance(t, str) and len(t) < 120 else None for t in texts
        ]
        if not filled or sum(p is not None for p in pairs) < _MOST * len(filled):
            continue
        first: list[object] = []
        second: list[object] = []
        for cell, pair, text in zip(cells, pairs, texts, strict=True):
            if pair is not None:
                first.append(pair[1].strip(_MARKS))
                second.append(pair[2].strip(_MARKS))
            elif isinstance(text, str) and text.lower() in BLANK:
                first.append("")
                second.append("")
            else:  # one number alone says not which of the two it is
                first.append(f"one of two: {cell}")
                second.append(f"one of two: {cell}")
        return first, second
    return None


def _values(cells: list[object], decimal: str) -> np.ndarray:
    return np.array([number(c, decimal) if isinstance(c, str) and c else np.nan for c in cells])


def _small(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether the second numbers are small beside the first, as errors are."""
    both = np.isfinite(one) & np.isfinite(two)
    return bool((np.abs(two[both]) <= SMALL * np.abs(one[both])).all())


def _way_round(names: _Names, one: np.ndarray, two: np.ndarray) -> int:
    """1 where the numbers stand in the order of the names, -1 in the other, 0 where they agree in neither."""
    units = [loss_unit(n.lower(), n) or "nats" for n in (names.first, names.second)]
    for way, (a, b) in ((1, (one, two)), (-1, (two, one))):
        if _same(a, units[0], b, units[1]):
            return way
    return 0


@np.errstate(all="ignore")
def _same(a: np.ndarray, of: str, b: np.ndarray, other: str) -> bool:
    """Whether losses (n,) in two units say the same."""
    ratio = in_nats(a, of, 1.0) / in_nats(b, other, 1.0)
    ratio = ratio[np.isfinite(ratio)]
    if not len(ratio):
        return False
    middle = float(np.median(ratio))
    per = [UNITS[u].per for u in (of, other)]
    if per[0] == per[1]:
        return bool(np.mean(np.abs(ratio - 1) < _CLOSE) >= _AGREE)
    low, high = _BYTES if per[0] == "token" else (1 / _BYTES[1], 1 / _BYTES[0])
    return bool((np.abs(ratio / middle - 1) < _CLOSE).all()) and low <= middle <= high
