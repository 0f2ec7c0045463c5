"""What the dragged chart is handed: a law's plan sampled along the budget, in the chart's own words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dashboard import numbers
from data.schema import Runs
from fitting import Fit, Plan, plan
from fitting.hardware import Hardware

NODES_PER_DECADE = 12
# How far the chart reaches past the largest run: four decades, as from a day on one device to a frontier run.
DECADES_BEYOND = 4.0


@dataclass(frozen=True)
class Unit:
    """A unit people count budgets in: `per_flop` of it in a FLOP, and how the chart writes it."""

    key: str
    title: str
    label: str
    per_flop: float
    format: str


def units(hardware: Hardware) -> dict[str, Unit]:
    """The units a budget can be said in, by key; money only where a price is known."""
    found = [
        Unit("flop", "FLOP", "FLOP", 1.0, "flop"),
        Unit("hours", "Device-hours", "device-hours", hardware.device_hours(1.0), "count"),
        Unit("time", "Time", "", 3600.0 * hardware.hours(1.0), "duration"),
    ]
    if hardware.price is not None:
        found.append(Unit("money", "Money", "", hardware.price * hardware.device_hours(1.0), "money"))
    return {u.key: u for u in found}


def budgets(fit: Fit, at: float) -> np.ndarray:
    """Budgets (K,) in log10 FLOP along which the chart is sampled: whole decades from the smallest run to far beyond."""
    low, high = (math.log10(c) for c in fit.ranges["flops"])
    first = math.floor(min(low, at))
    last = math.ceil(max(high + DECADES_BEYOND, at))
    return np.linspace(first, last, NODES_PER_DECADE * (last - first) + 1)


def default_budget(fit: Fit) -> float:
    """Ten times the largest run, in log10 FLOP: near enough to be planned next; 1e21 where no run's compute is known."""
    return math.log10(fit.ranges.get("flops", (math.nan, 1e20))[1]) + 1.0


def payload(
    fit: Fit,
    along: Plan,
    here: Plan,
    runs: Runs,
    *,
    hardware: Hardware,
    device: str,
    unit: Unit,
    chosen: float | None = None,
    floor: float | None = None,
) -> dict[str, Any]:
    """The chart's table: `along` is the plan at every node, `here` at the budget itself, put in among them.

    `chosen` says that the size is held there, `floor` is the true lowest loss where it is known.
    """
    at = math.log10(here.flops.value)
    nodes = np.log10(along.flops.value)
    place = int(np.searchsorted(nodes, at))
    fresh = not np.any(np.isclose(nodes, at, rtol=0, atol=1e-12))

    def column(name: str, end: str) -> list[float]:
        """One end of one band along the grid, with the budget's own value put in."""
        values = np.asarray(getattr(getattr(along, name), end), float)
        return list(np.insert(values, place, getattr(getattr(here, name), end)) if fresh else values)

    def ends(name: str) -> dict[str, list[float]]:
        return {end: column(name, end) for end in ("value", "low", "high")}

    panels: list[dict[str, Any]] = [
        {
            "key": "loss",
            "label": "Loss",
            "unit": "nats per token",
            "scale": "linear",
            "weight": 2.4,
            "format": "loss",
            **ends("loss"),
            "wide": {"label": "a new run", "low": column("loss_run", "low"), "high": column("loss_run", "high")},
            "points": points(fit, runs),
            "shade_key": _shade_key(fit),
            "floor": None if floor is None else {"value": floor, "label": "true floor"},
            "extras": _penalty(ends) if here.penalty is not None else [],
        }
    ]
    if here.params is not None:
        sizes: dict[str, Any] = {
            "key": "params",
            "label": "Parameters",
            "scale": "log",
            "format": "count",
            **ends("params"),
        }
        if along.valley is not None and here.valley is not None:
            low, high = (
                list(np.insert(a, place, b)) if fresh else list(a)
                for a, b in zip(along.valley, here.valley, strict=True)
            )
            sizes["wide"] = {"label": "within 0.1 % of this loss", "low": low, "high": high}
        per = {"label": "per parameter", "format": "ratio", **ends("tokens_per_param")}
        panels += [
            sizes,
            {"key": "tokens", "label": "Tokens", "scale": "log", "format": "count", **ends("tokens"), "extras": [per]},
        ]
    return {
        "axis": {"label": "training compute", "unit": "FLOP"},
        "grid": list(np.insert(nodes, place, at) if fresh else nodes),
        "budget": at,
        "largest": math.log10(fit.ranges["flops"][1]),
        "sentence": _sentence(here),
        "subline": _subline(here, chosen),
        "panels": panels,
        "takes": _takes(hardware, device),
        "budget_unit": {"label": unit.label, "per_flop": unit.per_flop, "format": unit.format},
        "level": here.loss.level,
    }


