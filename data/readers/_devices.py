"""Devices that a file spells out as nodes and devices of each node: one column of their product."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.headers import header as take_apart
from data.names import named
from data.table import Table

_NODES = re.compile(r"(?:n|num|number of|number|count|total)? ?(?:nodes?|nnodes|hosts?|machines?)(?: count)?")
_EACH = re.compile(
    r"(?:n|num|number of|number)? ?(?:gpus?|tpus?|devices?|accelerators?|chips?|n?procs?|processes|n?tasks|ranks?)"
    r" ?(?:per|/|a) ?(?:node|host|machine)s?"
)
_KNOWN = ("devices", "data_parallel")


def with_devices(table: Table) -> Table:
    """The table with a column `devices` where it has nodes and devices of a node and none of both, and a note."""
    words = {h: take_apart(h).words for h in table.headers}
    each = [h for h, w in words.items() if _EACH.fullmatch(w)]
    nodes = [h for h, w in words.items() if _NODES.fullmatch(w)]
    if len(each) != 1 or len(nodes) != 1 or any(c in _KNOWN for h in table.headers for c, _ in named(h)):
        return table
    product = table.numbers(nodes[0]).values * table.numbers(each[0]).values
    if not np.isfinite(product).any():
        return table
    cells = pd.Series([f"{v:.12g}" if np.isfinite(v) else "" for v in product], dtype=object, index=table.frame.index)
    note = f"The devices are {nodes[0]!r} × {each[0]!r}."
    return replace(table, frame=table.frame.assign(devices=cells), notes=(*table.notes, note))
