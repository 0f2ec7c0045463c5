"""Devices that a file spells out: as nodes and devices of each node, or as a count before a device's name (8xH100)."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.digits import SUFFIXES
from data.cells.markup import bare
from data.columns.nodes import TIMES
from data.headers.names import named
from data.headers.parts import header as take_apart
from data.table import Table, unique

_NODES = re.compile(r"(?:n|num|number of|number|count|total)? ?(?:nodes?|nnodes|hosts?|machines?)(?: count)?")
_EACH = re.compile(
    r"(?:n|num|number of|number)? ?(?:gpus?|tpus?|devices?|accelerators?|chips?|n?procs?|processes|n?tasks|ranks?)"
    r" ?(?:per|/|a) ?(?:node|host|machine)s?"
)
_ALL = re.compile(r"\b(?:world|total|all|global|overall)\b")
_KNOWN = ("devices", "data_parallel")
_COUNTED = re.compile(r"\b(?:n|num|nr|no|number|count|counts|total|world|size)\b")  # 6000 in `num_gpus` is a count
_HARDWARE = re.compile(
    r"(?:train(?:ing)? )?hardware|(?:gpu|tpu|device|accelerator)s? (?:type|config|setup)|setup|cluster"
)

_COUNT = r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,6})"
#: Devices that are named by a number, which is no count of them: RTX 3090, 4090, 2080 Ti.
_MODELS = frozenset((
    "1060", "1070", "1080", "1650", "1660", "2060", "2070", "2080", "3050", "3060", "3070", "3080", "3090", "4060", "4070", "4080",
    "4090", "5060", "5070", "5080", "5090", "6000",
))  # fmt: skip
_MODEL = rf"(?:{'|'.join(sorted(_MODELS))})(?: ?(?:ti|super|ada))?(?: [0-9]{{2}} ?gi?b?)?"
_MEMORY = re.compile(r"[0-9]{1,4} ?(?:[gtm]i?b?)\b", re.IGNORECASE)
#: What a device is called behind its count: A100-80GB, NVIDIA H100 80 GB SXM, GPUs, TPU v4, RTX 3090, A100s (40GB).
_CALLED = r"(?:(?!x[0-9])[a-z][a-z0-9.]+(?:[ /-]+(?:[a-z][a-z0-9.]*|[0-9]{2,4} ?gi?b?|[0-9]{3,4}))*(?: ?\([^()0-9]*(?:[0-9]+ ?gi?b?)?\))?)"
_OF_ONE_KIND = re.compile(rf"{_COUNT}\s*(?:([x×*])\s*)?({_CALLED}|{_MODEL})", re.IGNORECASE)
_TIMES = r"(?:[×*]|(?<![a-z])x|(?<=[gt]pu)x|(?<=[gt]pus)x)"  # the x of RTX 4090 is none
_BEHIND = re.compile(rf"{_CALLED}\s*\(?\s*{_TIMES}\s*{_COUNT}\s*\)?", re.IGNORECASE)
_OF_NODES = re.compile(
    rf"([0-9]{{1,3}})\s*(?:nodes?|hosts?)?\s*(?:[x×*]|of|with)\s*([0-9]{{1,3}})(?:\s*[x×*])?(?:\s*{_CALLED})?",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"{_COUNT}\s*[x×]?")
_NODE = re.compile(r"nodes?|hosts?|machines?|per|each|hours?|days?|hrs?|[hd]", re.IGNORECASE)
_LONGEST = 60


def with_devices(table: Table) -> Table:
    """The table with the number of devices where it spells them out in another way, and a note."""
    return _of_nodes(_spelt(table))


def _of_nodes(table: Table) -> Table:
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


def _spelt(table: Table) -> Table:
    """The table with the counts of cells such as 8xH100 in a column of devices, whose text is kept beside them.

    A cell whose count is not plain stays as it is, and is no number.
    """
    counted = [h for h in table.headers if any(c == "devices" for c, _ in named(h)[:1])]
    known = any(c in _KNOWN for h in table.headers for c, _ in named(h))
    said = counted or [h for h in table.headers if not known and _HARDWARE.fullmatch(take_apart(h).words)]
    if len(said) != 1:
        return table
    header = said[0]
    cells = table.column(header).astype(object)
    texts = dict.fromkeys(c for c in cells if isinstance(c, str) and c.strip())
    counts = {c: devices(c) for c in texts}
    spelt = [c for c in texts if counts[c] and not _ALONE.fullmatch(c.strip())]
    models = [] if _COUNTED.search(take_apart(header).words) else [c for c in dict.fromkeys(cells) if _is_model(c)]
    if not (spelt or (counted and models)) or (not counted and any(not n for n in counts.values())):
        return table
    values = cells.map(lambda c: f"{counts[c]}" if isinstance(c, str) and counts.get(c) else "" if c in models else c)
    title = header if counted else unique([*table.headers, "devices"])[-1]
    frame = table.frame.assign(**{title: values.astype(object)})
    if counted:
        frame[unique([*table.headers, f"{header} (as written)"])[-1]] = cells
    notes = []
    if spelt:
        many = counts[spelt[0]]
        notes.append(
            f"{header!r}: {spelt[0].strip()[:40]!r} was read as {many} {'device' if many == 1 else 'devices'}."
        )
    if models:
        notes.append(f"{header!r}: {str(models[0]).strip()} was taken for the model of a device, and for no count.")
    return replace(table, frame=frame, notes=(*table.notes, *notes))


def _is_model(cell: object) -> bool:
    """Whether a cell is the bare number of a device's model: 4090."""
    return isinstance(cell, (str, int, float)) and f"{cell}".strip().removesuffix(".0") in _MODELS


def devices(cell: str) -> int:
    """How many devices a cell says: 8xH100, 16 × A100-80GB, 8 GPUs, 4 nodes x 8 GPUs, H100 x8. 0 where it is not plain."""
    text = " ".join(bare(cell).split()) if len(cell) <= _LONGEST else ""
    if found := _ALONE.fullmatch(text):
        return 0 if text in _MODELS else _number(found[1])
    if found := _OF_NODES.fullmatch(text):
        return 0 if _NODE.search(text[found.end(2) :]) else int(found[1]) * int(found[2])
    if found := _OF_ONE_KIND.fullmatch(text):
        named = found[1] in _MODELS and not found[3].lower().endswith(("gpus", "cards", "devices"))
        plain = bool(found[2]) or not (named or found[3][0].isdigit() or _MEMORY.match(text))
    else:
        found, plain = _BEHIND.fullmatch(text), True
    parts = re.findall(r"\b[A-Za-z]+\b", text)
    unclear = any(_NODE.fullmatch(p) or p.lower() in SUFFIXES for p in parts)  # 8 GPU hours, 2 bn
    return _number(found[1]) if found and plain and not unclear else 0


def _number(digits: str) -> int:
    return int(digits.replace(",", ""))
