"""Tracker charts saved as CSV: one column per run, named `run - metric`, turned into one row per run and step."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.names import named
from data.progress import PROGRESS
from data.readers._limits import check_shape
from data.table import Table

_AXIS = re.compile(
    r"(global_?|_|trainer/global_)?step|relative time.*|wall ?time|_timestamp|epoch|_runtime", re.IGNORECASE
)
_SERIES = re.compile(r"(?P<run>.+) - (?P<metric>.+?)(?P<bound>__(MIN|MAX))?")


def wide(table: Table) -> Table:
    """The table with one row per run and step, where it is a saved chart; else the table as it is."""
    if not any(map(_SERIES.fullmatch, table.headers)):
        return table
    series: dict[str, re.Match[str]] = {}
    axes = []
    for header in table.headers:
        match = _SERIES.fullmatch(header)
        if match:
            series[header] = match
        elif _is_axis(header) or table.numbers(header).share == 1.0:
            axes.append(header)
        else:
            return table
    metrics = {m["metric"] for m in series.values()}
    values = {h: m for h, m in series.items() if not m["bound"]}
    if not values or not axes or not _is_axis(axes[0]) or len(metrics) > 5:
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
    note = f"A saved chart with {len(runs)} runs side by side was read as one row per run and step."
    if bounds:
        note += f" {bounds} columns of minima and maxima were left out."
    frame = pd.concat(blocks, ignore_index=True)
    return replace(table, frame=frame, lines=np.concatenate(lines), notes=(*table.notes, note))


def _is_axis(header: str) -> bool:
    """Whether the header says how far training had come: a step, a clock, or tokens seen."""
    return bool(_AXIS.fullmatch(header)) or any(c in PROGRESS and sure >= 0.6 for c, sure in named(header))
