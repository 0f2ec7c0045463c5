"""The share of a mixture's parameters that is active, in a column of its own: the active parameters are one times the other."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.yes_no import clear
from data.columns.mixtures import ACTIVE, TOTAL
from data.columns.settled import TAKEN
from data.errors import Question
from data.headers.logs import logged
from data.headers.names import named
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.mapping import Guess
from data.schema import COUNTS
from data.table import Table, unique

_WORD = r"(?:active|activated|activation|act)"
_PARAMS = r"(?:params?|parameters?|weights)"
_PART = r"(?:percent(?:age)?|pct|frac(?:tion)?|share|portion|proportion|ratio)"
_OF = rf"(?:(?:number |n |num )?{_WORD}(?: {_PARAMS})?|{_PARAMS} {_WORD})"
_OF_ALL = rf"{_WORD}(?: {_PARAMS})? ?(?:/|to|over) ?(?:the )?total(?: {_PARAMS})?(?: {_PART})?"
_SHARE = re.compile(rf"{_OF}(?: {_PART}){{1,2}}|{_PART}(?: of)?(?: {_PART})? {_OF}|{_OF_ALL}")
_BARE = re.compile(rf"{ACTIVE.pattern}|{_OF}")
_SAYS_PART = re.compile(rf"\b{_PART}\b")
_PER_CENT = re.compile(r"\b(?:percent|percentage|pct)\b")
_ABOUT = re.compile(rf"\b(?:{_WORD}|sparsity|sparseness)\b")
#: What else may be active: neither a share of the parameters nor said to be unused, unless it is experts.
_ELSE = re.compile(
    r"\b(?:units?|neurons?|users?|features?|latents?|heads?|function|fn|type|name|per|state|checkpointing)\b"
)
_OVER = r"[0-9.]{1,9} ?[:/] ?[0-9.]{1,9}"  # 1:4, which may be a share or its inverse
_EXPERTS = re.compile(r"\bexperts?\b")
_TIMES = "the active share {!r} times "
_COUNT = 1e4  # parameters below which a number beside shares is no count of them


@np.errstate(all="ignore")
def with_active_counted(table: Table) -> Table:
    """The table with active parameters, the share of all that is active times all, as a column of its own.

    A column that may be such a share and was not used is said, unless another counts active parameters.
    """
    if any(_count(table, h) == "params_active" for h in table.headers):
        return table
    whole = _whole(table) or _called_total(table)
    found = [h for h in table.headers if h not in table.told and _may_be(table, h)]
    shares = {h: s for h in found if whole and (s := _active(table, h, whole)) is not None}
    if len(shares) != 1:
        left = [h for h in found if _is_unused(table, h, whole)]
        said = tuple(
            f"{h!r} is not used: it does not say plainly which share of the parameters is active, so their number is unknown."
            for h in left
        )
        return replace(table, notes=(*table.notes, *said)) if said else table
    header, active = next(iter(shares.items()))
    if _values(table, whole)[np.isfinite(active)].tolist() == active[np.isfinite(active)].tolist():
        return replace(table, told={**table.told, header: ("", "all parameters of each run are active")})
    name = f"active parameters by {header}"
    if scale_in(name, "params_active")[0] != 1.0 or logged(name) is not None:
        name = "active parameters"
    name = unique([*table.headers, name])[-1]
    how = f"{_TIMES.format(header)}{whole!r}"
    told = {name: ("params_active", how), header: ("", "the share of the parameters that is active")}
    if not _whole(table):
        told[whole] = "params", f"all parameters, beside the active share {header!r}"
    cells = pd.Series(active, index=table.frame.index)
    return replace(
        table,
        frame=table.frame.assign(**{name: cells}),
        told={**table.told, **told},
        notes=(*table.notes, f"The active parameters of each run are {header!r} × {whole!r}."),
    )


def _may_be(table: Table, header: str) -> bool:
    """Whether a column of numbers is named like a share of what is active, or like what is active."""
    words = take_apart(header).path
    if not _ABOUT.search(words) or _ELSE.search(words) or logged(header) is not None:
        return False
    text = table.text(header)
    return bool(text.str.fullmatch(_OVER).any()) or (table.numbers(header).share >= 0.5 and not clear(text))


def _active(table: Table, header: str, whole: str) -> np.ndarray | None:
    """The active parameters (n,) that a column of shares says, beside counts where a cell is one; None where it says none."""
    words = take_apart(header).words
    sure = bool(_SHARE.fullmatch(words))
    if (not sure and not _BARE.fullmatch(words)) or table.numbers(header).share < 0.5:
        return None
    cells = table.text(header)
    signed = cells.str.contains("%", regex=False).to_numpy(dtype=bool)
    values, all_of = table.numbers(header).values, _values(table, whole)  # 5% was read as .05
    known = np.isfinite(values)
    plain = known & ~signed
    if not sure and not signed.any() and not (_in_parts(table, header) and float(np.nanmin(all_of)) > _COUNT):
        return None
    if sure and not signed.any() and _PER_CENT.search(words):
        values = 0.01 * values
    counts = plain & signed.any() & (values >= _COUNT)
    shares = known & ~counts
    if (
        _EXPERTS.search(words)
        or not shares.any()
        or (values[shares] <= 0).any()
        or (values[shares] > 1).any()
        or (counts & (values > all_of)).any()
    ):
        return None
    return np.where(counts, values, _plain(values * all_of))


def _is_unused(table: Table, header: str, whole: str) -> bool:
    """Whether a column that may be a share of the parameters goes unused: no count, which other places know."""
    words = take_apart(header).words
    values = table.numbers(header).values
    values = values[np.isfinite(values)]
    text = table.text(header)
    if text.str.fullmatch(_OVER).any():
        return bool(whole)
    signed = text.str.contains("%", regex=False).any()
    part = signed or "spars" in words or bool(_SAYS_PART.search(words))
    return bool(whole) and part and bool(len(values)) and bool((values != values[0]).any() or 0 < values[0] < 1)


def _whole(table: Table) -> str:
    """The header of the count of all parameters, '' where none stands there or several may be it."""
    for column in ("params_total", "params", "params_nonembed"):
        found = [h for h in table.headers if _count(table, h) == column and table.numbers(h).share >= 0.5]
        if found:
            return found[0] if len(found) == 1 else ""
    return ""


def _count(table: Table, header: str) -> str:
    """The count of parameters that a header names, '' for none."""
    if header in table.told:
        return table.told[header][0]
    if header in table.from_name:
        return table.from_name[header][0]
    means = named(header)[:1] if logged(header) is None else ()
    column = next((c for c, sure in means if sure >= TAKEN and c in COUNTS), "")
    return "" if column == "params_active" and _in_parts(table, header) else column


def _in_parts(table: Table, header: str) -> bool:
    """Whether a column holds shares: per cent, or numbers up to one without a unit in the header."""
    if table.text(header).str.contains("%", regex=False).any():
        return True
    values = table.numbers(header).values
    values = values[np.isfinite(values)]
    return take_apart(header).scale == 1.0 and bool(len(values)) and bool((values <= 1).all() and (values < 1).any())


def _called_total(table: Table) -> str:
    """The one header that says no more than total or all, over counts of parameters in full; '' where none is."""
    plain = [h for h in table.headers if h not in table.told and TOTAL.fullmatch(take_apart(h).words)]
    found = [h for h in plain if table.numbers(h).share >= 0.5 and float(np.nanmin(_values(table, h))) > _COUNT]
    return found[0] if len(found) == 1 else ""


def in_units_of_all(
    table: Table, guesses: dict[str, Guess], questions: list[Question]
) -> tuple[dict[str, Guess], list[Question]]:
    """The guesses with active parameters that follow from a share in the unit of all parameters, which alone is asked about."""
    active = guesses.get("params_active")
    how = table.told.get(active.header, ("", ""))[1] if active else ""
    whole = next((g for c, g in guesses.items() if c in COUNTS and how.endswith(f"times {g.header!r}")), None)
    if active is None or whole is None:
        return guesses, questions
    scale = whole.scale / scale_in(whole.header, "params_total")[0]
    rest = [q for q in questions if q.key != "units.params_active"]
    return {**guesses, "params_active": replace(active, scale=scale)}, rest


def _values(table: Table, header: str) -> np.ndarray:
    return table.numbers(header, "count").scaled(scale_in(header, "params_total")[0])


def _plain(values: np.ndarray) -> np.ndarray:
    """The values (n,) without the last digits that a product of decimals leaves."""
    return np.array([float(f"{v:.12g}") for v in values])
