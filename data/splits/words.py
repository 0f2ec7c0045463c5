"""The words by which cells say on what losses were measured: training, held out, the name of a data set."""

from __future__ import annotations

import re
from functools import lru_cache

import pandas as pd

from data.cells.values import BLANK

_HELD_OUT = {
    "val": "val", "valid": "val", "validation": "val", "validate": "val", "validating": "val", "vl": "val", "dev": "val",
    "eval": "eval", "evaluation": "eval", "evaluate": "eval", "evaluating": "eval", "heldout": "held-out", "holdout": "held-out",
    "unseen": "held-out", "test": "test", "testing": "test", "tst": "test",
}  # fmt: skip
_TRAIN = frozenset(("train", "training", "trn", "tr", "trained"))
_LIKELIEST = ("val", "eval", "held-out", "test")
_NOTHING = BLANK | {"nan", "unknown", "unspecified", "not specified", "unset"}


def kind(cell: str) -> str:
    """What the words of a cell say: "train", "val", "eval", "held-out", "test", each with what else it says; '' for others."""
    words = re.sub(r"held[-_ ]?out", "heldout", cell.lower())
    words = re.sub(r"hold[-_ ]?out", "holdout", words)
    parts = re.findall(r"[a-z0-9]+", words)
    if not parts or len(parts) > 6:
        return ""
    at = next((i for i in (0, len(parts) - 1) if parts[i] in _TRAIN or parts[i] in _HELD_OUT), None)
    if at is None:
        return ""
    word = "train" if parts[at] in _TRAIN else _HELD_OUT[parts[at]]
    rest = [p for i, p in enumerate(parts) if i != at and p not in ("set", "split", "loss", "data", "dataset")]
    return " ".join([word, *rest])


@lru_cache(maxsize=20_000)
def kind_or_name(cell: str) -> str:
    """The kind of a cell, the cell itself where it is the name of a data set, '' where it says nothing: n/a, unknown."""
    name = " ".join(cell.casefold().split())
    return "" if name in _NOTHING else kind(cell) or name


def both(kinds: pd.Series) -> bool:
    """Whether training and held-out losses are among the rows."""
    found = {k.split(" ")[0] for k in kinds.unique() if k}
    return "train" in found and bool(found & set(_LIKELIEST))


def in_order(kinds: pd.Series) -> list[str]:
    """The kinds of a table, the likeliest to count first and training last."""
    found = [k for k in kinds.unique() if k]
    rank = {k: i for i, k in enumerate((*_LIKELIEST, "", "train"))}
    return sorted(found, key=lambda k: rank.get(k.split(" ")[0], rank[""]))


def without_words(name: str) -> str:
    parts = re.findall(r"[A-Za-z0-9.]+", name)
    return " ".join(p for p in parts if p.lower() not in _TRAIN and p.lower() not in (*_HELD_OUT, "loss"))
