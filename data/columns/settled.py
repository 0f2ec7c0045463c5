"""Columns whose names leave open what they count, settled by what stands beside them: counts, steps, batches, data sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs
from typing import Any

import numpy as np

from data.errors import NO_COLUMN, Question
from data.headers.logs import logged, raised
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.middle import median
from data.schema import COUNTS
from data.table import Table
from data.units.factors import DIMENSION

TAKEN = 0.6  # below this a guess is offered and not taken
_SHORT_BATCH = 1.5  # how many times a sequence a batch must fall short of it before it is doubted

Offers = dict[tuple[str, str], tuple[float, str]]


def settle_passes(table: Table, offers: Offers) -> None:
    """A data set's size beside passes over it is the unique tokens, and a constant beside a count that rises is no count."""
    if any(c.endswith("_parallel") for c, _ in offers):  # ep is a degree of parallelism there
        for o in [o for o in offers if o[0] == "epochs" and take_apart(o[1]).words == "ep"]:
            del offers[o]
    epochs = [h for c, h in offers if c == "epochs"]
    passes = max((float(np.nanmax(np.append(table.numbers(h).values, 0.0))) for h in epochs), default=0.0)
    sized = [o for o in offers if o[0] == "tokens" and SIZE_OF_DATA.fullmatch(take_apart(o[1]).words)]
    others = [o for o in offers if o[0] == "tokens" and o not in sized]
    unsaid = bool(sized) and not others and not any(c == "unique_tokens" for c, _ in offers)
    of_a_set = any(not _PLAIN.fullmatch(take_apart(_BRACKETS.sub("", h)).words) for _, h in sized)
    if unsaid and (passes > 1 or (passes and of_a_set and _in_part(table, offers))):
        for o in sized:
            del offers[o]
            offers["unique_tokens", o[1]] = 0.62, "the size of the data, seen as often as the epochs say"
    moving = [o for o in others if len(np.unique(table.numbers(o[1]).values)) > 1]
    for o in others:
        if moving and o not in moving and len(table.frame) > 2 and any(c == "steps" for c, _ in offers):
            offers[o] = 0.55, f"{offers[o][1]}; it does not change, and {moving[0][1]} does"


@np.errstate(all="ignore")
def _in_part(table: Table, offers: Offers) -> bool:
    """Whether runs passed over a part of the data alone: an epoch is below one, and the size is not that of the part already.

    It is where it goes with the epochs, where it alone goes with the sizes of models, or where FLOPs bear it out.
    """
    found = {c: _first(table, offers, c, {}) for c in ("tokens", "epochs", "flops", *COUNTS)}
    size, epochs = found["tokens"], found["epochs"]
    if size is None or epochs is None:
        return False
    part = np.isfinite(size) & (size > 0) & (epochs > 0) & (epochs < _A_PASS)
    if not part.any():
        return False
    each = size[part] / epochs[part]
    if len(np.unique(size[part])) > 1 and float(np.ptp(each)) <= _ROUNDED * float(np.max(each)):
        return False
    count = next((found[c] for c in COUNTS if found[c] is not None), None)
    if count is None:
        return True
    if _one(size / count) and not _one(size * epochs / count) and not _one(count):
        return False
    if found["flops"] is None:
        return True
    spent = found["flops"][part] / (6.0 * count[part] * size[part])
    return not abs(middle(spent) - 1) < abs(middle(spent / epochs[part]) - 1)


def _one(values: np.ndarray) -> bool:
    """Whether the finite values (n,) are one and the same, but for rounding."""
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and float(np.ptp(finite)) <= _ROUNDED * float(np.max(finite))


_PLAIN = re.compile(r"(?:total |full |whole |n |num )?(?:train(?:ing)? )?data")  # as often what a run was trained on
_BRACKETS = re.compile(r"[(\[][^)\]]{0,40}[)\]]")
_A_PASS = 0.95  # of an epoch, which trainers round down
_ROUNDED = 0.02  # how near two products come that say the same


