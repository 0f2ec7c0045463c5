"""Columns that are named like a run's loss and may not be it: another arm's, a mean over training, a sum with other terms."""

from __future__ import annotations

import re

import numpy as np

from data.headers.names import LossName, loss_name, named
from data.headers.parts import header as take_apart
from data.table import Table

#: Losses of another model or of another time, which are no run's alone and may be beside one.
_BASELINE = re.compile(r"\b(?:base ?line|teacher|reference|ref|first|previous|prev)\b")
_SIZE = 1.5  # how many times another arm's loss a loss may be, and the other way round
#: What HuggingFace's trainer writes when it ends: `train_loss`, the mean over all steps, beside the time that they took.
_OF_ITS_END = re.compile(r"train (?:runtime|samples / second|samples per second|steps per second)")
_ADDED = re.compile(
    r"\b(?:aux|auxiliary|z|balanc(?:e|ing)|router|moe|reg(?:ulari[sz]ation)?|mtp|kl|distill(?:ation)?|penalty)\b"
)
_HELD_OUT = ("validation", "test")
_ARCHITECTURE = ("layers", "width", "heads", "head_dim", "ffn")


def arms(table: Table, used: set[str], losses: list[str]) -> list[str]:
    """Columns of a baseline's or a teacher's loss, or an earlier one, that could be the run's: as large as a loss of the table,
    and another in each row."""
    sizes = [s for h in losses if np.isfinite(s := _middle(table, h))]
    out = []
    for header in table.headers:
        words = take_apart(header).path
        if header in used or header in losses or not _BASELINE.search(words):
            continue
        bare = loss_name(" ".join(_BASELINE.sub(" ", words).split()))
        values = table.numbers(header, "loss").values
        constant = len(values) > 1 and len(np.unique(values[np.isfinite(values)])) < 2
        size = _middle(table, header)
        if bare and not constant and any(1 / _SIZE <= size / s <= _SIZE for s in sizes):
            out.append(header)
    return out


def _middle(table: Table, header: str) -> float:
    """The median of a column of positive numbers; NaN for others."""
    found = table.numbers(header, "loss")
    values = found.values[np.isfinite(found.values)]
    return float(np.median(values)) if found.share >= 0.5 and len(values) and (values > 0).all() else float("nan")


def means_over_training(table: Table, losses: list[str]) -> list[str]:
    """Those of the losses that are no run's loss but its mean over all of training."""
    ended = any(_OF_ITS_END.fullmatch(take_apart(h).path) for h in table.headers)
    return [h for h in losses if ended and take_apart(h).path == "train loss"]


_LEAST_OF_SEEDS = re.compile(r"\b(?:min|minimum|least|median|med|best|lowest|last|first|worst)\b")
_MEAN = re.compile(r"\b(?:mean|avg|average)\b")
_SPREAD = re.compile(r"\b(?:std|stdev|stddev|sd|sem|se|stderr|std ?err(?:or)?|std ?dev|sigma|ci|var|variance)\b")


def beside_means(table: Table, losses: list[str]) -> list[str]:
    """Those of the losses that are the least or the median of runs whose mean, with its spread beside it, is another of them."""
    words = {h: take_apart(h).path for h in table.headers}

    def without(pattern: re.Pattern[str], header: str) -> str:
        return " ".join(pattern.sub(" ", words[header]).split()) if pattern.search(words[header]) else ""

    spreads = {without(_SPREAD, h) for h in table.headers} - {""}
    means = {without(_MEAN, h) for h in losses} & spreads
    return [h for h in losses if without(_LEAST_OF_SEEDS, h) in means]


def counts_layers(table: Table, header: str) -> bool:
    """Whether a bare `L` is a number of layers: all its values are whole, or most beside other columns of an architecture."""
    h = take_apart(header)
    if h.words != "L" or h.unit:
        return False
    values = table.numbers(header).values
    values = values[np.isfinite(values)]
    whole = float((values == np.round(values)).mean()) if len(values) else 0.0
    return whole == 1.0 or (whole > 0.5 and any(_of_an_architecture(table, o) for o in table.headers if o != header))


def _of_an_architecture(table: Table, header: str) -> bool:
    """Whether a column of whole numbers is named like the layers, widths or heads of a model."""
    h = take_apart(header)
    if h.words not in ("W", "H") and not any(c in _ARCHITECTURE for c, _ in named(header)):
        return False
    found = table.numbers(header)
    values = found.values[np.isfinite(found.values)]
    return found.share >= 0.5 and bool(len(values)) and bool((values == np.round(values)).all())


def may_be_more(table: Table, loss: str) -> str:
    """What a total may hold beside the loss, as the name of a column that says so; '' where nothing does."""
    if not re.search(r"\btotal\b", take_apart(loss).path):
        return ""
    parts = (h for h in table.headers if h != loss and re.search(r"\bloss(?:es)?\b", take_apart(h).path))
    return next((h for h in parts if _ADDED.search(take_apart(h).path)), "")


def by_its_tag(table: Table) -> tuple[str, LossName, str] | None:
    """The curve that TensorBoard saved under a tag's name: its column, what the file's name says of it, and that name.

    None where the name says no loss; beside other files a training loss is none, for the same run's held-out one may be there.
    """
    plain = {h.strip().lower(): h for h in table.headers if h not in table.from_name}
    if set(plain) != {"wall time", "step", "value"}:
        return None
    stem = re.sub(r"\.(?:csv|json|txt)$", "", table.name, flags=re.IGNORECASE)
    tag = re.split(r"[-_]tag[-_]", stem, maxsplit=1)[-1]
    name = loss_name(tag)
    return None if name is None or (table.alone and name.split not in _HELD_OUT) else (plain["value"], name, tag)
