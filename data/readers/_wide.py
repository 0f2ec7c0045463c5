"""Tracker charts saved as CSV: one column per run, named `run - metric`, turned into one row per run and step."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.filenames.sizes import facts
from data.headers.names import loss_name, named
from data.plural import agreeing
from data.readers._limits import MAX_COLUMNS, check_shape
from data.rows.progress import PROGRESS
from data.table import Table

_AXIS = re.compile(
    r"(global_?|_|trainer/global_)?step|relative time.*|wall ?time|_timestamp|epoch|_runtime", re.IGNORECASE
)
#: How the columns of what W&B saw least and most between two points end.
BOUND = re.compile(r"__(?:MIN|MAX)$")
_SERIES = re.compile(r"(?P<run>.+) - (?P<metric>.+?)(?P<bound>__(MIN|MAX))?")
#: `25M-lr3e-4-0/val_loss`, `a.val_loss`, `b: val/loss`: the run in front of its metric.
_FOLDERS = re.compile(
    r"(?P<run>[^/:]{1,120}?)(?:/|:\s*|\.(?=[A-Za-z]))"
    r"(?P<metric>(?:(?:train|val|valid|validation|eval|test)[/._ ])?[A-Za-z][A-Za-z_ -]{1,40}?)"
    r"(?P<bound>__(MIN|MAX))?"
)
#: What losses of one run are measured on, or are of.
NO_RUN = re.compile(
    r"\b(?:train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test|dev|metrics?|summary|losses|c4|(?:the )?pile|wiki(?:text|pedia)?"
    r"|openwebtext|owt|books?|arxiv|github|code|fineweb|edu|dclm|paloma|lm1b|webtext|slimpajama|redpajama|refinedweb|stack(?:exchange)?"
    r"|dolma|mc4|falcon|gutenberg|reddit|ptb|lambada|freelaw|pubmed|teacher|student|ema|step|epoch|task|layer|fold|domain|shard)"
    r"(?:\b|(?=[0-9]))",
    re.IGNORECASE,
)
_RUN = re.compile(r"(?:run|exp|experiment|trial|job|sweep|model|seed|config|cfg)[-_ .#]?", re.IGNORECASE)
SETTING = re.compile(r"(?:^|[-_ ,])(?:lr|bs|bsz|wd|seed|gbs|warmup|width|depth)[-_=]?[0-9]", re.IGNORECASE)


def wide(table: Table) -> Table:
    """The table with one row per run and step, where it is a saved chart; else the table as it is."""
    form = next((f for f in (_SERIES, _FOLDERS) if any(map(f.fullmatch, table.headers))), None)
    if form is None or (form is _FOLDERS and not _are_runs(table)):
        return table
    series: dict[str, re.Match[str]] = {}
    axes = []
    for header in table.headers:
        match = form.fullmatch(header)
        if match:
            series[header] = match
        elif is_axis(header) or table.numbers(header).share == 1.0:
            axes.append(header)
        else:
            return table
    metrics = {m["metric"] for m in series.values()}
    values = {h: m for h, m in series.items() if not m["bound"]}
    if not values or not axes or not is_axis(axes[0]) or len(metrics) > 5:
        return table
    runs = list(dict.fromkeys(m["run"] for m in values.values()))
    n = len(table.frame)
    check_shape(table.name, n * len(runs), 2 + len(metrics))
    by_run = {(m["run"], m["metric"]): h for h, m in values.items()}
    blocks, lines = [], []
    for run in runs:
        block = pd.DataFrame({"run": [run] * n, **{a: table.frame[a] for a in axes}}, dtype=object)
        for metric in dict.fromkeys(m["metric"] for m in values.values()):
            column = by_run.get((run, metric))
            block[metric] = table.frame[column] if column else ""
        measured = ~block.drop(columns=["run", *axes]).isin(["", None]).all(axis=1).to_numpy()
        blocks.append(block[measured])
        lines.append(table.lines[measured])
    bounds = len(series) - len(values)
    many = f"{len(runs)} runs side by side" if len(runs) > 1 else "one run"
    note = f"A saved chart with {many} was read as one row per run and step."
    if bounds:
        note += f" {agreeing(bounds, 'column of minima or maxima was', 'columns of minima and maxima were')} left out."
    frame = pd.concat(blocks, ignore_index=True)
    return replace(table, frame=frame, lines=np.concatenate(lines), notes=(*table.notes, note))


def _are_runs(table: Table) -> bool:
    """Whether what stands before the slash, point or colon is a run of its own and no split or text that a loss is of.

    More than two of them have the same loss, and each says a size or a setting of its run, or all are one word and a number.
    """
    matches = [m for h in table.headers if (m := _FOLDERS.fullmatch(h))]
    runs = list(dict.fromkeys(m["run"] for m in matches))
    shared = [metric for metric in dict.fromkeys(m["metric"] for m in matches) if loss_name(metric) is not None]
    most = max((sum(m["metric"] == metric for m in matches) for metric in shared), default=0)
    if most <= 2 or len(runs) > MAX_COLUMNS or any(NO_RUN.search(r.replace("_", " ")) for r in runs):
        return False
    stems = {re.sub(r"[0-9]+$", "", r) for r in runs}
    numbered = len(stems) == 1 and all(r[-1].isdigit() for r in runs) and bool(_RUN.fullmatch(stems.pop()))
    return numbered or all("params" in facts([r]) or SETTING.search(r) for r in runs)


def is_axis(header: str) -> bool:
    """Whether the header says how far training had come: a step, a clock, or tokens seen."""
    return bool(_AXIS.fullmatch(header)) or any(c in PROGRESS and sure >= 0.6 for c, sure in named(header))
