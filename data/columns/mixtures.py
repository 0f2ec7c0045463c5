"""Columns of a mixture's counts that are named by one word: `Active` beside `Params`, `Total` beside it, `Experts | Active`."""

from __future__ import annotations

import re

import numpy as np

from data.cells.yes_no import clear
from data.columns.settled import TAKEN, Offers
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.schema import COUNTS
from data.table import Table

ACTIVE = re.compile(
    r"(?:number (?:of )?|n |num )?(?:active|activated|act|activate)(?: (?:size|model size))?(?: (?:per|/) ?(?:token|tok))?"
    r"|(?:params?|parameters) (?:per|/) ?(?:token|tok)"
)
TOTAL = re.compile(r"(?:number (?:of )?|n |num )?(?:total|all)(?: (?:model )?size)?|(?:model )?size (?:total|all)")
_EXPERTS = 4096.0  # more than a mixture has experts: a count of parameters lies above it
_FEW = 64.0  # experts that compute for a token
_FULL = 1e5  # a count of parameters above it needs no unit
_MOSTLY = 0.8  # the share of rows in which an active count is at most the whole


def settle_mixture(table: Table, offers: Offers) -> None:
    """Offer a column called `Active` as what a mixture computes with, where a count that it is nowhere above stands beside it.

    A column called `Total` beside it is the whole. Whole numbers of few are the active experts where they stand beside a column
    of experts, or where the whole is a count of parameters without its unit in the header.
    """
    taken = {h for (_, h), (sure, _) in offers.items() if sure >= 0.9}
    words = {h: take_apart(h).words for h in table.headers if h not in taken}
    actives = [h for h, w in words.items() if ACTIVE.fullmatch(w) and _is_count(table, h)]
    known = [h for (c, h), (sure, _) in offers.items() if c == "params_active" and sure >= TAKEN]
    totals = [h for h, w in words.items() if TOTAL.fullmatch(w) and _is_count(table, h)]
    counts = [h for (c, h), (sure, _) in offers.items() if c in COUNTS and c != "params_active" and sure >= TAKEN]
    experts: list[str] = []
    for header in actives:
        values = _scaled(table, header)
        few = bool((values <= _EXPERTS).all()) and bool((values == np.round(values)).all())
        if few and (any(c == "experts" for c, _ in offers) or _far_below(table, header, [*counts, *totals])):
            experts = [header, *experts]
            if not any(c == "top_k" for c, _ in offers):
                offers["top_k", header] = 0.75, "active experts, whole numbers of few"
            continue
        whole = [h for h in (*counts, *totals) if h != header and _within(table, header, h)]
        if whole:
            offers["params_active", header] = 0.75, f"active parameters, nowhere above {whole[0]!r}"
            known.append(header)
    for header in totals:
        beside = next((h for h in known if h != header and _within(table, h, header)), "")
        if beside or (experts and not counts and _full(table, header)):
            for column in ("params", "tokens"):
                offers.pop((column, header), None)
            of = f"the active ones of {known[0]!r}" if beside else f"the active experts of {experts[0]!r}"
            offers["params_total", header] = 0.75, f"all parameters, beside {of}"


def _far_below(table: Table, header: str, counts: list[str]) -> bool:
    """Whether a column without a unit holds a few units beside counts of parameters in full: 2, 2, 4 beside 8B, 16B, 32B."""
    if take_apart(header).scale != 1.0 or table.numbers(header, "count").written:
        return False
    counts = [h for h in counts if h != header]
    return bool(counts) and all(_full(table, h) for h in counts) and float(_scaled(table, header).max()) <= _FEW


def _full(table: Table, header: str) -> bool:
    """Whether each count of a column is one of parameters that lacks no unit."""
    values = _scaled(table, header)
    return bool(len(values)) and float(values.min()) > _FULL


def _is_count(table: Table, header: str) -> bool:
    """Whether a column holds positive numbers, none of them a yes or a no or per cent."""
    found = table.numbers(header, "count")
    text = table.text(header)
    if found.share < 0.5 or text.str.contains("%", regex=False).any() or clear(text):
        return False
    values = found.values[np.isfinite(found.values)]
    return bool(len(values)) and bool((values > 0).all())


def _scaled(table: Table, header: str) -> np.ndarray:
    values = table.numbers(header, "count").scaled(scale_in(header, "params_active")[0])
    return values[np.isfinite(values)]


def _within(table: Table, active: str, whole: str) -> bool:
    """Whether the active count is at most the whole in nearly all rows, and below it in one."""
    a, b = (
        table.numbers(h, "count").scaled(scale_in(h, c)[0])
        for h, c in ((active, "params_active"), (whole, "params_total"))
    )
    both = np.isfinite(a) & np.isfinite(b)
    return bool(both.any()) and float(np.mean(a[both] <= b[both])) >= _MOSTLY and bool((a[both] < b[both]).any())
