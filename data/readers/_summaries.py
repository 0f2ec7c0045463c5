"""Rows that sum up others: means, deviations, what describe() prints."""

from __future__ import annotations

import re

import numpy as np

from data.cells.markup import stripped, words
from data.headers.names import loss_name, named
from data.table import Table

SUMMARY = "a summary of other rows, not a run"
_SUMMARY = re.compile(
    r"(?:overall |grand |column )?(?:averages?|avg|overall|moyenne|durchschnitt|mittelwert|ø|Σ|σ"
    r"|means?|medians?|totals?|sums?|std|stdev|std ?dev(?:iation)?"
    r"|standard (?:deviation|error)|sem|stderr"
    r"|(?:mean|avg|average) ?(?:±|\+/?-|\(|and|/) ?(?:std|sd|sem|stdev|se)\)?"
    r"|min(?:imum)?|max(?:imum)?|counts?|geo(?:metric)? ?mean|[0-9]{1,2} ?%)"
    r"(?: ?\(.{1,30}\)| of (?:all|the).{0,30}| over (?:all|the).{0,30})?",
    re.IGNORECASE,
)
OF_SEEDS = re.compile(r"(.*?)[ _/-]*[(\[]?(?:mean|avg|average)[)\]]?", re.IGNORECASE)  # a mean, 125M (avg)
_STATISTICS = frozenset(("count", "mean", "std", "min", "max", "median", "sum", "total"))
_ALSO = {
    "average": "mean",
    "avg": "mean",
    "stdev": "std",
    "std dev": "std",
    "minimum": "min",
    "maximum": "max",
    "counts": "count",
}
_NO_SIZE = frozenset(("count", "mean", "std"))  # min, median and max alone may be sizes of models
_SEVERAL = 3  # different statistics that no runs are named after
#: What a merged cell may say of the rows below it: settings of a model. Names of runs and what was measured are their own.
SETTINGS = frozenset((
    "params", "params_total", "params_nonembed", "params_active", "family", "group", "tokens", "unique_tokens", "flops", "batch",
    "batch_sequences", "seq_len", "lr", "steps", "weight_decay", "dataset", "layers", "width", "heads", "head_dim", "ffn", "vocab",
    "experts", "top_k", "schedule", "warmup_steps",
))  # fmt: skip


def is_summary(text: str) -> bool:
    """Whether a cell says that its row sums up others: Average, Mean, std, 25%."""
    plain = " ".join(stripped(words(text[:80])).replace(".", " ").strip(" :").split())
    return len(plain) < 60 and bool(_SUMMARY.fullmatch(plain))


def summaries(table: Table, cells: np.ndarray, filled: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Which rows (n,) sum up others: they say so in their first cell, and lack what runs have or hold what runs amount to."""
    n = len(cells)
    said = np.zeros(n, dtype=bool)
    for i in range(n):
        first = np.flatnonzero(filled[i])[:1]
        said[i] = bool(len(first)) and first[0] < 3 and is_summary(str(cells[i][first[0]]))
    for j in seeds(table):
        said |= np.array([bool(c) and is_summary(str(c)) for c in cells[:, j]])
    of_seeds = _means_of_seeds(table, cells, heads)
    said |= of_seeds
    plain = ~said & ~heads
    kinds = {_kind(str(row[0])) for row in cells[said]} - {""}
    below = plain.any() and np.flatnonzero(plain)[-1] < np.flatnonzero(said)[0] if said.any() else False
    if len(kinds) >= _SEVERAL and (below or (not plain.any() and kinds & _NO_SIZE)):
        return said  # what describe() prints, or a table with its own statistics below it
    if not said.any() or not plain.any() or said.sum() > 0.5 * n:
        return np.zeros(n, dtype=bool)
    usual = filled[plain].mean(axis=0) > 0.9
    lacks = (usual[None, :] & ~filled).any(axis=1)
    values = {h: v.values for h in table.headers if (v := table.numbers(h)).share > 0.5}
    out = (said & lacks) | of_seeds
    for i in map(int, np.flatnonzero(said & ~lacks)[:200]):
        start = max(
            (int(k) + 1 for k in np.flatnonzero((said & (np.arange(n) < i)) | (heads & (np.arange(n) < i)))), default=0
        )
        above = plain & (np.arange(n) < i)
        out[i] = any(
            _amounts(v[i], v[rows]) for v in values.values() for rows in (above, above & (np.arange(n) >= start))
        )
    return out


def _kind(text: str) -> str:
    """The statistic that a cell names, and nothing else: mean, std, min; '' for others, shares such as 25% among them."""
    plain = stripped(words(text[:80])).replace(".", "").strip(" :").lower()
    return plain if plain in _STATISTICS else _ALSO.get(plain, "")


def _means_of_seeds(table: Table, cells: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Which rows (n,) are the means of those right above, whose names begin alike and whose settings are the same: a mean."""
    out = np.zeros(len(cells), dtype=bool)
    values = {h: v.values for h in table.headers if (v := table.numbers(h)).share > 0.5}
    losses = [h for h in values if loss_name(h) is not None]
    if not losses:
        return out
    settings = [v for h, v in values.items() if h not in losses and any(c in SETTINGS for c, _ in named(h)[:1])]
    names = [str(c) for c in cells[:, 0]]
    for i, name in enumerate(names):
        found = OF_SEEDS.fullmatch(words(name[:80]))
        if not found or not found[1] or heads[i]:
            continue
        start = i
        while start and names[start - 1].startswith(found[1]) and not out[start - 1]:
            start -= 1
        numbered = all(re.search(r"[0-9]", n[len(found[1]) :]) for n in names[start:i])  # a seed 1, a-s2
        alike = numbered and i - start > 1 and all(np.ptp(v[start : i + 1]) == 0 for v in settings)
        if alike:
            out[i] = any(abs(v[i] - v[start:i].mean()) <= 1e-3 * abs(v[i]) for h in losses for v in (values[h],))
    return out


def _amounts(value: float, others: np.ndarray) -> bool:
    """Whether a value is the mean, median or sum of at least two others that differ."""
    others = others[np.isfinite(others)]
    if not np.isfinite(value) or len(others) < 2 or np.ptp(others) == 0:
        return False
    with np.errstate(all="ignore"):
        kinds = (
            others.mean(),
            np.median(others),
            others.sum(),
            others.std(ddof=1),
            others.std(),
            others.min(),
            others.max(),
        )
    return any(abs(value - k) <= 2e-3 * abs(k) for k in kinds)


def seeds(table: Table) -> list[int]:
    """The places of the columns that number repeats."""
    return [j for j, h in enumerate(table.headers) if any(c == "seed" and s >= 0.6 for c, s in named(h))]
