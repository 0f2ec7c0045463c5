"""A comparison of families as JSON, with the keys of its attributes, and its curves as CSV."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fitting.band import LEVEL, Band
from fitting.export.csv_text import csv_text
from fitting.export.text import finite
from fitting.export.written import written
from fitting.families.result import Families


def provenance(found: Families) -> dict[str, Any]:
    """What every export carries: the table, its digest, the law, and the settings with the seed."""
    return {
        "table": found.table,
        "digest": found.digest,
        "law": found.law_key,
        "column": found.column,
        "column_in_file": found.header or found.column,
        "reference": found.reference,
        "share": found.share,
        "settings": {**asdict(found.settings), "excluded": list(found.settings.excluded)},
    }


def to_json(found: Families, path: str | Path | None = None) -> str:
    """The comparison as JSON text, also written to `path` if given; what is infinite is written as "inf"."""
    body = {
        "format": "isoflop-families",
        "version": 1,
        **provenance(found),
        "why": found.why,
        "tests": [{**asdict(t), "rejected": bool(t.rejected)} for t in found.tests],
        "families": [_family(found, name) for name in found.names],
        "overlap": list(found.overlap),
        "target": found.target,
        "versus": [asdict(found.versus(name)) for name in found.others],
        "warnings": list(found.warnings),
        "notes": list(found.notes),
        "curves": curve_table(found).to_dict("list"),
    }
    text = json.dumps(finite(body), indent=2, ensure_ascii=False, allow_nan=False)
    if path is not None:
        written(text + "\n", path)
    return text


def to_csv(found: Families) -> str:
    """The curves as CSV that a spreadsheet opens without running anything, with the provenance in comment lines above."""
    return csv_text(curve_table(found), provenance(found))


def curve_table(found: Families) -> pd.DataFrame:
    """Loss and multiplier along budgets, one row a family and budget: each with low and high, and whether runs reach it."""
    at = found.budgets()
    low, high = found.data
    rows = []
    for name in found.names:
        loss, times = found.loss(name, at), found.multiplier(name, at)
        rows.append(
            pd.DataFrame(
                {
                    "family": name,
                    "flops": at,
                    "multiplier": times.value,
                    "multiplier_low": times.low,
                    "multiplier_high": times.high,
                    "loss": loss.value,
                    "loss_low": loss.low,
                    "loss_high": loss.high,
                    "extrapolated": (at < low) | (at > high),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _family(found: Families, name: str) -> dict[str, Any]:
    f = found.family(name)
    with np.errstate(all="ignore"):
        ends = np.quantile(f.draws, [0.025, 0.975], axis=0) if len(f.draws) else np.full((2, found.law.p), np.nan)
        bands = [Band(float(v), float(low), float(high), LEVEL) for v, low, high in zip(f.values, *ends, strict=True)]
        intervals = {k: {"low": b.low, "high": b.high} for k, b in zip(found.law.names, bands, strict=True)}
    return {
        "name": name,
        "runs": f.n,
        "params": dict(zip(found.law.names, f.values, strict=True)),
        "intervals": intervals,
        "ranges": {k: list(v) for k, v in f.ranges.items()},
        "accounting": asdict(f.accounting),
    }
