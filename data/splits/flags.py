"""A column that says by yes and no whether a loss is a held-out one: `is_validation`, `is_train`."""

from __future__ import annotations

import re
from dataclasses import replace

from data.cells.yes_no import clear
from data.headers.parts import header as take_apart
from data.table import Table

_FLAG = re.compile(
    r"(?:is |on |for |in )?(?:the )?(?:(val(?:id(?:ation)?)?|eval(?:uation)?|dev|test|held ?out|holdout)|(train(?:ing)?))"
    r"(?: (?:set|split|data|loss|row|step|phase|flag))?"
)


def worded(table: Table) -> Table:
    """The table with the yes and no of such a column as the words of the splits, where both are there."""
    new = {}
    for header in table.headers:
        found = _FLAG.fullmatch(take_apart(header).path)
        said = clear(table.text(header)) if found else None
        if found and said and {True, False} <= set(said):
            yes, no = (found[1], "train") if found[1] else ("train", "val")
            new[header] = ["" if a is None else yes if a else no for a in said]
    return replace(table, frame=table.frame.assign(**new)) if new else table
