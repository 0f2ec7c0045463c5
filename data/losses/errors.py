"""The error stated with a loss in a column of its own (val_loss_std, ± loss), and its unit turned into nats per token."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.cells.values import Numbers, numbers
from data.headers.parts import header as take_apart
from data.losses.units import in_nats, slope
from data.mapping import Guess, Mapping
from data.table import Table

_LEVEL = r"[0-9]{2}(?: ?percent| ?pct)?"
#: What a header calls an error, the surest measure of a mean's doubt first. A variance is none: it has another unit.
_KINDS = (
    ("standard error", r"se|sem|stderr|std ?err(?:or)?|standard error(?: of the mean)?"),
    ("error", r"err|error|uncertainty|unc|plusminus"),
    ("standard deviation", r"std|stdev|stddev|std ?dev(?:iation)?|sd|standard deviation|sigma"),
    (
        "half of a confidence interval",
        rf"plusminus (?:{_LEVEL}(?: ?ci)?|ci(?: ?[0-9]{{2}})?)|(?:{_LEVEL} )?ci ?(?:[0-9]{{2}} ?)?(?:plusminus|half ?width)",
    ),
)
_PREDICTED = re.compile(
    r"\b(?:predict(?:ed|ion|ions)?|preds?|forecast(?:ed)?|fitted|fit|extrapolat(?:ed|ion)|expected|law|hat)\b"
)
# An error larger than this share of its loss, for most runs, is something else under the name.
_LARGEST = 0.5


def error_of(table: Table, loss: str, used: set[str]) -> Guess | None:
    """The column whose name says that it is the error of the column `loss`, as a guess; None when there is none.

    Its name is the loss's own with a word for an error, or that word alone where it stands directly behind the loss. What is
    in per cent is none, and beside a predicted loss an `error` is the prediction's.
    """
    per_cent = _in_per_cent(table, loss)
    predicted = any(_PREDICTED.search(_words(h)) for h in table.headers)
    said = re.sub(r" (?:mean|avg|average)$|^(?:mean|avg|average) ", "", _words(loss))  # loss mean beside loss std
    after = table.headers[table.headers.index(loss) + 1 : table.headers.index(loss) + 2]
    for kind, pattern in _KINDS:
        for header in table.headers:
            if header in used or header == loss:
                continue
            if kind == "error" and predicted:
                continue
            rest = _without(_words(header), said)
            beside = header in after and re.fullmatch(pattern, _words(header))
            if (beside or (rest and re.fullmatch(pattern, rest))) and _is_error(table, loss, header, per_cent):
                return Guess("loss_error", header, f"its name says that it is the {kind} of {loss!r}", 0.9)
    return None


def _in_per_cent(table: Table, header: str) -> bool:
    """Whether a column is in per cent: by its name, or by most of its cells."""
    said = re.sub(rf"(?:\bplusminus {_LEVEL}|\b{_LEVEL} ci)\b", " ", _words(header)).split()
    if "percent" in said or "pct" in said:
        return True
    cells = [c for c in table.frame[header] if isinstance(c, str) and c.strip()]
    return bool(cells) and 2 * sum("%" in c for c in cells) > len(cells)


def error_in_nats(errors: np.ndarray, table: Table, mapping: Mapping) -> np.ndarray:
    """Errors (n,) of the losses in nats per token, by the slope of the unit; NaN where one is negative or not finite.

    That of a perplexity is divided by it: the logarithm's slope.
    """
    errors = np.where(np.isfinite(errors) & (errors >= 0), errors, np.nan)
    guess = mapping.guesses.get("loss")
    if guess is None:
        return in_nats(errors, mapping.loss_unit, mapping.bytes_per_token)
    values = guess.values(table)
    errors = errors * (np.log(guess.base) * values if guess.base else guess.scale)
    return errors * slope(values, mapping.row_units or mapping.loss_unit, mapping.per_token)


def errors_under(table: Table, header: str) -> Numbers:
    """The numbers under a header, each of which may have its ± in front of it."""
    found = table.numbers(header)
    if found.bad.any():
        bare = [
            c.strip().lstrip("±$ ").removeprefix("+/-").removeprefix("\\pm") if isinstance(c, str) else c
            for c in table.frame[header]
        ]
        return numbers(pd.Series(bare, dtype=object), table.decimal)
    return found


def _words(header: str) -> str:
    """The header's words without its unit; ± is the word plusminus."""
    text = header.replace("±", " plusminus ").replace("+/-", " plusminus ").replace("σ", " sigma ")
    words = take_apart(" ".join(text.split())).path
    return " ".join(re.sub(r"\b(?:nats?|per token|/ token|bits?)\b", " ", words).split())


def _without(words: str, loss: str) -> str:
    """What the words say beside those of the loss, in whatever order; '' where they do not hold them all."""
    left = words.split()
    for word in loss.split():
        if word not in left:
            return ""
        left.remove(word)
    return " ".join(w for w in left if w not in ("of", "the", "in"))


def _is_error(table: Table, loss: str, header: str, per_cent: bool) -> bool:
    """Whether the column holds numbers that are small beside the loss, in the same unit as far as the names say.

    `per_cent` says that the loss is in per cent, as its error is then.
    """
    if _in_per_cent(table, header) != per_cent:
        return False
    found, losses = errors_under(table, header), table.numbers(loss, "loss").values
    said, own = take_apart(header).unit, take_apart(loss).unit
    if found.share < 0.5 or (said and own and said != own) or (said and not own and said != "nats"):
        return False
    both = np.isfinite(found.values) & np.isfinite(losses)
    small = (found.values[both] >= 0) & (found.values[both] <= _LARGEST * np.abs(losses[both]))
    return bool(both.any()) and float(np.mean(small)) > 0.5
