"""Tables as CSV that a spreadsheet opens without running anything: parameters, plans, and runs with residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from data.schema import Runs
from data.states.exclusions import HELD, KEPT
from fitting.export.csv_text import csv_text
from fitting.export.text import GoesWith, plan_values, provenance
from fitting.planning.on_devices import OnDevices
from fitting.planning.planner import Plan
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, whole_table, without

LEVEL = 0.9  # of the interval of one run, as where forecasts are compared with the runs held out


def summary_to_csv(fit: Fit) -> str:
    """The parameter table as CSV, then each term at the middle of the runs; the fit's provenance in comment lines above."""
    summary, terms = fit.summary(), fit.terms()
    terms["name"] = terms["name"] + "_term"
    return _csv(pd.concat([summary, terms[summary.columns]], ignore_index=True) if len(terms) else summary, fit)


def residuals_to_csv(fit: Fit, runs: RunsLike, *, columns: Columns = None, units: Units = None) -> str:
    """All runs, fitted or not, as CSV: their columns, `used`, `predicted` loss and `residual` (log loss - log predicted).

    That is the sign of `Fit.residuals`, `Fit.to_frame` and statsmodels, positive where a run lies above the law.

    Those held out have what the law predicts of them too, and beside it the fit's `forecast` of one new run with its interval
    (`forecast_low`, `forecast_high`) and how far the loss lies above it, as a share (`forecast_off`). Read again, the file
    gives the same runs kept, held out, and set aside for the same reasons.
    """
    given = whole_table(runs, fit.law, columns, units)
    if not isinstance(runs, Runs):
        given = without(given, fit.settings.excluded, known=True)[0]
    runs = _as_fitted(fit, given)
    kept, aside = runs.kept.copy(), runs.set_aside.copy()
    residual, beside = dict(zip(fit.runs, fit.residuals, strict=True)), _beside_held_out(fit, runs)
    kept["used"] = kept["run"].isin(list(residual))
    kept["residual"] = kept["run"].map(beside["residual"].to_dict() | residual).astype(float)
    kept["predicted"] = kept[fit.law.output.column] * np.exp(-kept["residual"])
    for name in beside.columns[1:]:
        kept[name] = kept["run"].map(beside[name]).astype(float)
    aside["used"] = False
    if not kept["used"].all():
        held = kept["run"].isin(runs.held_out["run"])
        kept["reason"] = np.where(kept["used"], "", np.where(held, HELD, KEPT))
    table = pd.concat([f for f in (kept, aside) if len(f)], ignore_index=True)
    if (
        "seq_len" in table and "batch_sequences" not in table
    ):  # a plain batch beside a length would be read as sequences
        table = table.rename(columns={"batch": "batch_tokens"})
    return _csv(table, fit)


def _as_fitted(fit: Fit, runs: Runs) -> Runs:
    """The table with the runs held out that the fit held out."""
    out = set(fit.settings.held_out) & set(runs.kept["run"])
    return runs.hold_out(out) if out else runs


def _beside_held_out(fit: Fit, runs: Runs) -> pd.DataFrame:
    """Of the runs held out, by name: `residual` of the law, and `forecast` of the fit, its ends, and how far the loss lies off it."""
    rows, needed = runs.held_out, [*fit.law.inputs, fit.law.output.column]
    rows = rows.dropna(subset=needed) if set(needed) <= set(rows) else rows.iloc[:0]
    if not len(rows):
        return pd.DataFrame({"residual": []})
    places, loss = {k: rows[k].to_numpy(float) for k in fit.law.inputs}, rows[fit.law.output.column].to_numpy(float)
    said = fit.predict(level=LEVEL, of="run", **places)
    low, high = (end if len(fit.draws) else np.full(len(rows), np.nan) for end in (said.low, said.high))
    with np.errstate(all="ignore"):
        left, off = np.log(loss) - np.log(fit.law(places, fit.params)), loss / said.value - 1.0
    columns = {
        "residual": left,
        "forecast": said.value,
        "forecast_low": low,
        "forecast_high": high,
        "forecast_off": off,
    }
    return pd.DataFrame(columns, index=rows["run"].astype(str))


def plan_to_csv(fit: Fit, plan: Plan, whole: GoesWith | None = None, on: OnDevices | None = None) -> str:
    """A plan, what goes with it, and the devices it runs on, as CSV: one row a quantity with value, low and high."""
    rows = [
        (k, v["value"], v["low"], v["high"]) if isinstance(v, dict) and "value" in v else (k, v, None, None)
        for k, v in _merged(plan_values(plan, whole, on)).items()
        if k not in ("notes", "hardware", "valley", "sources") and v is not None
    ]
    needs = () if on is None or on.holds else (on.needs,)
    return _csv(pd.DataFrame(rows, columns=["quantity", "value", "low", "high"]), fit, needs)


def _merged(values: dict[str, Any]) -> dict[str, Any]:
    """Values with the ends that stand beside them in one entry each."""
    ends = {k: v for k, v in values.items() if k.endswith("_interval")}
    return {
        k: {"value": v, **ends[f"{k}_interval"]} if f"{k}_interval" in ends else v
        for k, v in values.items()
        if k not in ends
    }


def _csv(table: pd.DataFrame, fit: Fit, notes: tuple[str, ...] = ()) -> str:
    said = {f"note {k}" if k > 1 else "note": note for k, note in enumerate(notes, start=1)}
    return csv_text(table, {"law": fit.law_key, **provenance(fit), **said})
