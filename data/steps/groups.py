"""What tells the groups of a sweep of batches apart: columns in which runs at one batch differ, other than what is tuned or repeated."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.cells.cleaned import clean
from data.headers.names import loss_name, named
from data.headers.parts import header
from data.steps.tuned import is_tuned

#: Columns of the runs table that are settings: runs at one batch that differ in one are of two sweeps.
SETTINGS = (
    "family", "params", "params_total", "params_nonembed", "params_active", "dataset", "seq_len", "group", "schedule", "weight_decay",
    "warmup_steps", "total_steps", "unique_tokens", "data_fraction", "layers", "width", "heads", "head_dim", "ffn", "vocab", "experts",
    "top_k",
)  # fmt: skip
#: Others of them: what came out, what is tuned or repeated, and what the batch itself is made of.
OTHERS = (
    "run", "seed", "lr", "loss", "loss_error", "tokens", "tokens_per_param", "unique_samples", "epochs", "flops", "flops_per_token",
    "flops_convention", "steps", "step", "samples", "batch", "batch_sequences", "batch_device", "grad_accum", "devices", "data_parallel",
    "tensor_parallel", "pipeline_parallel", "context_parallel", "wall_seconds", "state", "params_logged",
)  # fmt: skip
LEAST = 3  # batches at which a value stands that may be a group's
SAME_BATCH = 0.02  # batches nearer than this are one
MOST_COLUMNS = 200  # columns of the file's own that are looked at
NAMED = 4  # values named in a sentence
APART = ": each is a group of its own."
_REPEATED = (
    r"seeds?|reps?|repeats?|repetitions?|replicas?|replicates?|trials?|tr(?:y|ies)|attempts?|folds?|idx|index|ids?|uids?|uuids?|rows?"
    r"|nr"
)
_TUNED = r"lrs?|learning rates?|(?:\w+_)?lr(?:_\w+)?|eta|peak rate|rate"
_AROUND = (
    r"names?|hosts?|hostnames?|nodes?|machines?|clusters?|gpus?|devices?|accelerators?|hardware|users?|authors?|owners?|commits?|git|sha|hash"
    r"|dates?|times?|timestamps?|created|updated|started|finished|runtime|duration|paths?|dirs?|folders?|files?|urls?|links?|notes?"
    r"|comments?|remarks?|tags?|roles?|purposes?|states?|status|seconds|hours|minutes|throughput|mfu|std|sd|sem|stderr|err|error|ci"
)
_NO_SETTING = re.compile(rf"\b(?:{_REPEATED}|{_TUNED}|{_AROUND})\b")
_NUMBERED = re.compile(
    r"(?:(?:runs?|seeds?|reps?|replicas?|trials?|try|attempt|[rs#])?[-_ #]?)[0-9]+", re.IGNORECASE
)  # run1: a repeat

#: Words of headers of text that is a setting even where a seed or a learning rate goes with it.
_SETTING = re.compile(
    r"\b(?:opt|optimi[sz]er|data|datasets?|corpus|schedule[rs]?|models?|famil(?:y|ies)|arch|architectures?|tokeni[sz]er|activation|norm"
    r"|precision|dtype|init|method|algorithm|variant|size|task|attention|target|goal)\b"
)
_A_NUMBER = re.compile(r"[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?", re.IGNORECASE)
_REPEAT = re.compile(r"(?:seed|rep|run|[rs])?[-_ #=]*[0-9]*$", re.IGNORECASE)
_SAME_RATE = 0.01  # a rate written out is rounded by no more


@dataclass(frozen=True)
class Apart:
    """What tells groups apart: `by` are the columns each of whose values is a group, `mixed` those in which runs of one group still
    differ. `notes` say both, a sentence each."""

    by: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def tell_apart(
    rows: pd.DataFrame,
    cells: Sequence[str],
    meaning: Mapping[str, str] | None = None,
    *,
    split: bool = True,
    what: str = "Runs",
) -> Apart:
    """What tells groups of `rows` apart, one a run, that should be alike but for their batch and what is tuned.

    `cells` are the columns of which only rows alike are compared: the batch first, then a target, an amount of data, a group known
    before. `meaning` gives the column of the runs table for those under other names. A column of text or a setting of the
    runs table whose values come back at `LEAST` batches tells groups apart, in that order; any other that differs is said to
    (with `split` False all are). Learning rates, seeds, names and what a run came to do not, nor text that writes out the rate or
    names an amount of data. Text under a header that is no known setting is said, too, where it goes with the seeds or rates.
    """
    meaning = meaning or {}
    ordered = [c for s in SETTINGS for c in rows if meaning.get(c, c) == s]
    rest = [
        c for c in list(rows)[:MOST_COLUMNS] if meaning.get(c, c) not in (*SETTINGS, *OTHERS) and not _is_other(str(c))
    ]
    names = [
        c for c in rows if meaning.get(c, c) == "run" and c not in cells and not pd.api.types.is_numeric_dtype(rows[c])
    ]
    texts = [c for c in rest if not pd.api.types.is_numeric_dtype(rows[c])]
    numbers = [c for c in rest if c not in texts]
    batch = _bins(rows[cells[0]].to_numpy(float))
    keys = [pd.Series(batch, index=rows.index), *(_written(rows[c]) for c in cells[1:])]
    rates = next((rows[c] for c in rows if meaning.get(c, c) == "lr"), None)
    amounts = [c for c in rows if meaning.get(c, c) in ("tokens", "steps") and pd.api.types.is_numeric_dtype(rows[c])]
    seed = next((rows[c] for c in rows if meaning.get(c, c) == "seed"), None)
    by: list[str] = []
    mixed: list[str] = []
    for column in [c for c in (*ordered, *texts, *names, *numbers) if c not in cells]:
        values, setting = _written(rows[column]), column not in numbers
        text = not pd.api.types.is_numeric_dtype(rows[column])
        known = values != ""
        if values[known].nunique() < 2 or (text and all(_NUMBERED.fullmatch(v) for v in values[known].unique())):
            continue
        if not text and rates is not None and _tuned_along(rows[column], rates):
            continue
        a_setting = not text or _is_setting(column, meaning)
        along = False
        if text and rates is not None:
            if _writes_out(values[known], rates[known]):
                continue
            along = not a_setting and _tuned_along(values.where(known), rates)
        if text and not a_setting and any(_one_amount(values[known], rows.loc[known, c]) for c in amounts):
            continue
        at = keys[:1] + keys[len(cells) :] if text else keys
        if not (
            _within(values[known], [k[known] for k in at]) or _across(values[known], batch[known.to_numpy()], at, known)
        ):
            continue
        recurs = _recurs(values[known], batch[known.to_numpy()])
        if not a_setting and not along:
            beside = [k[known] for k in (*keys, *(_written(r) for r in (rates,) if r is not None))]
            along = (seed is not None and _goes_with(values[known], seed[known], beside)) or any(
                _settled_by(values[known], rows.loc[known, c]) for c in amounts
            )
        if along:
            if recurs:
                mixed.append(column)
            continue
        if setting and recurs and split:
            by.append(column)
            keys.append(values)
        elif recurs or (setting and values[known].nunique() <= 0.5 * known.sum()):
            mixed.append(column)
    notes = []
    if by:
        notes.append(f"{what} at one batch differ in {_listed(rows, by)}{APART}")
    if mixed:
        it = "it is a setting, group by it" if len(mixed) == 1 else "they are settings, group by one"
        ways = "(--by, by=, or Group by on the Batch page)"
        notes.append(f"{what} at one batch differ in {_listed(rows, mixed)} and count as one group; if {it} {ways}.")
    return Apart(tuple(by), tuple(mixed), tuple(notes))


def group_names(rows: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """The group of each row (n,): its values, numbers with their column's name; '' for all without columns."""
    out = pd.Series("", index=rows.index, dtype="str")
    for column in by:
        own = _written(rows[column])
        if pd.api.types.is_numeric_dtype(rows[column]) and column not in ("params", "seq_len"):
            own = own.where(own == "", f"{column} " + own)
        own = own.where(own != "", "not said")
        out = out.where(out == "", out + ", ") + own
    return out


