"""Curves side by side: a counter in the first column, and one run's losses in each column beside it, under its name or its size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.cells.values import number
from data.filenames.sizes import facts
from data.headers.names import loss_name, named
from data.readers._limits import MAX_COLUMNS, check_shape
from data.readers._wide import BOUND, NO_RUN, SETTING, is_axis
from data.rows.progress import PROGRESS, evenly
from data.table import Open, Table, unique, without_misfits

LEAST = 3  # places of a curve
_OF_NAMES = "params in names"
_MOST_STEPS = 3e7  # of a run; more are sizes of models under a wrong name
FEW = 10  # evenly spaced places along tokens from which they are a log's, and no grid's
_LOSSES = (0.2, 20.0)  # nats or bits of a language model: the values under columns that no word calls a loss
_ALIKE = 2.0  # how many times the least median of such columns the largest may be
_FALLING = -0.5  # rank correlation with the counter of losses that fall
_DIVERGED = ("nan", "inf", "+inf", "-inf", "infinity", "diverged", "#num!")
SHIRT = re.compile(r"x{0,3}s|m|x{0,3}l", re.IGNORECASE)  # sizes of models in letters
_SIZED = re.compile(r"[0-9]+(?:[.,][0-9]+)? ?[kmb]", re.IGNORECASE)
_LONGEST = 120  # signs of a header that is looked at
_SPLIT = r"(?:train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test|held[-_ ]?out)"
_METRIC = (
    rf"(?P<metric>(?:{_SPLIT}[-_/. ]?)?(?:loss|nll|xent|cross[-_ ]?entropy|ppl|perplexity|bpb|bpc)"
    r"(?: ?[(\[](?:nats?|bits?|ppl|bpb)[^()\[\]]{0,12}[)\]])?)"
)
#: `gpt-20M_val_loss`, `AdamW/loss`; `loss (20M)`, `val_loss_gpt-20M`: a run and its metric, and the metric alone after neither.
_BEHIND = re.compile(rf"(?P<run>.+?)[-_/.:| (\[]+{_METRIC}[)\]]?", re.IGNORECASE)
_SPLIT_BEHIND = re.compile(rf"(?P<run>.+?)[-_/.:| (\[]+(?P<metric>{_SPLIT})[)\]]?", re.IGNORECASE)  # gpt-20M val
_BEFORE = re.compile(rf"{_METRIC}[-_/.:| (\[]+(?P<run>[^()\[\]]+?)[)\]]?", re.IGNORECASE)
#: Optimizers, by which curves are compared more often than by anything else.
OPTIMIZER = re.compile(
    r"(?<![a-z])(?:adam(?:w|ax|c)?|nadam|radam|amsgrad|ademamix|adafactor|adagrad|adopt|lion|muon|sgd|soap|shampoo|sophia|lamb|lars"
    r"|rmsprop|signum|kron|psgd|mars|scion|dion|cautious|prodigy|galore)(?![a-z])",
    re.IGNORECASE,
)
#: What else is logged along a run, and what one run's losses are measured on.
_NO_NAME = re.compile(
    r"\b(?:lr|rate|grad(?:ient)?|g?norm|acc|accuracy|f1|bleu|rouge|time|secs?|seconds?|ms|speed|throughput|tok(?:en)?s?|mfu|flops?|mem(?:ory)?|gpu"
    r"|cpu|util|entropy|temp(?:erature)?|kl|reward|score|ratio|std|stddev|var|variance|mean|avg|average|median|min|max|total|sum|aux|z|ce"
    r"|mse|mae|rmse|reg|penalty|scale|weights?|bias|lambda|alpha|beta|gamma|epsilon|momentum|wd|decay|error|err|gap|diff|delta|bits?|nats?"
    r"|ppl|perplexity|bp[bcd]|lower|upper|fit|predicted|target|best|ema|smooth(?:ed)?|raw|rank|param|params|batch|seq|len|length"
    r"|hellaswag|arc|mmlu|piqa|boolq|winogrande|gsm8k|humaneval|math|news|law|legal|web|wiki|social|science|forum|chat|prose|fiction|patents?"
    r"|english|german|french|spanish|chinese|japanese|russian|arabic|hindi|korean|italian|portuguese|dutch|python|java|javascript|rust|cpp"
    r"|[a-z]{2}|head|block|mtp|q|k|v|attn|attention|mlp|moe|router|expert|expected|context|position|pos|depth|exit)(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Column:
    """What the header of a curve says: the run that it is of, the metric ('' where it says none), and whether it calls it a loss."""

    run: str
    metric: str = ""
    called: bool = False


def curves(table: Table) -> Table:
    """The table with one row per run and place, where each column beside its counter is a run's losses; else as it is.

    That names which say neither a size nor a setting are those of runs is announced.
    """
    found = _columns(table)
    if found is None:
        return table
    axes, columns = found
    kind = _kind([c.run for c in columns.values()], bool(next(iter(columns.values())).metric))
    if not kind or not _losses(table, columns, kind == "text"):
        return table
    before, table = table, without_misfits(table)
    n = len(table.frame)
    runs = list(dict.fromkeys(c.run for c in columns.values()))
    metrics = list(dict.fromkeys(c.metric for c in columns.values()))
    check_shape(table.name, n * len(runs), 1 + len(axes) + len(metrics))
    label = "optimizer" if kind == "optimizer" and _means(axes[0]) == "steps" else "run"
    sized = all(_SIZED.fullmatch(r) for r in runs)
    places = table.numbers(axes[0]).values
    order = axes[0] if label == "run" and (along_a_counter(axes[0], places.tolist()) or not sized) else ""
    by_run = {(c.run, c.metric): h for h, c in columns.items()}
    blocks, lines = [], []
    names = unique([label, *axes, *(m or "loss" for m in metrics)])
    for run in runs:
        cells = [[run] * n, *(table.frame[a].astype(object) for a in axes)]
        own = [by_run.get((run, m)) for m in metrics]
        cells += [table.frame[h].astype(object) if h else [None] * n for h in own]
        block = pd.DataFrame(dict(zip(names, map(list, cells), strict=True)), dtype=object)
        measured = ~np.logical_and.reduce([table.numbers(h).blank for h in own if h])
        blocks.append(block[measured])
        lines.append(table.lines[measured])
    shown = ", ".join(r[:40] for r in runs[:4]) + (", ..." if len(runs) > 4 else "")
    note = f"Each column beside {axes[0]!r} ({shown}) was read as one run's losses: {len(runs)} curves."
    if all("params" not in facts([r]) for r in runs) and not sized:
        note += " Their names say no sizes of models."
    left = [h for h in table.headers if h not in columns and h not in axes]
    if any(BOUND.search(h) for h in left):
        note += " Columns of minima and maxima were left out."
    frame = pd.concat(blocks, ignore_index=True)
    said = {}
    if sized:
        header = unique([*names, _OF_NAMES])[-1]
        frame[header] = [f"{number(r):.12g}" for r in frame[names[0]]]
        said = {header: ("params", ", ".join(runs[:4]) + (", ..." if len(runs) > 4 else ""))}
    return replace(
        table,
        frame=frame,
        lines=np.concatenate(lines),
        notes=(*table.notes, note),
        order=order,
        from_name={**table.from_name, **said},
        open_columns={label: Open(("run",), note.partition(": ")[0] + ".", label, taken=True)}
        if kind == "text"
        else {},
        either_way=False,
        before=before,
    )


def along_a_counter(corner: str, places: Sequence[float]) -> bool:
    """Whether the first column of a table says how far runs had come, so that its rows are places of curves and none of a grid.

    Tokens are the lengths of a grid's runs as well: under that name alone only many of them at regular intervals are a log's.
    """
    means = _means(corner)
    values = np.asarray(places, dtype=float)
    if not means or len(values) < LEAST or not bool((np.diff(values) > 0).all()):
        return False
    if means in ("steps", "samples", "epochs", "wall_seconds"):
        return means != "steps" or bool(values[-1] < _MOST_STEPS)
    counter = re.search(r"seen|processed|consumed|so far|cumulative|trained", corner.replace("_", " "), re.IGNORECASE)
    return means == "tokens" and (bool(counter) or (len(values) >= FEW and evenly(pd.Series(values))))


def heads_curves(names: Sequence[str]) -> bool:
    """Whether a row of cells is the header of curves of models by their sizes: `step`, `20M`, `50M`."""
    after = next((i for i, n in enumerate(names) if not _means(n)), len(names))
    return after > 0 and len(names) > after + 1 and all(_SIZED.fullmatch(n) for n in names[after:])


def _means(header: str) -> str:
    return next((c for c, sure in named(header) if sure >= 0.65 and c in PROGRESS), "")


def _columns(table: Table) -> tuple[list[str], dict[str, _Column]] | None:
    """The counters of a table, the first column's first, and what its other columns are; None where they are no curves."""
    headers = [h for h in table.headers if not _numbers_rows(table, h)]
    bounds = {h for h in headers if BOUND.search(h) and BOUND.sub("", h) in headers}
    headers = [h for h in headers if h not in bounds]
    least = 1 if bounds else 2  # only a chart's export has them
    if not 1 + least <= len(headers) <= MAX_COLUMNS or table.order or table.one_run or len(table.frame) < LEAST:
        return None
    axes = []
    letters = len(headers) > 3 and all(map(SHIRT.fullmatch, headers[1:]))
    for header in headers[:1] if letters else headers:
        if not (is_axis(header) and table.numbers(header).share == 1.0):
            break
        axes.append(header)
    if not axes or len(headers) - len(axes) < least:
        return None
    columns = {}
    for header in headers[len(axes) :]:
        if len(header) > _LONGEST or not _of_numbers(table, header):
            return None
        if letters:
            columns[header] = _Column(header)
            continue
        said = _BEHIND.fullmatch(header) or _BEFORE.fullmatch(header)
        if said:
            columns[header] = _Column(said["run"].strip(), said["metric"], True)
        elif split := _SPLIT_BEHIND.fullmatch(header):
            columns[header] = _Column(split["run"].strip(), f"{split['metric']} loss")
        elif loss_name(header) is None and (SETTING.search(header) or not any(s >= 0.6 for _, s in named(header))):
            columns[header] = _Column(header.strip())
        else:
            return None
    if len({(c.run, c.metric) for c in columns.values()}) < len(columns):
        return None
    if len({bool(c.metric) for c in columns.values()}) > 1 or len({c.run for c in columns.values()}) < least:
        return None
    places = table.numbers(axes[0]).values
    return (axes, columns) if _means(axes[0]) and bool((np.diff(places) > 0).all()) else None


