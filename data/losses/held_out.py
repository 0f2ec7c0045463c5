"""Held-out losses under names without the word loss (`eval/c4`, `wikitext103`), beside a training loss of their size."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np

from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.table import Table

SIZE = 2.0  # how many times the training loss a held-out one may be, and the other way round
MANY = 20  # columns that are compared with the training loss

SPLIT = re.compile(
    r"\b(?:val(?:id(?:ation)?|idate)?|evals?|evaluation|dev|test|held ?out|holdout|unseen|out of (?:domain|sample))\b"
)
#: Texts on which language models are evaluated; a number behind the name is its version.
CORPUS = re.compile(
    r"\b(?:m?c4|(?:the )?pile|wiki ?text|wiki(?:pedia)?|wt|paloma|slim ?pajama|red ?pajama|fine ?web(?: edu)?|web ?text|open ?web ?text|owt"
    r"|dolma|dclm|refined ?web|lm1b|1b words?|ptb|penn ?tree ?bank|books?(?: ?corpus)?|gutenberg|pg|ar ?xiv|pub ?med|git ?hub"
    r"|the ?stack|stack ?exchange|star ?coder(?: ?data)?|common ?crawl|cc(?: ?net)?|oscar|roots|culturax|en ?wik|tiny ?stories|cosmopedia"
    r"|m2d2|manosphere|twitter|reddit|falcon|nemotron|lambada)(?: ?v?[0-9.]+)?\b"
)
#: What is measured on the same texts and is no loss, and what is said of an evaluation.
_NO_LOSS = re.compile(
    r"\b(?:acc(?:uracy)?|score|f1|em|exact|match|bleu|rouge|mrr|auc|precision|recall|shots?|pass|win|rate|time|seconds?|secs?|hours?|runtime"
    r"|steps?|tokens?|toks?|samples?|examples?|docs?|documents?|bytes?|words?|epochs?|iters?|batch(?:es)?|size|length|speed|per|throughput"
    r"|grad|norm|lr|std|stderr|stddev|sem|se|err|error|var|ci|delta|diff|gap|ratio|frac(?:tion)?|percent|share|weight|proportion|mix"
    r"|seed|rank|id|index|date|url|version|entropy|temperature|predicted|pred|target|baseline|train(?:ing)?|hella ?swag|arc|mmlu|piqa"
    r"|boolq|wino ?grande|gsm8k|human ?eval|mbpp|openbook ?qa|obqa|sciq|trivia ?qa|n|num|count|lambda|improvement|start|init)\b"
)


def unnamed(table: Table, used: Collection[str], losses: Mapping[str, str]) -> dict[str, bool]:
    """Headers that name a held-out split or a text and hold losses, with whether a split is named; empty where there are none.

    `used` are headers that mean something else, `losses` the split that the name of each loss says ("train", "" for none). The
    values are as large as those of the first and do not rise where it falls, as those of an accuracy do.
    """
    if not losses or any(split in ("validation", "test") for split in losses.values()):
        return {}
    out: dict[str, bool] = {}
    first = table.numbers(next(iter(losses)), "loss").values
    for header in table.headers:
        if header in used or header in losses or loss_name(header) is not None or len(out) >= MANY:
            continue
        path = take_apart(header).path
        split = bool(SPLIT.search(path))
        if (split or CORPUS.search(path)) and not _NO_LOSS.search(path) and _like(table, header, first):
            out[header] = split
    return out


def _like(table: Table, header: str, loss: np.ndarray) -> bool:
    """Whether a column holds numbers about as large as a loss (n,) which go with it."""
    found = table.numbers(header)
    values = found.values[np.isfinite(found.values)]
    if found.share < 0.5 or not len(values) or not (values > 0).all() or (values == np.round(values)).all():
        return False
    own, other = float(np.median(values)), float(np.nanmedian(loss)) if np.isfinite(loss).any() else float("nan")
    if not 1 / SIZE <= own / other <= SIZE or (values.max() <= 1.0 < other):
        return False
    both = np.isfinite(found.values) & np.isfinite(loss)
    a, b = found.values[both], loss[both]
    if len(a) < 2 or b.min() == b.max():
        return True  # logged in rows of their own, or all alike: nothing says that they part
    if a.min() == a.max():
        return False  # a share of the training data
    ranks = [np.argsort(np.argsort(v)).astype(float) for v in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1]) > 0.0
