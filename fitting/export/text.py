"""A fit or a plan as JSON; `reading` turns a fit's JSON back into the same `Fit`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fitting.band import Band
from fitting.export.checksum import KEY, checksum
from fitting.export.written import written
from fitting.planning.on_devices import OnDevices
from fitting.planning.planner import Plan
from fitting.result import Fit

# Version 1 had residuals, and the noise of new runs, with the other sign: log fitted less log observed.
FORMAT, VERSION = "isoflop-fit", 2
WHOLE = ("batch", "lr", "steps", "critical")


class GoesWith(Protocol):
    """What goes with a plan: a `WholeRun`, of which an export needs no more."""

    @property
    def batch(self) -> Band:
        """Tokens a step."""

    @property
    def lr(self) -> Band | None:
        """The learning rate."""

    @property
    def steps(self) -> Band:
        """Optimiser steps."""

    @property
    def critical(self) -> Band | None:
        """The critical batch, tokens a step."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences to know before using them."""

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """What each law gives, and whose it is."""


def fit_to_json(fit: Fit, path: str | Path | None = None, *, held_out: Sequence[Mapping[str, Any]] = ()) -> str:
    """The fit as JSON text, also written to `path` if given. Keys are the attributes' names.

    `held_out` are the runs held out beside their forecasts (the rows of `HeldOut.to_frame`), which are no part of the fit.
    The last key is a checksum over the others: `load_fit` refuses a file that was changed after it was saved.
    """
    body = {
        "format": FORMAT,
        "version": VERSION,
        **_source(fit),
        "law": fit.law_key,
        "title": fit.law.title,
        "cite": fit.law.cite,
        "params": fit.params,
        "intervals": {k: band_values(fit.interval(k)) for k in fit.law.names},
        "objective": fit.objective,
        "status": fit.status.value,
        "verdicts": [asdict(v) for v in fit.verdicts],
        "ranges": {k: list(v) for k, v in fit.ranges.items()},
        "law_at_ranges": law_at_ranges(fit),
        "accounting": asdict(fit.accounting),
        "runs": list(fit.runs),
        "residuals": fit.residuals.tolist(),
        "draws": fit.draws.tolist(),
        "new_noise": fit.new_noise.tolist(),
        "doubt": None if fit.doubt is None else {k: v for k, v in asdict(fit.doubt).items() if v is not None},
        **({"unidentified": list(fit.unidentified)} if fit.unidentified else {}),
        **({"closed_ends": dict(fit.closed_ends)} if fit.closed_ends else {}),
        "calibration": None if fit.calibration is None else asdict(fit.calibration),
        **({"held_out": list(held_out)} if held_out else {}),
    }
    plain = finite(body)
    text = json.dumps({**plain, KEY: checksum(plain)}, indent=None, separators=(",", ":"), allow_nan=False)
    if path is not None:
        written(text, path)
    return text


def law_at_ranges(fit: Fit) -> list[float]:
    """What the law gives at the lowest and at the highest of all its inputs: by this a law defined otherwise is known."""
    return [float(fit.law({k: fit.ranges[k][end] for k in fit.law.inputs}, fit.params)) for end in (0, 1)]


def provenance(fit: Fit) -> dict[str, Any]:
    """What every export carries: the table, its digest, the settings with the seed, the runs left out, and the fit's verdict.

    `checks` are those that do not pass, each as "fail: Title: sentence"; a fit's own JSON has all of them in full.
    """
    open_ones = sorted((v for v in fit.verdicts if v.state != "pass"), key=lambda v: v.state)
    return {
        **_source(fit),
        "status": fit.status.value,
        "checks": [f"{v.state}: {v.title}: {v.sentence}" for v in open_ones],
    }


def _source(fit: Fit) -> dict[str, Any]:
    return {
        "table": fit.table,
        "digest": fit.digest,
        "settings": {
            **asdict(fit.settings),
            "excluded": list(fit.settings.excluded),
            "held_out": list(fit.settings.held_out),
        },
    }


def plan_to_json(fit: Fit, plan: Plan, whole: GoesWith | None = None, on: OnDevices | None = None) -> str:
    """A plan as JSON text, with the provenance of the fit it rests on. Keys are the attributes' names.

    `whole` adds the batch, learning rate and steps that go with it, `on` the devices it runs on with its time and cost.
    """
    body = {**provenance(fit), "law": fit.law_key, "params_of_law": fit.params, **plan_values(plan, whole, on)}
    return json.dumps(finite(body), indent=2, allow_nan=False)


def plan_values(plan: Plan, whole: GoesWith | None = None, on: OnDevices | None = None) -> dict[str, Any]:
    """A plan's attributes as plain values, and those of what goes with it: bands as {value, low, high, level}."""
    out: dict[str, Any] = {}
    for f in fields(plan):
        if f.name in ("split", "warnings"):  # the draws behind the bands, and what the notes say
            continue
        v = getattr(plan, f.name)
        out[f.name] = (
            band_values(v) if isinstance(v, Band) else asdict(v) if f.name == "hardware" and v is not None else v
        )
    if plan.hardware is not None:
        h, c = plan.hardware, plan.flops.value
        out["device_hours"], out["hours"], out["money"] = h.device_hours(c), h.hours(c), h.money(c)
    if whole is not None:
        out |= {k: band_values(b) for k in WHOLE if (b := getattr(whole, k)) is not None}
        out["sources"], out["notes"] = dict(whole.sources), tuple(dict.fromkeys((*plan.notes, *whole.notes)))
    if on is not None:
        out |= {**on.values(), "notes": (*out["notes"], *on.notes)}
    return out


def finite(x: Any) -> Any:
    """The same values in JSON's own types; a number JSON has no word for becomes "inf", "-inf" or null."""
    if isinstance(x, Mapping):
        return {str(k): finite(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [finite(v) for v in x]
    if isinstance(x, np.ndarray):
        return finite(x.tolist())
    if isinstance(x, float | np.floating):
        x = float(x)
        return x if math.isfinite(x) else None if math.isnan(x) else "inf" if x > 0 else "-inf"
    return int(x) if isinstance(x, np.integer) else x


def band_values(b: Band) -> dict[str, Any]:
    """A band of one number as its value, ends and level."""
    return {"value": b.value, "low": b.low, "high": b.high, "level": b.level}
