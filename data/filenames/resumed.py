"""Runs that go on under another name after a restart: `a` up to 300M tokens, then `a-resume` from there."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from data.cells.markup import LONGEST

_AGAIN = re.compile(
    r"(.+?)(?:[-_ .:]*[(\[]|[-_ .:]+)(?:resum(?:ed?|ing)|restart(?:ed)?|cont(?:inued?|inuation|inuing|d)?\.?)[-_ .]?[0-9]{0,2}"
    r"(?:[-_ ](?:from|at)[-_ ].{1,20})?[)\]]?",
    re.IGNORECASE,
)
_COUNTERS = ("tokens", "steps", "samples", "epochs")


def joined(names: pd.Series, frame: pd.DataFrame, constant: Iterable[str], notes: list[str]) -> pd.Series:
    """The names (n,) with those of resumed runs replaced by the name that they began under, where a counter of theirs goes on.

    `constant` are columns that stay as they are along a run. A note says what was joined and what was not.
    """
    bases = _bases(set(names))
    if not bases:
        return names
    out = names.copy()
    one, apart = [], []
    for name, base in sorted(bases.items(), key=lambda b: len(b[0])):
        before, after = frame[(out == base).to_numpy()], frame[(names == name).to_numpy()]
        alike = all(_alike(before[c], after[c]) for c in constant if c in frame)
        if len(before) > 1 and alike and _goes_on(before, after):
            out = out.mask(names == name, out[names == base].iloc[0])
            one.append(name)
        else:
            apart.append(name)
    if one:
        notes.append(
            f"{_listed(one)} {'goes' if len(one) == 1 else 'go'} on where the run of the same name ended: read as one run."
        )
    if apart:
        what = "a run of its own" if len(apart) == 1 else "runs of their own"
        notes.append(f"{_listed(apart)}: named as resumed, but not plainly another run's end, and read as {what}.")
    return out


def _bases(names: set[str]) -> dict[str, str]:
    """For each name of a resumed run the shortest name among `names` that it goes on from."""
    out = {}
    for name in names:
        base = name if len(name) <= LONGEST else ""
        while found := _AGAIN.fullmatch(base):
            base = found[1].rstrip("-_ .:")
            if base in names:
                out[name] = base
    return out


def _alike(before: pd.Series, after: pd.Series) -> bool:
    both = {v for v in (*before, *after) if v == v and v != ""}
    return len(both) <= 1


def _goes_on(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Whether every counter ends behind where it ended before and begins there or shortly before.

    Where one begins anew, as steps do whose tokens go on, another begins behind its end, so that the two are told apart.
    """
    within, behind = [], []
    for column in _COUNTERS:
        if column in before:
            b, a = before[column].dropna().to_numpy(float), after[column].dropna().to_numpy(float)
            if len(a) and len(b) and b.min() < b.max():
                within.append(float(a.min()) > float(np.median(b)) and float(a.max()) > float(b.max()))
                behind.append(float(a.min()) > float(b.max()))
    return bool(within) and (all(within) or any(behind))


def _listed(names: list[str]) -> str:
    return ", ".join(repr(n[:60]) for n in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