def unique_or_seen(table: Table, offers: Offers, settled: set[str]) -> list[Question]:
    """A question where the same tokens stand beside epochs that vary: they may be the data that the epochs pass over.

    Not on a curve, nor where FLOPs or steps and batches bear out that it is what each run was trained on. Repeats are taken for
    epochs where they stand so, also once a person has answered.
    """
    if any(c == "unique_tokens" and s >= TAKEN for (c, _), (s, _) in offers.items()) or "epochs" in settled:
        return []
    if not any(c == "epochs" for c, _ in offers):
        again = [h for h in table.headers if _REPEATS.fullmatch(take_apart(h).words) and table.numbers(h).share == 1.0]
        if len(again) != 1 or not ("unique_tokens" in settled or any(c == "tokens" for c, _ in offers)):
            return []
        asked = _data_or_seen(table, {**offers, ("epochs", again[0]): (TAKEN, "")}, settled)
        if asked or "unique_tokens" in settled:
            offers["epochs", again[0]] = TAKEN, "name may mean this"
        return asked
    return _data_or_seen(table, offers, settled)


def _data_or_seen(table: Table, offers: Offers, settled: set[str]) -> list[Question]:
    """The question of `unique_or_seen`, for the tokens and the epochs among the offers."""
    found = {c: _first(table, offers, c, {}) for c in ("tokens", "epochs", "flops", "steps", "batch", *COUNTS)}
    tokens, epochs = found["tokens"], found["epochs"]
    if tokens is None or epochs is None or settled & {"tokens", "unique_tokens"}:
        return []
    both = np.isfinite(tokens) & np.isfinite(epochs)
    names = [table.text(h) for c, h in offers if c in ("run", "family")]
    size = next((found[c] for c in COUNTS if found[c] is not None), None)
    (sure, header), (_, passes) = (
        max((s, h) for (c, h), (s, _) in offers.items() if c == k) for k in ("tokens", "epochs")
    )
    with np.errstate(all="ignore"):
        one = bool(both.any()) and np.ptp(tokens[both]) <= 1e-6 * np.max(tokens[both])
        varied = bool(both.any()) and np.min(epochs[both]) > 0 and np.max(epochs[both]) >= 1.5 * np.min(epochs[both])
        spent = (
            middle(found["flops"] / (6.0 * size * tokens))
            if found["flops"] is not None and size is not None
            else np.nan
        )
        steps, batch = found["steps"], found["batch"]
        stepped = middle(tokens / (steps * batch)) if steps is not None and batch is not None else np.nan
    several = any(not n.duplicated().any() for n in names) or (not names and size is not None and all_differ(size))
    sizes = np.ones(len(epochs)) if size is None else size
    if one:
        several = several or _no_log(sizes, epochs)
    else:
        several = several or _no_log(sizes, epochs, tokens, take_apart(passes).words != "epoch")
    parts = one and bool(SIZE_OF_DATA.fullmatch(take_apart(header).words))  # no two parts of one set are as large
    again = varied and several and (one or _crossed(tokens[both], epochs[both]))
    if not (again and (np.max(epochs[both]) > 1 or parts)) or any(abs(r - 1) < _BORNE_OUT for r in (spent, stepped)):
        return []
    if sure < TAKEN or re.search(_SEEN, take_apart(header).words):
        return []
    every = f"is {tokens[both][0]:.4g} in every row" if one else f"stays the same, such as {tokens[both][0]:.4g},"
    text = (
        f"Is {header!r} the data that {passes!r} passes over? It {every}{',' if one else ''} while the epochs go from "
        f"{np.min(epochs[both]):g} to {np.max(epochs[both]):g}: then it holds the unique tokens, and each run was trained on them "
        f"times its epochs. Choose {NO_COLUMN!r} if it counts all that each run was trained on."
    )
    return [Question("columns.unique_tokens", text, (header, NO_COLUMN), header)]


_REPEATS = re.compile(
    r"(?:(?:n|num|num of|number of) )?(?:(?:data|dataset|corpus|tokens?) )?(?:repeats|repetitions)(?: (?:of|over) (?:the )?data)?"
    r"|times (?:repeated|seen)"
)


def _crossed(tokens: np.ndarray, epochs: np.ndarray) -> bool:
    """Whether nearly every row's amount of tokens (n,) stands beside several numbers of epochs (n,), all of them whole."""
    if (epochs != np.round(epochs)).any():
        return False
    several = [len(np.unique(epochs[tokens == t])) > 1 for t in tokens]
    return float(np.mean(several)) >= _NEARLY


