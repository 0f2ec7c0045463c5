"""Devices that a file spells out as nodes and devices of each node: one column of their product."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.headers import header as take_apart
from data.names import named
from data.nodes import TIMES
from data.table import Table

_NODES = re.compile(r"(?:n|num|number of|number|count|total)? ?(?:nodes?|nnodes|hosts?|machines?)(?: count)?")
_EACH = re.compile(
    r"(?:n|num|number of|number)? ?(?:gpus?|tpus?|devices?|accelerators?|chips?|n?procs?|processes|n?tasks|ranks?)"
    r" ?(?:per|/|a) ?(?:node|host|machine)s?"
)
_ALL = re.compile(r"\b(?:world|total|all|global|overall)\b")
_KNOWN = ("devices", "data_parallel")


def with_devices(table: Table) -> Table:
    """The table with a column of the devices in all where it has nodes, and devices of a node or that may be those of one.

    With devices of a node that is `devices`, and said; with devices that may be either, the product stands under both names
    (`devices × num_nodes`), to be chosen.
    """
    words = {h: take_apart(h).words for h in table.headers}
    each = [h for h, w in words.items() if _EACH.fullmatch(w)]
    nodes = [h for h, w in words.items() if _NODES.fullmatch(w)]
    known = [h for h in table.headers if any(c in _KNOWN for c, _ in named(h))]
    if len(nodes) != 1:
        return table
    if len(each) == 1 and not known:
        product, note = _product(table, nodes[0], each[0]), f"The devices are {nodes[0]!r} × {each[0]!r}."
        if not (product != "").any():
            return table
        return replace(table, frame=table.frame.assign(devices=product), notes=(*table.notes, note))
    several = table.numbers(nodes[0]).values
    if each or len(known) != 1 or _ALL.search(words[known[0]]) or not (several[np.isfinite(several)] > 1).any():
        return table
    if any(c == "data_parallel" for c, _ in named(known[0])):
        return table
    product = _product(table, known[0], nodes[0])
    if not (product != "").any():
        return table
    return replace(table, frame=table.frame.assign(**{f"{known[0]}{TIMES}{nodes[0]}": product}))


def _product(table: Table, one: str, other: str) -> pd.Series:
    """The cells (n,) of one column times the other, '' where either says nothing."""
    values = table.numbers(one).values * table.numbers(other).values
    return pd.Series([f"{v:.12g}" if np.isfinite(v) else "" for v in values], dtype=object, index=table.frame.index)
