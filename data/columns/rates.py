"""Columns named like the compute that hold something else: the FLOP per second of a device, the FLOPs of a token or a pass."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs
from collections.abc import MutableMapping

import numpy as np

from data.errors import Question
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.middle import median
from data.schema import COUNTS
from data.table import Table
from data.units.factors import AGREES, DIMENSION, PLAUSIBLE

_DEVICE = (1e11, 1e16)  # FLOP per second: from a slow device to the fastest with few bits
_STEADY = 10.0  # how many times the least rate of a sweep its largest is, at most
_MOVES = 30.0  # how many times further than the rate 6 N D spreads where the rate cannot be compute
_WHOLE = re.compile(r"\b(total|train|training|compute|cumulative|budget|used|spent|6nd)\b")
_PREFIXED = (1e9, 1e12, 1e15)
_OF_A_TOKEN = 0.01  # of the parameters: below it FLOPs leave out their unit; of a mixture few parameters are active
_ALIKE = 1.1  # how many times the least tokens of a pass the most are: sizes are rounded
_SIZES = 2.0  # how many times the least model the largest is, at least
_LONGEST_PASS = 2.0**20  # tokens
_FEW = 0.1  # tokens per parameter


@np.errstate(all="ignore")
def without_rates(table: Table, offers: MutableMapping[tuple[str, str], tuple[float, str]]) -> list[Question]:
    """Take rates out of the offers for `flops`; a question, not needed, where nothing else is named like the compute."""
    needs = 6.0 * _best(table, offers, COUNTS) * _best(table, offers, ("tokens",))
    gone = [h for c, h in offers if c == "flops" and _is_rate(table, h, needs)]
    for header in gone:
        del offers["flops", header]
    if not gone or any(c == "flops" for c, _ in offers):
        return []
    text = (
        f"{gone[0][:60]!r} is not used: its values are those of the FLOP per second of a device. Choose it if it is the "
        "training compute."
    )
    return [Question("columns.flops", text, tuple(gone), gone[0], needed=False)]


@np.errstate(all="ignore")
def without_passes(
    table: Table, offers: MutableMapping[tuple[str, str], tuple[float, str]], notes: list[str]
) -> list[Question]:
    """Take FLOPs of a token or of one forward pass out of the offers for `flops`; a question, not needed, and a note."""
    params = _best(table, offers, COUNTS)
    out = []
    for header in [h for c, h in offers if c == "flops"]:
        values = table.numbers(header, DIMENSION["flops"]).scaled(scale_in(header, "flops")[0])
        known = np.isfinite(values) & np.isfinite(params) & (values > 0) & (params > 0)
        if not known.any() or median(values[known]) < PLAUSIBLE["flops"][0]:
            continue
        each = values[known] / (6.0 * params[known])
        tokens = median(each)
        few = _OF_A_TOKEN / 6.0 <= tokens < PLAUSIBLE["tokens"][0]
        if not few and not _one_pass(each, params[known], _best(table, offers, ("tokens",))[known]):
            continue
        del offers["flops", header]
        text = (
            f"{header[:60]!r} is not used: FLOPs / (6 × parameters) come to {tokens:.3g} tokens, so this is no training compute "
            "but that of a token or of one pass."
        )
        notes.append(text)
        out.append(
            Question(
                "columns.flops", f"{text} Choose it if it is the training compute.", (header,), header, needed=False
            )
        )
    return [] if any(c == "flops" for c, _ in offers) else out


def _one_pass(tokens: np.ndarray, params: np.ndarray, said: np.ndarray) -> bool:
    """Whether tokens (n,) that follow from FLOPs are those of a pass: as many for models of any size, and few for each of them.

    `said` (n,) are the tokens that a column says, NaN where none does; where they are as many, FLOPs are the run's.
    """
    many = median(tokens)
    alike = float(tokens.max() / tokens.min()) < _ALIKE and float(params.max() / params.min()) >= _SIZES
    if not alike or many >= _LONGEST_PASS or many >= _FEW * median(params):
        return False
    stated = said[np.isfinite(said) & (said > 0)]
    return not len(stated) or abs(np.log10(median(stated) / many)) > AGREES


def _is_rate(table: Table, header: str, needs: np.ndarray) -> bool:
    """Whether steady values in the range of a device are far from 6 N D (n,), or say by their prefix alone what they are."""
    factor, _ = scale_in(header, "flops")
    if _WHOLE.search(take_apart(header).words):
        return False
    values = table.numbers(header, DIMENSION.get("flops", "")).scaled(factor)
    good = np.isfinite(values) & (values > 0)
    if good.sum() < 2:
        return False
    middle, spread = median(values[good]), float(values[good].max() / values[good].min())
    if not (_DEVICE[0] <= middle <= _DEVICE[1] and spread <= _STEADY):
        return False
    both = good & np.isfinite(needs) & (needs > 0)
    if not both.any():
        return factor in _PREFIXED
    ratio = median(values[both] / needs[both])
    return bool(ratio < 10.0**-AGREES or needs[both].max() / needs[both].min() > _MOVES * spread)


def _best(table: Table, offers: Pairs[tuple[str, str], tuple[float, str]], columns: tuple[str, ...]) -> np.ndarray:
    """The surest column's values (n,) in its own unit, NaN where the table has none."""
    found = [(sure, c, h) for (c, h), (sure, _) in offers.items() if c in columns]
    if not found:
        return np.full(len(table.frame), np.nan)
    _, column, header = max(found)
    return np.asarray(table.numbers(header, DIMENSION.get(column, "")).scaled(scale_in(header, column)[0]))