def may_tell(column: str) -> bool:
    """Whether a column of that name may tell groups apart: it is no result, nothing tuned or repeated, no part of the batch."""
    return column in SETTINGS or (column not in OTHERS and not _is_other(str(column)))


def _is_other(column: str) -> bool:
    words = header(column).words
    known = {name for name, sure in named(column) if sure >= 0.6}
    return bool(_NO_SETTING.search(words) or is_tuned(column) or known & set(OTHERS) or loss_name(column) is not None)


def _written(column: pd.Series) -> pd.Series:
    """Values (n,) as text, numbers to six digits, '' where nothing is said."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        kinds = {v: "" if v != v else f"{v:.6g}" for v in np.unique(values)}
        return pd.Series([kinds.get(v, "") for v in values], index=column.index, dtype="str")
    return pd.Series(
        ["" if v is None or v is pd.NA or v != v else clean(str(v)) for v in column.astype(object)],
        index=column.index,
        dtype="str",
    )


def _bins(batch: np.ndarray) -> np.ndarray:
    """A number for each batch (n,), the same for those next to each other."""
    sizes = np.unique(batch[np.isfinite(batch)])
    if not len(sizes):
        return np.zeros(len(batch), int)
    begins = np.concatenate([[True], sizes[1:] > (1.0 + SAME_BATCH) * sizes[:-1]])
    return np.cumsum(begins)[np.clip(np.searchsorted(sizes, batch), 0, len(sizes) - 1)]


def _within(values: pd.Series, keys: list[pd.Series]) -> bool:
    """Whether rows alike in the keys differ."""
    return bool(len(values)) and bool((values.groupby([k.to_numpy() for k in keys]).nunique() > 1).any())


def _across(values: pd.Series, batch: np.ndarray, at: list[pd.Series], known: pd.Series) -> bool:
    """Whether two values each stand at batches enough that lie between those of the other, under the groups known."""
    frame = pd.DataFrame({"value": values.to_numpy(), "batch": batch})
    frame["rest"] = ""
    for key in at[1:]:
        frame["rest"] += key[known].to_numpy().astype(object) + "\x1f"
    for _, own in frame.groupby("rest", sort=False):
        each = own.groupby("value")["batch"].agg(["min", "max", "nunique"])
        each = each[each["nunique"] >= LEAST].sort_values("min").to_numpy()
        ends = np.maximum.accumulate(each[:, 1]) if len(each) else each
        inside = [
            own.loc[own["batch"].between(low, high), "batch"].nunique()
            for low, high in zip(each[1:, 0], ends[:-1], strict=True)
        ]
        if any(n >= LEAST for n in inside):
            return True
    return False


def _recurs(values: pd.Series, batch: np.ndarray) -> bool:
    """Whether half of the rows have a value that stands at batches enough to be a group's."""
    each = pd.Series(batch, index=values.index).groupby(values).nunique()
    return bool((values.map(each) >= LEAST).mean() >= 0.5)


