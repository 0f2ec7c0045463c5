"""Tables as CSV that a spreadsheet opens without running anything: parameters, plans, and runs with residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.states.exclusions import KEPT
from fitting.export.csv_text import csv_text
from fitting.export.text import GoesWith, plan_values, provenance
from fitting.planning.on_devices import OnDevices
from fitting.planning.planner import Plan
from fitting.result import Fit

if TYPE_CHECKING:
    from data.schema import Runs


def summary_to_csv(fit: Fit) -> str:
    """The parameter table as CSV, then each term at the middle of the runs; the fit's provenance in comment lines above."""
    summary, terms = fit.summary(), fit.terms()
    terms["name"] = terms["name"] + "_term"
    return _csv(pd.concat([summary, terms[summary.columns]], ignore_index=True) if len(terms) else summary, fit)


def residuals_to_csv(fit: Fit, runs: Runs) -> str:
    """All runs, fitted or not, as CSV: their columns, `used`, `predicted` loss and `residual` (log predicted - log loss).

    That is the sign of `Fit.residuals`, positive where a run lies below the law; `Fit.to_frame` has the other.

    Those held out have what the law predicts of them too. Read again, the file gives the same runs kept, held out, and set
    aside for the same reasons.
    """
    kept, aside = runs.kept.copy(), runs.set_aside.copy()
    residual = dict(zip(fit.runs, fit.residuals, strict=True))
    kept["used"] = kept["run"].isin(list(residual))
    kept["residual"] = kept["run"].map(residual | _beside_held_out(fit, runs)).astype(float)
    kept["predicted"] = kept[fit.law.output.column] * np.exp(kept["residual"])
    aside["used"] = False
    if not kept["used"].all():
        kept["reason"] = np.where(kept["used"], "", KEPT)
    table = pd.concat([f for f in (kept, aside) if len(f)], ignore_index=True)
    return _csv(table, fit)


def _beside_held_out(fit: Fit, runs: Runs) -> dict[str, float]:
    """log f - log L of the runs held out, by run."""
    rows = runs.held_out
    if not len(rows) or not {*fit.law.inputs, fit.law.output.column} <= set(rows):
        return {}
    said = fit.law({k: rows[k].to_numpy(float) for k in fit.law.inputs}, fit.params)
    with np.errstate(all="ignore"):
        left = np.log(said) - np.log(rows[fit.law.output.column].to_numpy(float))
    return dict(zip(rows["run"].astype(str), left, strict=True))


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
