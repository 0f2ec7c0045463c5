"""Best learning rates by width to take away: JSON for programs and CSV for spreadsheets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fitting.batch.best_rate import BestRate
from fitting.batch.rate_by_width import RateByWidth
from fitting.export.csv_text import csv_text
from fitting.export.text import band_values, finite

FORMAT, VERSION = "isoflop-rate-by-width", 1


def document(found: Sequence[RateByWidth], refused: Sequence[str] = ()) -> dict[str, Any]:
    """Each parametrisation's best rates, the power of the width, and the losses at the rates tried; `refused` says why others lack.

    An end that the rates tried do not reach is 0 below and "inf" above.
    """
    out: dict[str, Any] = finite(
        {
            "format": FORMAT,
            "version": VERSION,
            "law": "lr goes as width^exponent",
            "parametrisations": [_one(one) for one in found],
            "notes": list(refused),
        }
    )
    return out


def to_json(found: Sequence[RateByWidth], refused: Sequence[str] = ()) -> str:
    """`document` as JSON text."""
    return json.dumps(document(found, refused), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(found: Sequence[RateByWidth]) -> str:
    """A line for each width of each parametrisation: the best rate with its 95 % interval, 0 or inf for an end that is open."""
    import pandas as pd

    return csv_text(pd.concat([one.to_frame() for one in found], ignore_index=True))


def rates_document(found: Sequence[BestRate]) -> list[dict[str, Any]]:
    """The best rate of each ladder with the settings that tell it apart, and the losses at the rates tried; ends as in `document`."""
    out: list[dict[str, Any]] = finite(
        [
            {
                "settings": one.settings,
                "sentence": one.sentence,
                **{"lr": one.rate.value, "low": one.rate.low, "high": one.rate.high, "level": one.rate.level},
                "tried": {"lr": one.tried.rates, "loss": one.tried.losses, "runs": one.tried.runs},
            }
            for one in found
        ]
    )
    return out


def _one(found: RateByWidth) -> dict[str, Any]:
    rates = found.rates()
    widths = [
        {
            "width": width, "lr": rates.value[i], "low": rates.low[i], "high": rates.high[i], "level": rates.level,
            "tried": {"lr": tried.rates, "loss": tried.losses, "runs": tried.runs},
        }
        for i, (width, tried) in enumerate(zip(found.widths, found.tried, strict=True))
    ]  # fmt: skip
    return {
        "parametrisation": found.parametrisation,
        "exponent": band_values(found.exponent()),
        "sentence": found.sentence,
        "notes": list(found.notes),
        "widths": widths,
    }
