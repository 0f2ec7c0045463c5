"""What keeps a table's runs from carrying a law, known before any fit and short enough to stand beside the law's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitting.diagnostics.checks.unusable import on_a_line, settings_of
from fitting.law import Law
from fitting.laws import all_laws, offered
from fitting.same_runs import Columns, RunsLike, Units, as_runs
from fitting.solver.fit_data import frontier

if TYPE_CHECKING:
    import pandas as pd


AMOUNTS = {"params": "sizes", "tokens": "amounts of tokens", "flops": "amounts of compute"}


def lacking(runs: RunsLike, *, columns: Columns = None, units: Units = None) -> dict[str, str]:
    """For every law what these runs lack to carry it, '' for the laws that they can be fitted with."""
    frame = as_runs(runs, None, columns, units).kept
    out = offered([c for c in frame.columns if frame[c].notna().any()])
    return {key: why or _lacks(frame, all_laws()[key]) for key, why in out.items()}


def _lacks(frame: pd.DataFrame, law: Law) -> str:
    rows = frame.dropna(subset=[*law.inputs, law.output.column])
    where = ""
    if law.frontier:
        rows, where = frontier(rows), " that no cheaper run beats"
    inputs = {name: rows[name].to_numpy(float) for name in law.inputs}
    loss = rows[law.output.column].to_numpy(float)
    if not all(np.all(np.isfinite(x) & (x > 0)) for x in (*inputs.values(), loss)):
        return ""  # a fit says which run that is
    if len(rows) < law.min_runs:
        return f"needs {law.min_runs} runs{where}, there {'is' if len(rows) == 1 else 'are'} {len(rows)}"
    if np.ptp(np.log(loss)) < 1e-9:
        return "all losses are the same"
    several = settings_of(inputs)
    if several < law.p:
        what = AMOUNTS.get(law.inputs[0], "values") if len(inputs) == 1 else f"settings of {' and '.join(inputs)}"
        return f"needs {law.p} {what}, there {'is' if several == 1 else 'are'} {several}"
    alike = [name for name, x in inputs.items() if np.ptp(np.log(x)) < 1e-9]
    if alike:
        return f"all runs have the same {alike[0]}"
    two = list(inputs)[:2]
    if len(two) == 2 and on_a_line(*(inputs[name] for name in two)):
        return f"{two[0]} and {two[1]} rise in step"
    return ""
