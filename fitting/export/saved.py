"""What a saved fit's JSON holds, each value with its kind and range; what stands in it twice is held together by `agreement`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

import numpy as np

from data.alike import Alike
from data.plain import After, Finite, Number, Whole, With, array_of, at_most
from fitting.accounting import MOST_DRAWS, Accounting
from fitting.settings import MOST_RUNS, Settings
from fitting.status import Verdict
from fitting.uncertainty.calibrated import Calibration
from fitting.uncertainty.model_discrepancy import Doubt

Array = np.ndarray


def _in_order(ends: tuple[float, float]) -> tuple[float, float]:
    if not 0 < ends[0] <= ends[1]:
        raise ValueError(f"should run from above zero upwards; {ends[0]:.3g} to {ends[1]:.3g} came")
    return ends


def _older_settings(x: dict[str, Any]) -> Mapping[str, Any]:
    """What versions added one after the other, from the first that this fit has nothing of on.

    A fit saved before there was a choice of intervals has what was then the only one.
    """
    method = "runs" if x.get("grouping") == "run" else "groups"
    added: list[dict[str, Any]] = [
        {"delta_rule": "given", "intervals": method, "intervals_reason": ""},
        {"prior": "none"},
        {"weights": "none"},
        {"held_out": []},
    ]
    known = max((k for k, keys in enumerate(added, 1) if set(keys) & set(x)), default=0)
    return {name: value for keys in added[known:] for name, value in keys.items()}


def _older_accounting(x: dict[str, Any]) -> Mapping[str, Any]:
    """A fit saved before the ratio to 6ND levelled off counts FLOPs by a power of size, in four numbers."""
    return {f.name: f.default for f in fields(Accounting)[4:]} if len(x) == 4 else {}


@dataclass(frozen=True, eq=False)
class Saved(Alike):
    """A fit as it was saved; one of an older version may lack a new run's noise, what widens forecasts, and calibration."""

    params: dict[str, Finite]
    runs: Annotated[tuple[str, ...], at_most(MOST_RUNS), With(min_length=1)]
    residuals: Annotated[Array, array_of(Finite, MOST_RUNS)]
    draws: Annotated[Array, array_of(list[Number], MOST_DRAWS)]
    objective: Finite
    status: str
    intervals: dict[str, dict[str, Number]]
    settings: Annotated[Settings, Whole(_older_settings)]
    verdicts: Annotated[tuple[Annotated[Verdict, Whole()], ...], at_most(1000)]
    digest: str
    table: str
    ranges: dict[str, Annotated[tuple[Finite, Finite], After(_in_order)]]
    accounting: Annotated[Accounting, Whole(_older_accounting)]
    new_noise: Annotated[Array, array_of(Finite, MOST_DRAWS)] = field(default_factory=lambda: np.empty(0))
    doubt: Annotated[Doubt, Whole(lambda _: {"scale": None, "mixture": None})] | None = None
    calibration: Annotated[Calibration, Whole()] | None = None
    unidentified: Annotated[tuple[str, ...], at_most(1000)] = ()
    law_at_ranges: tuple[Number, Number] | None = None
    closed_ends: dict[str, str] = field(default_factory=dict)
