"""Lines of a log in which a script printed dictionaries: {'step': 1000, 'val_loss': 3.21}, each a run or a logged step."""

from __future__ import annotations

import itertools
import re
from typing import Any

from data.errors import ReadError
from data.plural import plural
from data.readers._arrays import table_of
from data.readers._limits import MAX_CELLS
from data.readers._python import NotPythonError, dictionary
from data.readers._text import decode, is_text
from data.table import Table

title = "a log with printed dictionaries"
suffixes: tuple[str, ...] = ()  # a folder of runs holds their logs too, which say the same again

_BEGINS = re.compile(r"\{\s*['\"][^'\"\n]{1,200}['\"]\s*:")
#: `[{`, or `runs = [{` with a blank line or a comment above; a comma before the next, and what may stand behind the last.
_LISTED = re.compile(r"(?:\s*#[^\n]{0,300}\n)*\s*([A-Za-z_]\w{0,60}\s*=\s*)?[\[(]\s*\{(?=\s*['\"])")
_REMARKS = r"(?:\s*#[^\n]{0,300}\n)*\s*"
_NEXT = re.compile(rf"{_REMARKS},{_REMARKS}\{{")
_END = re.compile(rf"{_REMARKS},?{_REMARKS}[\])]\s*;?\s*")
_SURE = 3  # dictionaries that are tried before the text is taken for a log
_LOOK = 65_536


def claims(content: bytes, name: str) -> float:
    """Text in which lines hold dictionaries, behind other words or not, and which is no table and no JSON."""
    if b"{'" not in content[:_LOOK] and b'{"' not in content[:_LOOK]:
        return 0.0
    if not is_text(content):
        return 0.0
    lines = [line for line in decode(content[:_LOOK])[0].splitlines() if line.strip()]
    begun = [line for line in lines if _BEGINS.search(line)]
    if not begun or (len(begun) < 0.2 * len(lines) and len(begun) < _SURE):
        return 0.0
    if begun == lines[:1] and _names_columns(*lines[:2]):
        return 0.0
    if lines[0].lstrip()[:1] in ("[", "{") and '"' in lines[0][:40] and "'" not in lines[0][:40]:
        return 0.0  # JSON says itself what is wrong with it
    head = decode(content[:_LOOK])[0]
    begin = _LISTED.match(head)
    if begin and (begin[1] or head[begin.end() :].lstrip()[:1] == "'") and _listed(head, cut_short=True):
        return 0.85  # above JSON, which says no more of it than that it is none
    found = [_in_line(line)[0] for line in begun[:_SURE]]
    # A table may hold a dictionary in one of its cells; a log holds nothing behind it.
    good = sum(bool(rows) and line.rstrip().endswith("}") for rows, line in zip(found, begun, strict=False))
    return 0.6 if good and good >= min(2, len(begun)) else 0.0


def _names_columns(first: str, second: str = "") -> bool:
    """Whether dictionaries stand in the names of a table's columns, as a tracker writes them: loss {"subset":"val"}."""
    outside = re.sub(r"\{[^{}]*\}", " ", first)
    return any(outside.count(sign) >= 2 and outside.count(sign) == second.count(sign) for sign in ",;\t|")


def read(content: bytes, name: str) -> Table:
    """The table in the dictionaries, one row each; lines between them are left out and counted in a note."""
    if sum(content.count(sign) for sign in (b",", b"{", b"[", b"\n")) > 2 * MAX_CELLS:
        raise ReadError(f"{name} has more than {MAX_CELLS:,} values; export fewer columns or thin out the history.")
    text, note = decode(content)
    if listed := _listed(text):
        found, lines = [row for row, _ in listed], [line for _, line in listed]
        notes = [note] if note else []
        return table_of(found, name=name, format="Python list", numbers=lines, notes=notes)
    rows: list[dict[str, Any]] = []
    lines = []
    other = broken = 0
    for i, line in enumerate(text.splitlines(), start=1):
        found, whole = _in_line(line)
        rows += found
        lines += [i] * len(found)
        broken += not whole
        other += not found and whole and bool(line.strip())
    if not rows:
        raise ReadError(f"{name} holds no dictionary that can be read; expected one for each run or logged step.")
    notes = [note] if note else []
    if other:
        notes.append(f"{plural(other, 'line')} between the printed dictionaries {_were(other)} left out.")
    if broken:
        notes.append(f"{plural(broken, 'line')} with a dictionary cut short or not plain {_were(broken)} left out.")
    return table_of(rows, name=name, format="printed dictionaries", numbers=lines, notes=notes)


def _listed(text: str, cut_short: bool = False) -> list[tuple[dict[str, Any], int]]:
    """The dictionaries of a list as Python writes it, `runs = [{'loss': 3.2}, ...]`, and the line of each; [] where the text is no
    such list. `cut_short` says that its end may be missing."""
    begin = _LISTED.match(text)
    out: list[tuple[dict[str, Any], int]] = []
    at = begin.end() - 1 if begin else 0
    line, counted = 1, 0
    while begin:
        try:
            value, end = dictionary(text, at)
        except (NotPythonError, RecursionError, ValueError, OverflowError):
            return out if cut_short else []
        line, counted = line + text.count("\n", counted, at), at
        out.append((value, line))
        between = _NEXT.match(text, end)
        if between is None:
            return out if cut_short or _END.fullmatch(text, end) else []
        at = between.end() - 1
    return out


def _in_line(line: str) -> tuple[list[dict[str, Any]], bool]:
    """The dictionaries in one line that stand beside each other, and whether all that begin there were read."""
    out: list[dict[str, Any]] = []
    at = 0
    for _ in itertools.repeat(None, 100):
        begin = _BEGINS.search(line, at)
        if begin is None:
            break
        try:
            value, at = dictionary(line, begin.start())
        except (NotPythonError, RecursionError, ValueError, OverflowError):
            return out, False
        out.append(value)
    return out, True


def _were(n: int) -> str:
    return "was" if n == 1 else "were"
