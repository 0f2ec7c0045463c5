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
    found = [_in_line(line) for line in begun[:_SURE]]
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
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    other = broken = 0
    for i, line in enumerate(text.splitlines(), start=1):
        found = _in_line(line)
        rows += found
        lines += [i] * len(found)
        broken += not found and bool(_BEGINS.search(line))
        other += not found and bool(line.strip())
    if not rows:
        raise ReadError(f"{name} holds no dictionary that can be read; expected one for each run or logged step.")
    notes = [note] if note else []
    other -= broken
    if other:
        notes.append(f"{plural(other, 'line')} between the printed dictionaries {_were(other)} left out.")
    if broken:
        notes.append(f"{plural(broken, 'line')} with a dictionary cut short or not plain {_were(broken)} left out.")
    return table_of(rows, name=name, format="printed dictionaries", numbers=lines, notes=notes)


def _in_line(line: str) -> list[dict[str, Any]]:
    """The dictionaries in one line that stand beside each other."""
    out: list[dict[str, Any]] = []
    at = 0
    for _ in itertools.repeat(None, 100):
        begin = _BEGINS.search(line, at)
        if begin is None:
            break
        try:
            value, at = dictionary(line, begin.start())
        except (NotPythonError, RecursionError, ValueError, OverflowError):
            break
        out.append(value)
    return out


def _were(n: int) -> str:
    return "was" if n == 1 else "were"
