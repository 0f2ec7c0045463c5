"""Embedding parameters in a column of their own: they are no model's size, and with the rest of it they are the total."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.headers.logs import logged
from data.headers.names import named
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.table import Table, unique

_PARAMS = r"(?:params?|parameters?|parameter count|weights)"
_EMB = r"(?:token |word |vocab )?emb(?:ed(?:ding)?s?)?"
#: Names of the embeddings' own parameters; `N_emb` may be the count with embeddings as well, which the values decide.
_OWN = re.compile(rf"(?:n |num )?{_EMB}(?: {_PARAMS})?|{_PARAMS} (?:in |of )?(?:the )?{_EMB}")
_EITHER = re.compile(r"(?:N_?|n )emb|(?:n |num )emb params")
_REST = re.compile(
    rf"(?:n |num )?(?:transformer|backbone|body|trunk|blocks?)(?: (?:blocks?|layers?))?(?: {_PARAMS})?"
    rf"|{_PARAMS} (?:in |of )?(?:the )?(?:transformer|backbone|body|trunk|blocks?)"
)
_LEAST = 1e4  # parameters below which a column under one of these names is a width or a number of layers
_SAME = 1.02  # how far below the count without embeddings one with them may be rounded


@np.errstate(all="ignore")
def with_embeddings_added(table: Table) -> Table:
    """The table with embedding parameters plus all others as a column of its own, where they stand in two columns.

    The column of embedding parameters is then none of the model's size: `told` says so, and what the two others are.
    """
    bare = [h for h in table.headers if _column(h) == "params_nonembed"]
    plain = [h for h in table.headers if _column(h) == "params"]
    own = [h for h in table.headers if _is_own(table, h, bare or plain)]
    if len(own) != 1:
        return table
    rest = bare or [h for h in table.headers if _REST.fullmatch(take_apart(h).words) and _sized(table, h)]
    told = {**table.told, own[0]: ("", "the embeddings' own parameters")}
    if len(rest) != 1:
        return replace(table, told=told)
    told[rest[0]] = "params_nonembed", "name recognised; the embeddings stand beside it"
    others = [h for h in table.headers if h not in (*own, *rest) and _column(h) in ("params", "params_total")]
    if others:
        return replace(table, told=told)
    total = _values(table, own[0]) + _values(table, rest[0])
    name = " + ".join(re.sub(r"\s*[(\[{][^()\[\]{}]*[)\]}]", "", h).strip() for h in (*own, *rest))
    if scale_in(name, "params_total")[0] != 1.0 or logged(name) is not None:
        name = "sum of parameters"
    name = unique([*table.headers, name])[-1]
    told[name] = "params_total", f"the embedding parameters of {own[0]!r} added to {rest[0]!r}"
    return replace(table, frame=table.frame.assign(**{name: pd.Series(total, index=table.frame.index)}), told=told)


def _column(header: str) -> str:
    found = named(header)
    return found[0][0] if found and logged(header) is None else ""


def _is_own(table: Table, header: str, others: list[str]) -> bool:
    """Whether a column holds the parameters of embeddings alone, by its name or since no total is below other counts."""
    words = take_apart(header).words
    either = bool(_EITHER.fullmatch(words))
    if not (either or _OWN.fullmatch(words)) or logged(header) is not None or not _sized(table, header):
        return False
    if either:
        ratios = [_values(table, header) / _values(table, b) for b in others]
        ratios = [r[np.isfinite(r) & (r > 0)] for r in ratios]
        return any(len(r) and float(r.min()) < 1 / _SAME for r in ratios)
    return True


def _sized(table: Table, header: str) -> bool:
    values = _values(table, header)
    values = values[np.isfinite(values)]
    return table.numbers(header).share >= 0.5 and bool(len(values)) and float(np.median(values)) >= _LEAST


def _values(table: Table, header: str) -> np.ndarray:
    return table.numbers(header, "count").scaled(scale_in(header, "params_total")[0])
