"""Counts of parameters that stand beside each other: nominal and exact, with and without embeddings, told apart by their values."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs

import numpy as np

from data.columns.settled import TAKEN, Offers, middle, mostly
from data.headers.names import only_sounds
from data.headers.parts import header as take_apart
from data.mapping import Guess
from data.middle import median
from data.schema import COUNTS
from data.table import Table

_BELOW = 1.02  # how far below the count without embeddings a total may be rounded
CALLED_BY = "the count by which models are called"
_EXACT = 4  # significant digits of a count of parameters that nobody rounded to call a model by
_ROUND = 2  # of a size by which models are called
_OFF = 0.25  # how far such a size is from the count of its model


def _digits(table: Table, header: str) -> float:
    """How many significant digits the numbers of a column have, in the middle."""
    found = [len(re.sub(r"e.*|[^0-9]", "", c.lower()).strip("0")) for c in table.written(header, _LOOKED_AT) if c]
    return median(found) if found else 0.0


_LOOKED_AT = 500  # rows


def _same(one: float, other: float) -> bool:
    return 1 / 1.06 < one / other < 1.06


def _nominal(one: float, other: float) -> bool:
    return abs(one / other - 1) < _OFF


def settle_counts(table: Table, offers: Offers) -> None:
    """Tell parameter counts apart by what stands beside them: N next to N_w_emb is the count without embeddings."""
    digits = {h: _digits(table, h) for c, h in offers if c in COUNTS}
    for column, header in [o for o in offers if o[0] in COUNTS and table.numbers(o[1]).written]:
        exact = [h for h, n in digits.items() if not table.numbers(h).written and n >= digits[header]]
        if any(h != header and mostly(table, header, h, _same) for h in exact):
            offers[column, header] = 0.3, "a rounded copy of a more exact count"
    for header in [h for c, h in offers if c == "params" and (h in table.from_name or only_sounds(h))]:
        exact = [h for h, n in digits.items() if n >= max(_EXACT, digits[header] + 1) and h not in table.from_name]
        near = _nominal if digits[header] <= _ROUND else _same
        found = next((h for h in exact if mostly(table, header, h, near)), "")
        if found:
            offers["params", header] = 0.3, "a nominal size beside an exact count"
            for o in [o for o in offers if o[1] == found and o[0] in COUNTS]:
                offers[o] = offers[o][0], f"{offers[o][1]}; {CALLED_BY} ({header})"
    plain = [h for c, h in offers if c == "params"]
    total = [h for c, h in offers if c == "params_total"]
    bare = [h for c, h in offers if c == "params_nonembed" and offers[c, h][0] >= TAKEN]
    for header in [h for h in plain if re.fullmatch(r"[Nn]", take_apart(h).words)]:
        if total and not bare and mostly(table, header, total[0], lambda a, b: a < b):
            sure, _ = offers.pop(("params", header))
            how = f"stands next to {total[0]}, which is larger: taken as the count without embeddings"
            offers["params_nonembed", header] = sure, how


def below_a_part(table: Table, guesses: Pairs[str, Guess]) -> str:
    """A sentence where the count of all parameters is below that without embeddings, which it contains; '' elsewhere."""
    if not {"params_total", "params_nonembed"} <= set(guesses):
        return ""
    total, part = (guesses[c] for c in ("params_total", "params_nonembed"))
    with np.errstate(all="ignore"):
        ratio = middle(total.values(table) / part.values(table))
    if not ratio < 1 / _BELOW:
        return ""
    return f"{total.header!r} is {ratio:.2g} times {part.header!r}, and a total is no less than a part of it."


def nominal_apart(table: Table, guesses: Pairs[str, Guess]) -> list[str]:
    """Sentences on exact counts whose nominal sizes, in a column beside them, are others."""
    out = []
    for column in [c for c in COUNTS if c in guesses and CALLED_BY in guesses[c].how]:
        exact = guesses[column].header
        nominal = next((h for h in table.headers if f"{CALLED_BY} ({h})" in guesses[column].how), "")
        if nominal and not mostly(table, nominal, exact, _same):
            out.append(
                f"The sizes under {nominal!r} differ from {exact!r} by more than 6 %: they were taken for rounded names of the "
                f"models, and the counts under {exact!r} are used."
            )
    return out