def _no_log(sizes: np.ndarray, epochs: np.ndarray, tokens: np.ndarray | None = None, planned: bool = False) -> bool:
    """Whether epochs (n,) are whole and few for every size (n,), and are not counted one by one as a log counts them.

    Those of each amount of tokens (n,) are looked at by themselves; `planned` says that their name is not a counter's.
    """
    if not np.isfinite(epochs).all() or (epochs != np.round(epochs)).any():
        return False
    amounts = np.ones(len(epochs)) if tokens is None else tokens
    keys = {(s, d) for s, d in zip(sizes, amounts, strict=True) if np.isfinite(s) and np.isfinite(d)}
    own = [np.sort(epochs[(sizes == s) & (amounts == d)]) for s, d in keys]
    counted = [not planned and len(e) > 1 and e[0] in (0, 1) and bool((np.diff(e) == 1).all()) for e in own]
    return bool(own) and max(map(len, own)) <= _FEW_EPOCHS and not any(counted)


_FEW_EPOCHS = 6
_NEARLY = 0.8  # the share of rows


def all_differ(values: np.ndarray) -> bool:
    """Whether finite values (n,) are all different, as the sizes of runs are and those of checkpoints are not."""
    finite = values[np.isfinite(values)]
    return len(finite) > 1 and len(np.unique(finite)) == len(finite)


_SEEN = r"\b(?:seen|trained|consumed|processed|used|total|cumulative)\b"
_BORNE_OUT = 0.25  # how near a ratio comes to one where another column says the same; epochs differ by more

SIZE_OF_DATA = re.compile(
    r"(?:total |full |whole |n |num )?(?:(?:train(?:ing)? )?(?:dataset|data|corpus)(?: set)?|train(?:ing)? set)(?: size)?"
    r"(?: (?:in )?(?:tokens?|toks?))?"
    r"|(?:size|tokens) (?:of|in) (?:the )?(?:dataset|data|corpus)(?: tokens)?|size tokens (?:of )?(?:dataset|data|corpus)"
)


_COUNT = re.compile(r"\b(?:num|number|idx|index|count)$")  # iter_num: a counter too


def settle_steps(table: Table, offers: Offers) -> None:
    """A plural beside a counter that nowhere exceeds it is what the run was planned for: `step` and `num_train_steps`."""
    if any(c == "total_steps" for c, _ in offers):
        return
    several = [h for c, h in offers if c == "steps"]
    counters = [h for h in several if re.search(r"\b(?:step|iter|iteration|itr|update)$", take_apart(h).words)]
    if len(counters) != 1:
        return
    done = table.numbers(counters[0]).values
    for header in several:
        planned = table.numbers(header).values
        both = np.isfinite(done) & np.isfinite(planned)
        if (
            header != counters[0]
            and take_apart(header).words not in ("steps", "iters", "iterations", "updates")
            and not _COUNT.search(take_apart(header).words)
            and both.any()
            and (planned[both] >= done[both]).all()
            and (planned[both] > done[both]).any()
        ):
            sure, how = offers.pop(("steps", header))
            offers["total_steps", header] = sure, f"{how}; nowhere below {counters[0]}: the planned steps"
            return


def settle_batch(table: Table, offers: Offers, said: str | None, factors: Pairs[str, float | str]) -> list[Question]:
    """Tell tokens per step from sequences per step where the name leaves it open; a question where the values do too.

    `said` is "tokens" or "sequences" where a person has answered, `factors` are those of units that a person gave.
    """
    _part_of_the_whole(table, offers)
    asked = _less_than_a_sequence(table, offers, said, factors)
    measured = any(c in ("tokens", "samples") and s >= TAKEN for (c, _), (s, _) in offers.items())
    stepped = {"steps", "seq_len"} <= {c for c, _ in offers}
    stated = any(c == "batch" and s >= TAKEN for (c, _), (s, _) in offers.items())
    for column, header in [o for o in offers if o[0] == "batch_sequences" and offers[o][0] < 0.9]:
        sure, how = offers[column, header]
        if any(re.search(r"tok", part, re.IGNORECASE) for part in take_apart(header).parts):
            del offers[column, header]
            offers["batch", header] = sure, how + "; in tokens, as its unit says"
            continue
        batch = _batch(table, header)
        steps, tokens = (_first(table, offers, c, factors) for c in ("steps", "tokens"))
        with np.errstate(all="ignore"):
            known = steps is not None and tokens is not None
            ratio = middle(tokens / (batch * steps)) if known else np.nan
            typical = middle(batch)
        in_tokens = abs(ratio - 1) < 0.05 if np.isfinite(ratio) else typical >= 8192
        if said in ("tokens", "sequences") and not stated:
            in_tokens = said == "tokens"
        elif in_tokens and not np.isfinite(ratio) and stepped and not measured:
            text = f"Does {header!r} count tokens or sequences? The tokens of each run follow from it."
            asked.append(Question("batch", text, ("tokens", "sequences"), "tokens"))
        if in_tokens:
            del offers[column, header]
            offers["batch", header] = sure, how + "; taken as tokens per step from its values"
        else:
            offers[column, header] = sure, how + "; taken as sequences per step from its values"
    return asked


