"""Cells of a step column that say more than a number, or none: `2,000 (final)`, `last`; `3,000+` is a bound, and none."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from data.cells.stated import is_bound
from data.cells.values import Numbers, number
from data.plural import agreeing
from data.table import Table

COUNTERS = ("steps", "epochs", "samples")  # what counts along a run, and is not needed of it
MOST = 0.25  # the share of a column's cells that may say so
LEAST = 3  # rows beside them whose cells are plain
_NUMBERED = re.compile(
    r"[~≈]? ?([0-9][0-9.,_]{0,20}[kKmM]?) ?"
    r"(?:\((?:[a-z][a-z -]{0,30})\)|[-–,:]? ?(?:final|last|end|best|(?:early )?stop(?:ped)?))",
    re.IGNORECASE,
)


def front_numbers(table: Table, header: str, found: Numbers) -> tuple[Numbers, str]:
    """The column with the numbers in front of its odd cells where they stand in its order, and a sentence on them; '' for none."""
    odd = np.flatnonzero(found.bad)
    plain = np.flatnonzero(np.isfinite(found.values))
    if not len(odd) or len(odd) > MOST * len(found.values) or len(plain) < LEAST:
        return found, ""
    cells = table.column(header)
    values, bad, read = found.values.copy(), found.bad.copy(), []
    for i in odd:
        text = " ".join(str(cells.iloc[i]).split())[:60]
        said = _NUMBERED.fullmatch(text)
        value = number(said[1].strip(), found.decimal or table.decimal) if said else np.nan
        before = next((v for v in values[:i][::-1] if np.isfinite(v)), -np.inf)
        after = next((v for v in values[i + 1 :] if np.isfinite(v)), np.inf)
        if np.isfinite(value) and before <= value and (value <= after or after < before):  # or another run begins
            values[i], bad[i] = value, False
            read.append(text)
    if not read:
        return found, ""
    many = agreeing(len(read), "cell was", "cells were")
    return replace(found, values=values, bad=bad), f"{header!r}: {many} read as the number in front ({read[0][:30]!r})."


def without_place(table: Table, header: str, bad: np.ndarray) -> dict[int, str]:
    """The rows whose cell in a step column is a word or a bound, with the reason why they are no part of a curve; {} where many are."""
    odd = np.flatnonzero(bad)
    if len(odd) > MOST * len(bad) or len(bad) - len(odd) < LEAST:
        return {}
    cells = table.column(header)
    shown = {int(i): " ".join(str(cells.iloc[i]).split())[:30] for i in odd}
    return {
        i: f"no place along its run: {header} is {'a bound, ' if is_bound(c) else ''}{c!r}" for i, c in shown.items()
    }