def points(fit: Fit, runs: Runs) -> dict[str, list[Any]] | None:
    """The runs as marks: compute against loss, shaded by model size, those not fitted hollow."""
    columns: dict[str, list[Any]] = {"x": [], "y": [], "shade": [], "name": [], "hollow": [], "detail": []}
    low, high = _log_sizes(fit)
    fitted = set(fit.runs)
    for table in (runs.kept, runs.set_aside):
        if not {"flops", "loss"} <= set(table.columns):
            continue
        rows = table[
            (table["flops"] > 0) & (table["loss"] > 0) & np.isfinite(table["loss"]) & np.isfinite(table["flops"])
        ]
        size = np.log(rows["params"].to_numpy(float)) if "params" in rows else np.full(len(rows), low)
        columns["x"] += list(np.log10(rows["flops"].to_numpy(float)))
        columns["y"] += list(rows["loss"].to_numpy(float))
        columns["shade"] += list(np.clip(np.nan_to_num((size - low) / max(high - low, 1e-9), nan=0.5), 0.0, 1.0))
        columns["name"] += [str(r) for r in rows["run"]]
        columns["hollow"] += [r not in fitted for r in rows["run"]]
        columns["detail"] += _details(rows)
    return columns if columns["x"] else None


def _details(rows: pd.DataFrame) -> list[str]:
    known = [(name, rows[name]) for name in ("params", "tokens") if name in rows]
    words = {"params": "parameters", "tokens": "tokens"}
    return [
        ", ".join(f"{numbers.count(column.iloc[i])} {words[name]}" for name, column in known) for i in range(len(rows))
    ]


def _log_sizes(fit: Fit) -> tuple[float, float]:
    low, high = fit.ranges.get("params", (1.0, 1.0))
    return math.log(low), math.log(high)


def _shade_key(fit: Fit) -> dict[str, Any] | None:
    if "params" not in fit.ranges:
        return None
    low, high = fit.ranges["params"]
    return {"label": "parameters", "low": low, "high": high, "format": "count"}


def _penalty(ends: Any) -> list[dict[str, Any]]:
    return [{"label": "above the best size's loss", "format": "percent", **ends("penalty")}]


def _sentence(here: Plan) -> str:
    if here.params is None:
        return "Expect a loss of {loss}."
    return "Train {params} parameters on {tokens} tokens. Expect a loss of {loss}."


def _subline(here: Plan, chosen: float | None) -> str:
    level = f"{100 * here.loss.level:g} %"
    drag = "Drag the line, use the arrow keys, or type a budget."
    if here.params is None:
        return f"At {{budget}}, {level} interval: {{loss.range}}. {drag}"
    if chosen is not None:
        return f"At {{budget}} and this size, {level} interval of the loss: {{loss.range}}. {drag}"
    return f"At {{budget}}, {level} intervals: {{params.range}} parameters, {{tokens.range}} tokens, loss {{loss.range}}. {drag}"


def _takes(hardware: Hardware, device: str) -> list[dict[str, Any]]:
    share = f"{100 * hardware.utilisation:g} %"
    takes = [
        {
            "label": f"on {hardware.devices:,.0f} {device} at {share} of peak",
            "per_flop": 3600.0 * hardware.hours(1.0),
            "format": "duration",
        },
        {"label": "device-hours", "per_flop": hardware.device_hours(1.0), "format": "count"},
    ]
    if hardware.price is not None:
        label = f"at ${hardware.price:,.2f} a device-hour"
        takes.append({"label": label, "per_flop": hardware.price * hardware.device_hours(1.0), "format": "money"})
    return takes


def sweep(fit: Fit, nodes: Iterable[float], chosen: float | None = None) -> Plan:
    """The plan at budgets of 10^`nodes` FLOP (K,), at the best size or at a chosen one."""
    return plan(fit, flops=10.0 ** np.array(list(nodes)), params=chosen)
