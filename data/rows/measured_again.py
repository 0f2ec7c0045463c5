"""One named run evaluated several ways: its last and its best checkpoint, raw and averaged weights, two lengths of context."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.rows.groups import Array, blank, different, kinds, numbered, repeats, sizes, steps
from data.table import Table

MOST = 20  # different values in such a column
SEVERAL = 0.5  # the share of runs that stand under several of them
_COLUMNS = 60
_ROWS = 20_000
_HEAD = 200  # cells that tell whether a column is one of few values

#: Which weights of a run were measured.
_WEIGHTS = re.compile(
    r"(?:the )?(?:last|latest|final|end|best|lowest|minimum|min|averaged?|avg|ema|swa|lawa|raw|online|smoothed|non[- _]?averaged"
    r"|(?:non?|without|no|with|w/o)[- _]?(?:ema|swa|averaging))"
    r"(?:[- _]?(?:ckpt|checkpoint|weights|model|step|val(?:idation)?|loss|average|avg|0?\.[0-9]+))*",
    re.IGNORECASE,
)
#: Headers of how a loss was measured.
_EVALUATED = re.compile(
    r"\b(?:evals?|evaluation|evaluated|inference|val(?:id(?:ation)?)?|test|scoring|measure(?:d|ment))\b"
)
_HOW = re.compile(
    r"\b(?:ctx|context|len(?:gth)?|seq(?:uence)?|window|stride|overlap|seeds?|batch|bs|bsz|tokens?|precision|dtype|bits|quant\w*"
    r"|date|day|temperature|shots?|subset|size|docs|documents|samples|examples|sequences|version|commit|prompt|mode|format|device|hardware"
    r"|harness|code|script|tokeni[sz]er|weights|checkpoint|ckpt)\b"
)
_QUANTITY = re.compile(
    r"\b(?:per|speed|throughput|runtime|seconds?|secs?|acc(?:uracy)?|score|interval|every|freq\w*)\b"
)
#: Numbers of an evaluation that are names, counters or plans.
_NO_WAY = re.compile(
    r"\b(?:steps?|iters?|iterations?|updates?|epochs?|rounds?|period|logs?|progress|ticks?|counter|time|attempts?|sessions?|jobs?"
    r"|workers|gpus?|devices?|nodes?|max|min|id|idx|index|row|no|nr|number|line|column|unnamed|trial|replicate|fold)\b"
)


def measured_again(
    table: Table, settled: Collection[str], names: Collection[str], means: Mapping[str, str], of_a_row: Collection[str]
) -> str:
    """The header that says how each of several losses of one named run was measured; '' where none does.

    Rows of one run are alike in all that was read of its training. `names` are the columns of run names, `means` what each
    column was read as, `of_a_row` which of these may differ between two measurements. A column whose cells name weights (last,
    best, EMA) or whose header names how it was evaluated counts, and whole numbers of an evaluation where each run stands under
    the same. Numbers of another name are settings of runs of their own.
    """
    if not names or not 2 <= len(table.frame) <= _ROWS:
        return ""
    first = next(iter(names))
    named = ~blank(table.text(first))
    if not repeats(table.text(first)[named]):
        return ""
    looked = [
        h for h in table.headers[:_COLUMNS] if h not in settled and h not in table.from_name and loss_name(h) is None
    ]
    ways = [h for h in looked if h != first and (h not in names or means[h] == "run")]
    plain = [h for h in ways if _is_way(table, h, means)]
    for header in (*plain, *(h for h in ways if h not in plain and _is_of_evaluation(table, h, means))):
        same = [
            h
            for h in table.headers
            if h == first
            or (
                h != header
                and h not in plain
                and loss_name(h) is None
                and (_is_read(h, means, of_a_row) or _has_texts(table, h))
            )
        ]
        cells = table.text(header)
        rows = named & ~blank(cells)
        many = different(cells[rows])
        if not 2 <= many <= MOST:
            continue
        key = numbered(*(table.text(h) for h in same))
        own = numbered(key[rows])
        if repeats(numbered(own, cells[rows])):
            continue
        several = kinds(own, cells[rows])
        if header in plain and np.mean(several > 1) >= SEVERAL:
            return header
        every = len(several) > 1 and bool((several == many).all())
        one_each = len(several) == different(table.text(first)[named])  # and no curve
        if header not in plain and every and one_each and not _counts(table, header, key):
            return header
    return ""


def _is_way(table: Table, header: str, means: Mapping[str, str]) -> bool:
    """Whether a column says how a loss was measured, by its cells or by its header."""
    cells = [c for c in dict.fromkeys(table.text(header).to_numpy()[:_HEAD]) if c]
    if 2 <= len(cells) <= MOST and all(_WEIGHTS.fullmatch(c) for c in cells):
        return True
    words = take_apart(header).path.lower()
    return not means[header] and bool(_EVALUATED.search(words) and _HOW.search(words)) and not _QUANTITY.search(words)


def _is_of_evaluation(table: Table, header: str, means: Mapping[str, str]) -> bool:
    """Whether a column holds whole numbers that nobody reads under a name of an evaluation."""
    words = take_apart(header).path.lower()
    if means[header] or not _EVALUATED.search(words) or _NO_WAY.search(words) or _QUANTITY.search(words):
        return False
    found = table.numbers(header)
    return found.share == 1.0 and bool(
        np.isfinite(found.values).all() and (found.values == np.round(found.values)).all()
    )


def _is_read(header: str, means: Mapping[str, str], of_a_row: Collection[str]) -> bool:
    return bool(means[header]) and means[header] not in of_a_row


def _has_texts(table: Table, header: str) -> bool:
    return not pd.api.types.is_numeric_dtype(table.frame[header].dtype) and table.numbers(header).share < 0.5


def _counts(table: Table, header: str, runs: Array) -> bool:
    """Whether the numbers of a column rise, or fall, from row to row of three or more of a run, as those of a count do."""
    step = steps(runs, table.numbers(header).values)
    step = step[~np.isnan(step)]
    return bool(sizes(runs).max() > 2 and ((step > 0).all() or (step < 0).all()))
