"""Counts in a folder of names that belongs to another regime than the loss: fixed_compute/tokens beside fixed_tokens/val_loss."""

from __future__ import annotations

import re
from collections.abc import Collection

from data.errors import NO_COLUMN, Question
from data.headers.names import loss_name, named
from data.headers.parts import PATH_HEADS
from data.mapping import Guess
from data.schema import COUNTS
from data.splits.texts import is_text
from data.splits.words import kind
from data.table import Table

_OF_A_REGIME = ("tokens", "unique_tokens", "samples", "steps", "flops", "epochs", *COUNTS)
_FOLDER = re.compile(r"\s*([^/]{1,60})/.+")


def without_other_arms(table: Table, guesses: dict[str, Guess], loss: str, settled: Collection[str]) -> list[Question]:
    """Take the counts out of the guesses that stand in a folder with a loss of its own, where the loss is another folder's.

    A question, not needed, for each; `settled` are the columns that a person has answered for. Folders of splits, texts and
    trackers say nothing of a regime.
    """
    own = _regime(loss)
    if not own:
        return []
    others = {r for h in table.headers if loss_name(h) is not None and (r := _regime(h)) and r != own}
    out = []
    for column in [c for c in _OF_A_REGIME if c in guesses and c not in settled]:
        header = guesses[column].header
        alike = [h for h in table.headers if _regime(h) == own and any(c == column for c, _ in named(h))]
        if header in table.headers and _regime(header) in others and not alike:  # else which of them is asked already
            del guesses[column]
            text = f"{header[:60]!r} is of another regime than {loss[:60]!r}, and is not used with it."
            out.append(Question(f"columns.{column}", text, (NO_COLUMN, header), NO_COLUMN, needed=False))
    return out


def _regime(header: str) -> str:
    """The folder that a header stands in, where it may be one of several regimes; '' where it is none."""
    found = _FOLDER.fullmatch(header)
    if found is None:
        return ""
    name = found[1].strip().lower()
    plain = re.sub(r"[\W_]+", " ", name).strip()
    said = plain in PATH_HEADS or name in PATH_HEADS or bool(kind(name)) or is_text(name) or loss_name(name) is not None
    return "" if said else plain