def _of_numbers(table: Table, header: str) -> bool:
    """Whether the cells of a column are numbers, but for those of a run that diverged."""
    cells = table.numbers(header)
    if cells.share >= 0.9 or np.isfinite(cells.values).sum() < 2:
        return cells.share >= 0.9
    written = table.written(header)
    return all(written[i].lower() in _DIVERGED for i in np.flatnonzero(cells.bad))


def _numbers_rows(table: Table, header: str) -> bool:
    """Whether a first column without a name numbers the rows, as a data frame's index does."""
    if header != table.headers[0] or not re.fullmatch(r"column 1|Unnamed: 0|index|", header):
        return False
    values = table.numbers(header).values
    return bool(np.array_equal(values, np.arange(len(values))))


def _kind(runs: Sequence[str], called: bool) -> str:
    """What tells the curves apart: "run", "optimizer", or "text" for names that may be those of anything; '' for none.

    `called` says that their headers name a loss: texts beside it may be parts of the loss or what it was measured on.
    """
    plain = [r.replace("_", " ").replace("-", " ") for r in runs]
    if any(NO_RUN.search(p) for p in plain):
        return ""
    if all(_SIZED.fullmatch(r) for r in runs):
        return "run"
    if all({"params", "lr", "seed", "batch_sequences"} & set(facts([r])) or SETTING.search(r) for r in runs):
        return "run"
    if all(OPTIMIZER.search(p) for p in plain):
        return "optimizer"
    sizes = [re.fullmatch(r"[0-9.]+ ?[kmb]?", r, re.IGNORECASE) for r in runs]
    if called or any(sizes) or any(_NO_NAME.search(p) or (len(p) < 2 and not SHIRT.fullmatch(p)) for p in plain):
        return ""
    return "text"


def _losses(table: Table, columns: dict[str, _Column], strict: bool) -> bool:
    """Whether the columns hold losses: by their names, or positive ones of a language model's size that fall along the counter.

    `strict` is for names that say nothing: then all must fall, and by values that are alike.
    """
    if all(c.called for c in columns.values()):
        return True
    falling, middles = [], []
    for header in columns:
        cells = table.numbers(header)
        known = np.isfinite(cells.values)
        values = cells.values[known]
        if len(values) < (LEAST if strict else 2) or not bool(((values > 0) & (values <= _LOSSES[1])).all()):
            return False
        if float(np.median(values)) < _LOSSES[0]:
            return False
        places = np.arange(len(values))
        ranks = float(np.corrcoef(np.argsort(np.argsort(values)), places)[0, 1])
        falling.append(bool(values[-1] < values[0]) and ranks <= _FALLING)
        middles.append(float(np.median(values)))
    enough = all(falling) if strict else 2 * sum(falling) > len(falling)
    return enough and max(middles) <= _ALIKE * min(middles)
