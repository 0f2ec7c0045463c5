"""Losses of several learning rates or batch sizes side by side (lr=1e-3, lr=2e-3): turned into one row per run and setting."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from data.cells.values import number
from data.headers.names import loss_name, named
from data.readers._matrix import NO_LOSSES
from data.readers._seeds import Beside, one_row_each
from data.schema import COUNTS
from data.table import Table

_NAMES = {
    "lr": r"(?:peak |max )?(?:lr|learning[ _]?rate)|η",
    "batch size": r"(?:global )?batch(?:[ _]?size)?|bsz?",
    "weight decay": r"wd|weight[ _]?decay",
}
_VALUE = r"(?P<value>[0-9][0-9.]*(?:e[+-]?[0-9]+)?(?: ?[×x] ?10 ?\^? ?[-−⁻0-9⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})?(?: ?[kM])?)"
_SAID = {name: rf"(?:{words})(?: ?[=:_-] ?| )?{_VALUE}" for name, words in _NAMES.items()}
_FORMS = {
    name: (
        re.compile(said, re.IGNORECASE),
        re.compile(rf"(?P<base>.+?)(?:[ _\-/.,;:@]+|[ _]*(?P<open>[(\[]) ?){said}(?(open) ?[)\]])", re.IGNORECASE),
        re.compile(rf"{said}[ _/,;:-]+(?P<base>.+)", re.IGNORECASE),
    )
    for name, said in _SAID.items()
}
_DIGIT = re.compile("[0-9]")  # of which a value has one at least
_LOSSES = (
    1.0,
    20.0,
)  # nats or bits of a language model: the values below headers that no word calls a loss; a share lies below
_LONGEST = 120  # signs of a header that is looked at


def with_settings_down(table: Table) -> Table:
    """The table with one row per run and value, where it has losses of several values of one setting side by side; else as it is."""
    found = next((f for name in _NAMES if (f := _found(table, name)) is not None), None)
    if found is None or table.order or table.one_run:
        return table
    return replace(one_row_each(table, found), before=table.before or table)


def _found(table: Table, name: str) -> Beside | None:
    """The columns of one setting's values; None where there are no two, or where the table has a column of that setting."""
    quantities: dict[str, dict[str, str]] = {}
    for header in table.headers:
        short = header.strip() if len(header) <= _LONGEST and _DIGIT.search(header) else ""
        match = next((m for form in _FORMS[name] if (m := form.fullmatch(short))), None)
        if match is None or not np.isfinite(number(match["value"])):
            continue
        base = (match.groupdict().get("base") or "").strip()
        if match["value"] in quantities.setdefault(base, {}):
            return None
        quantities[base][match["value"]] = header
    quantities = {b: by for b, by in quantities.items() if len(by) > 1}
    rest = [h for h in table.headers if not any(h in by.values() for by in quantities.values())]
    alone = quantities.pop("", {})
    if alone and not any(map(loss_name, rest)) and not quantities and _hold_losses(table, list(alone.values())):
        quantities = {"loss": alone}
    losses = [b for b, by in quantities.items() if loss_name(b) is not None]
    counted = any(c in (*COUNTS, "tokens", "flops", "run", "family") for h in rest for c, _ in named(h)[:1])
    has_one = any(re.fullmatch(_NAMES[name], h.strip(), re.IGNORECASE) for h in rest)
    if len(losses) != len(quantities) or not losses or not counted or has_one or any(b in rest for b in losses):
        return None
    if not all(table.numbers(h).share >= 0.5 for by in quantities.values() for h in by.values()):
        return None
    values = tuple(dict.fromkeys(v for by in quantities.values() for v in by))
    return Beside(quantities, tuple(losses), values, (), name)


def _hold_losses(table: Table, headers: list[str]) -> bool:
    """Whether nearly all numbers of the columns are such as losses have, and no line above the table calls them something else."""
    if any(NO_LOSSES.search(line) for line in table.said):
        return False
    values = np.concatenate([table.numbers(h).values for h in headers])
    values = values[np.isfinite(values)]
    return bool(len(values)) and float(np.mean((values >= _LOSSES[0]) & (values <= _LOSSES[1]))) >= 0.9