def _batch(table: Table, header: str) -> np.ndarray:
    """The batch (n,) that a column says, or whose logarithm it holds."""
    values, taken = table.numbers(header, "count"), logged(header)
    if taken is not None and taken.base:
        return raised(values.values, taken.base) * scale_in(taken.header, "batch")[0]
    return values.scaled(scale_in(header, "batch")[0])


_WHOLE = re.compile(r"\b(?:global|total|effective|overall)\b")


def _part_of_the_whole(table: Table, offers: Offers) -> None:
    """A plain batch beside an effective or global one, and nowhere above it, is a device's where passes or devices multiply it."""
    plain = [h for c, h in offers if c == "batch_sequences" and not _WHOLE.search(take_apart(h).words)]
    whole = [h for c, h in offers if c == "batch_sequences" and h not in plain]
    if (
        len(plain) != 1
        or len(whole) != 1
        or not any(c in ("grad_accum", "devices", "data_parallel") for c, _ in offers)
    ):
        return
    if any(c == "batch_device" for c, _ in offers) or not mostly(table, plain[0], whole[0], lambda a, b: a <= b):
        return
    if mostly(table, plain[0], whole[0], lambda a, b: a == b):
        return  # both say the whole
    sure, how = offers.pop(("batch_sequences", plain[0]))
    offers["batch_device", plain[0]] = sure, f"{how}; a part of {whole[0]}"


def _less_than_a_sequence(
    table: Table, offers: Offers, said: str | None, factors: Pairs[str, float | str]
) -> list[Question]:
    """A batch named in tokens that is smaller than one sequence counts sequences, as tokens over steps say, or is asked about."""
    length, steps, tokens = (_first(table, offers, c, factors) for c in ("seq_len", "steps", "tokens"))
    out: list[Question] = []
    for column, header in [o for o in offers if o[0] == "batch" and offers[o][0] >= TAKEN]:
        batch = _batch(table, header)
        if length is None or not middle(batch / length) < 1 / _SHORT_BATCH:
            continue
        sure, how = offers[column, header]
        ratio = middle(tokens / (batch * length * steps)) if tokens is not None and steps is not None else np.nan
        borne = abs(ratio - 1) < 0.05
        if said == "sequences" or (borne and said != "tokens"):
            del offers[column, header]
            why = "as tokens over steps say" if said is None else "as you said"
            offers["batch_sequences", header] = sure, f"{how}; sequences per step, {why}"
        if said is None:
            text = (
                f"Does {header!r} count tokens or sequences? Its values (around {middle(batch):g}) would be fewer tokens than one "
                f"sequence has ({middle(length):g})."
            )
            needed = steps is not None and tokens is None
            out.append(Question("batch", text, ("sequences", "tokens"), "sequences" if borne else "", needed=needed))
    return out


def _first(table: Table, offers: Offers, column: str, factors: Pairs[str, float | str]) -> np.ndarray | None:
    best = max(((sure, h) for (c, h), (sure, _) in offers.items() if c == column and logged(h) is None), default=None)
    given = factors.get(column)
    if best is None or isinstance(given, str):
        return None
    return table.numbers(best[1], DIMENSION.get(column, "")).scaled(
        scale_in(best[1], column)[0] if given is None else given
    )


def middle(values: np.ndarray) -> float:
    """The median of what is finite; NaN where nothing is."""
    finite = values[np.isfinite(values)]
    return median(finite) if len(finite) else float("nan")


def mostly(table: Table, one: str, other: str, test: Any) -> bool:
    """Whether a test of two columns' values holds in nearly all rows that have both."""
    a, b = table.numbers(one).values, table.numbers(other).values
    both = np.isfinite(a) & np.isfinite(b) & (b != 0)
    return bool(both.any()) and float(np.mean([test(x, y) for x, y in zip(a[both], b[both], strict=True)])) > 0.95
