"""The columns of a run's log as data/README.md lists them: there is no other list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = ("<!-- columns of a log -->", "<!-- end -->")


@dataclass(frozen=True)
class Column:
    """A column: its `name`, in which capitals stand for any name or number, its `unit` ("" for none), what it is, and when it is there."""

    name: str
    unit: str
    meaning: str
    when: str

    @property
    def pattern(self) -> str:
        """What the names of such columns match."""
        return re.sub("[A-Z]+", r"[a-z0-9._]+", re.escape(self.name))


@cache
def listed() -> tuple[Column, ...]:
    """Every column of the table, in its order."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    table = text.partition(_TABLE[0])[2].partition(_TABLE[1])[0]
    return tuple(column for line in table.splitlines() if line.startswith("| `") for column in _row(line))


def column(name: str) -> Column | None:
    """What a column of a log is; None for one that is not in the table."""
    return next((one for one in listed() if re.fullmatch(one.pattern, name)), None)


def _row(line: str) -> list[Column]:
    """The columns that share a line. A unit that is said for each is its own; one that is said once is all of theirs."""
    names, unit, meaning, when = (cell.strip() for cell in line.strip().strip("|").split("|"))
    found = re.findall(r"`([^`]+)`", names)
    units = [one.strip() for one in unit.split(";")]
    each = units * len(found) if len(units) == 1 else units if len(units) == len(found) else [""] * len(found)
    return [
        Column(name, said, meaning.replace("`", ""), when.replace("`", ""))
        for name, said in zip(found, each, strict=True)
    ]