def _is_setting(column: str, meaning: Mapping[str, str]) -> bool:
    """Whether text under that header is a setting for certain; a name of a run or a group may be of anything."""
    known = meaning.get(column, column)
    return (known in SETTINGS and known != "group") or bool(_SETTING.search(header(str(column)).words))


def _writes_out(values: pd.Series, rates: pd.Series) -> bool:
    """Whether text says the learning rate of its row, and beside it no more than which repeat it is."""
    pairs = pd.DataFrame({"value": values, "rate": pd.to_numeric(rates, errors="coerce")}).dropna().drop_duplicates()
    if pairs["rate"].nunique() < 2 or not pairs["value"].is_unique:
        return False
    rest: set[str] = set()
    for value, rate in zip(pairs["value"], pairs["rate"], strict=True):
        said = next(
            (m for m in _A_NUMBER.finditer(str(value)) if abs(float(m[0]) - rate) <= _SAME_RATE * abs(rate)), None
        )
        if said is None:
            return False
        rest.add(f"{str(value)[: said.start()]}\x1f{_REPEAT.sub('', str(value)[said.end() :])}")
    return len(rest) == 1


def _one_amount(values: pd.Series, amounts: pd.Series) -> bool:
    """Whether each text stands at an amount of its own: it names the amount."""
    amount = _bins(amounts.to_numpy(float))
    pairs = pd.DataFrame({"value": values.to_numpy(), "amount": amount})[amounts.notna().to_numpy()].drop_duplicates()
    return len(pairs) >= 2 and bool(pairs["value"].is_unique and pairs["amount"].is_unique)


def _settled_by(values: pd.Series, amounts: pd.Series) -> bool:
    """Whether the amount says the text: short runs under one name and long ones under another."""
    amount = _bins(amounts.to_numpy(float))[amounts.notna().to_numpy()]
    each = values[amounts.notna()].groupby(amount).nunique()
    return len(each) >= 3 and len(each) <= len(amount) / 2 and bool((each == 1).all())


def _goes_with(values: pd.Series, seed: pd.Series, beside: list[pd.Series]) -> bool:
    """Whether rows that are otherwise alike differ in the text only where their seeds do: it may be of the repeat."""
    seeds = _written(seed)
    if seeds[seeds != ""].nunique() < 2 or not _within(values, beside):
        return False
    return not _within(values, [*beside, seeds])


def goes_with_repeats(rows: pd.DataFrame, column: Hashable, beside: Sequence[pd.Series]) -> bool:
    """Whether rows alike in all of `beside` (n,) differ in the column only where their seeds do, by the columns named as seeds."""
    seeds = [c for c in list(rows)[:MOST_COLUMNS] if c != column and is_repeated(str(c))]
    values, keys = _written(rows[column]), [_written(b) for b in beside]
    return any(_goes_with(values, rows[c], keys) for c in seeds)


def is_repeated(column: str) -> bool:
    """Whether a column of that name numbers repeats: a seed, a replicate, a try."""
    return bool(re.search(rf"\b(?:{_REPEATED})\b", header(column).words))


def _tuned_along(column: pd.Series, rates: pd.Series) -> bool:
    """Whether a number, or text, goes with the learning rate, one value for each of three or more."""
    pairs = pd.DataFrame({"value": column, "rate": rates}).dropna().drop_duplicates()
    return len(pairs) >= 3 and bool(pairs["value"].is_unique and pairs["rate"].is_unique)


def _listed(rows: pd.DataFrame, columns: Sequence[str]) -> str:
    said = []
    for column in columns:
        values = [v for v in _written(rows[column]).unique() if v]
        more = ", …" if len(values) > NAMED else ""
        said.append(f"{str(column)!r} ({', '.join(values[:NAMED])}{more})")
    return " and ".join(said)
